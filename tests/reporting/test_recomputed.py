"""Every figure of a report, worked out a second time from the NDJSON by code that shares nothing with it."""

import json
from pathlib import Path
from typing import Any

import pytest

from imr_fhir.reporting.left_out import TABLE
from imr_fhir.reporting.making_report import Made
from tests.reporting.comparing import differences, shown_differences
from tests.reporting.making import DAY, ZONE, exported, report_of, reported
from tests.reporting.population import population, write_ndjson
from tests.reporting.recomputed import Recomputed, recompute


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    return reported(200, 7, tmp_path_factory)


@pytest.fixture(scope="module")
def other(made: Made) -> Recomputed:
    return recompute(made.files[0].parent.parent, DAY, ZONE)


def test_every_number_is_the_same(made: Made, other: Recomputed) -> None:
    assert differences(made.report, other) == []


def test_what_the_files_show_is_the_same(made: Made, other: Recomputed) -> None:
    assert shown_differences(made.files[0].parent, other) == []
    assert sum(n > 0 for n in other.counts.values()) > 2000


def test_where_the_hospital_s_own_table_tells_of_courses_too(tmp_path: Path) -> None:
    """Each row is counted or said why not: of a patient who has an EpisodeOfCare, of a test patient, not begun, or of
    nobody here. One of the test patients has something else too that a report reads."""
    everything = list(population(150))
    has = {each["subject"]["reference"] for each in everything if each["resourceType"] == "QuestionnaireResponse"}
    tests = [each["id"] for each in everything if "security" in each["meta"] and f"Patient/{each['id']}" in has]
    seen = next(each for each in everything if "seen-first" in json.dumps(each.get("code"), default=str))
    own = {**seen, "id": "seen-of-a-test", "subject": {"reference": f"Patient/{tests[0]}"}}
    without = [each for each in everything if each["resourceType"] != "EpisodeOfCare" or "0-0" in each["id"]]
    write_ndjson([*without, own], tmp_path)
    patients = [each["id"] for each in everything if each["resourceType"] == "Patient"]
    ends = ["2025-05-20,tired", "2026-01-31,completed", "2025-11-30,moved", "2025-09-01,died", "2026-02-01,", ","]
    rows = [f"{each},{'NS'[n % 2]},,2025-0{n % 9 + 1}-07,{ends[n % 6]}" for n, each in enumerate(patients[:120])]
    rows = [row for row in rows if row.split(",")[3] <= (row.split(",")[4] or "3")]
    rows += [f"{each},N,2026-09-01,,," for each in patients[120:128]]  # not begun
    rows += [f"{each},N,2026-09-01,2026-10-01,," for each in patients[128:136]]  # not yet
    rows += ["nobody,N,,2025-01-07,,"]
    (tmp_path / "courses.csv").write_text("\n".join(["patient,unit,offered,start,end,reason", *rows]), encoding="utf-8")
    made = report_of(tmp_path)
    other = recompute(tmp_path, DAY, ZONE)
    assert differences(made.report, other) == []
    assert made.reconciliation.faults == ()
    reasons = {why: n for (kind, why), n in other.left_out.items() if kind == TABLE and n}
    assert sum(reasons.values()) == len(rows)
    assert len(reasons) == 5, reasons
    assert made.reconciliation.steps[-1].numbers["read"] == len(rows)


def linked(resources: list[dict[str, Any]], **links: list[str]) -> list[dict[str, Any]]:
    """``links``: by a person's number (p3=["5"]) the numbers of those whose records replace that one."""
    said = {
        f"person-{int(one[1:]):05d}": [
            {"type": "replaced-by", "other": {"reference": f"Patient/person-{int(other):05d}"}} for other in others
        ]
        for one, others in links.items()
    }
    return [{**each, "link": said[each["id"]]} if each["id"] in said else each for each in resources]


MERGED = {
    "one into another": ({"p0": ["1"]}, {}),
    "over a third": ({"p0": ["1"], "p1": ["2"], "p3": ["2"]}, {}),
    "the same link twice": ({"p0": ["1", "1"]}, {}),
    "each into the other": ({"p0": ["1"], "p1": ["0"], "p2": ["1"]}, {"in a circle": {0, 1, 2}}),
    "into itself": ({"p0": ["0"]}, {"in a circle": {0}}),
    "into two": ({"p0": ["1", "2"], "p3": ["0"]}, {"by several records": {0}}),
    "into one that is not there": ({"p0": ["1"], "p1": ["999"]}, {"by a record that is not in the export": {1}}),
}


@pytest.mark.parametrize(("links", "faults"), MERGED.values(), ids=MERGED)
def test_a_person_whose_records_were_merged_is_one(
    links: dict[str, list[str]], faults: dict[str, set[int]], tmp_path: Path
) -> None:
    """And what can't be followed is told by id, and never guessed."""
    write_ndjson(linked(list(population(30, seed=3)), **links), tmp_path)
    made = report_of(tmp_path)
    other = recompute(tmp_path, DAY, ZONE)
    assert differences(made.report, other) == []
    told = {fault.what: {int(each.id[-5:]) for each in fault.lost} for fault in made.reconciliation.faults}
    assert len(told) == len(faults)
    assert all(any(what.endswith(name) and told[what] == which for what in told) for name, which in faults.items())


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_small_hospital_s_are_too(seed: int, tmp_path: Path) -> None:
    """Where a unit's quarter holds one occasion, or none that was offered."""
    made = report_of(exported(25, tmp_path, seed=seed))
    assert differences(made.report, recompute(tmp_path, DAY, ZONE)) == []
