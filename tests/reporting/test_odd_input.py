"""What other software may leave in a record: each is left out with its reason, and the report is made."""

import json
from collections import Counter
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from imr_fhir import record
from imr_fhir.errors import ResourceError
from imr_fhir.fhir_time import in_zone
from imr_fhir.observation import from_resource
from imr_fhir.reporting.counting import ALL, Cell
from imr_fhir.reporting.duck import connection
from imr_fhir.reporting.lives import prepare
from imr_fhir.reporting.making_report import Made
from imr_fhir.reporting.tables import write_tables
from imr_fhir.scale import RATERS
from tests.reporting.comparing import differences
from tests.reporting.making import DAY, ZONE, exported, report_of
from tests.reporting.population import population, write_ndjson
from tests.reporting.recomputed import recompute
from tests.tables.made import ndjson

Resource = dict[str, Any]
NOT_OURS = "an answer that is none of the scale's"
FOREVER, NEVER = "9999-12-31T23:59:59Z", "0001-01-01T00:00:00Z"  # what some software writes where there is no day


def changed(folder: Path, name: str, change: Callable[[list[Resource]], object]) -> None:
    """What is of no test patient, in the file of type ``name``."""
    file = folder / f"{name}-00001.ndjson"
    lines = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    tests = {
        json.loads(line)["id"]
        for line in (folder / "Patient-00001.ndjson").read_text(encoding="utf-8").splitlines()
        if "HTEST" in line
    }
    whose = [(each.get("subject") or each.get("patient") or {}).get("reference", "")[8:] for each in lines]
    change([each for each, who in zip(lines, whose, strict=True) if who not in tests])
    file.write_text("".join(f"{json.dumps(each)}\n" for each in lines), encoding="utf-8")


def left_out(made: Made, kind: str) -> dict[str, int]:
    (found,) = (each for each in made.report.left_out.kinds if each.name == kind)
    return {reason: made.report.left_out.counts[cell] for reason, cell in found.reasons}


def moved(before: Made, after: Made, kind: str) -> dict[str, int]:
    """By how much each number differs."""
    one, other = left_out(before, kind), left_out(after, kind)
    differs = {reason: other.get(reason, 0) - one.get(reason, 0) for reason in one | other}
    return {reason: n for reason, n in differs.items() if n}


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Made:
    return report_of(exported(12, tmp_path_factory.mktemp("plain")))


def whole(lines: list[Resource]) -> list[Resource]:
    """The responses that count, no other being a copy of them, and in which all is answered."""
    often = Counter(each["identifier"]["value"] for each in lines)
    counting = [each for each in lines if often[each["identifier"]["value"]] == 1 and each["status"] == "completed"]
    return [each for each in counting if each["questionnaire"].endswith("|0.1.0") and len(answers(each)) == 15]


def answers(response: Resource) -> list[Resource]:
    (group,) = (each for each in response["item"] if each["linkId"] == "imr")
    return [each for each in group["item"] if each.get("answer")]


def test_an_answer_of_another_kind_or_at_no_question_of_ours(plain: Made, tmp_path: Path) -> None:
    codes = ["05-x", "05-9", "LA6568-5", "13-na", "x"]
    link_ids = ["16", "22", "99", "-5", "1000", "1e3", "5", " 05"]

    def change(lines: list[Resource]) -> None:
        for response, code in zip(whole(lines), codes, strict=False):
            answers(response)[4]["answer"][0]["valueCoding"]["code"] = code
        for response, link_id in zip(whole(lines)[len(codes) :], link_ids, strict=False):
            answers(response)[4]["linkId"] = link_id

    changed(exported(12, tmp_path), "QuestionnaireResponse", change)
    made, spoiled = report_of(tmp_path), len(codes) + len(link_ids)
    assert moved(plain, made, "ratings") == {"counted": -spoiled, NOT_OURS: spoiled}
    assert made.reconciliation.faults == ()


def test_a_rating_of_no_day_till_the_export(plain: Made, tmp_path: Path) -> None:
    """Dated ahead it would be the latest of its course, whatever was answered since."""
    days = ["2026-09-16T00:00:00+02:00", "2036-01-01T10:00:00+01:00", FOREVER, NEVER, "2026-13-01T10:00:00Z"]

    def change(lines: list[Resource]) -> None:
        for response, day in zip(whole(lines), days, strict=False):
            response["authored"] = day
            for each in response["extension"]:
                if "valueDateTime" in each:
                    each["valueDateTime"] = day

    changed(exported(12, tmp_path), "QuestionnaireResponse", change)
    differs = {"counted": -5, "dated after the export": 3, "no readable time": 2}
    assert moved(plain, report_of(tmp_path), "ratings") == differs


def test_a_rating_of_a_day_alone_is_of_its_noon_as_on_the_panel(plain: Made, tmp_path: Path) -> None:
    def change(lines: list[Resource]) -> None:
        for response in whole(lines):
            stamped = [each for each in response["extension"] if "valueDateTime" in each]
            when = datetime.fromisoformat((stamped or [{"valueDateTime": response["authored"]}])[0]["valueDateTime"])
            response["authored"] = str(when.astimezone(ZONE).date())
            response["extension"] = [each for each in response["extension"] if each not in stamped]

    changed(exported(12, tmp_path), "QuestionnaireResponse", change)
    made = report_of(tmp_path)
    assert moved(plain, made, "ratings") == {}
    assert made.report.counted.counts == plain.report.counted.counts
    assert differences(made.report, recompute(tmp_path, DAY, ZONE)) == []


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Pacific/Pago_Pago", "Europe/Oslo"])
@pytest.mark.parametrize("day", ["2026-03-31", "2025-10-26", "2026-06-15T23:30:00-11:00", "2026-02-30", "2026-03", ""])
def test_a_day_alone_of_a_score_too(day: str, zone: str, tmp_path: Path) -> None:
    score = next(each for each in population(3) if "score-" in json.dumps(each.get("code")))
    raw: Resource = json.loads(json.dumps({**score, "effectiveDateTime": day}, default=float))
    raw = {name: each for name, each in raw.items() if each and name != "derivedFrom"}
    ndjson(tmp_path / "Observation.ndjson", raw)
    write_tables(tmp_path, tmp_path / "out")
    with connection((), files=(tables := sorted((tmp_path / "out").glob("*.parquet")))) as duck:
        for each in tables:
            duck.execute(f"CREATE VIEW {each.stem} AS FROM read_parquet('{each}')")  # our own folder
        prepare(duck, zone=zone, exported=DAY)
        ((left_out, seconds),) = duck.execute("SELECT left_out, epoch(measured) FROM rating").fetchall()
    try:
        found = from_resource(raw, patient=raw["subject"]["reference"].removeprefix("Patient/"))
    except ResourceError:
        assert left_out == "no readable time"
    else:
        assert (left_out, seconds) == ("", in_zone(found.measured, ZoneInfo(zone)).timestamp())


def test_courses_with_days_that_stand_for_none(plain: Made, tmp_path: Path) -> None:
    periods = [
        {"end": "9999-12-31"},
        {"end": FOREVER},
        {"start": NEVER[:10]},
        {"start": NEVER},
        {"start": "9999-12-31"},
    ]

    def change(lines: list[Resource]) -> None:
        for episode, period in zip([each for each in lines if each["status"] == "active"], periods, strict=False):
            episode["period"].update(period)

    changed(exported(12, tmp_path), "EpisodeOfCare", change)
    differs = {"counted": -3, "no start": 2, "not begun": 1}
    assert moved(plain, report_of(tmp_path), "courses") == differs


def test_a_death_on_no_day(plain: Made, tmp_path: Path) -> None:
    """Nobody has died by it: all else stands."""

    def change(lines: list[Resource]) -> None:
        living = [each for each in lines if "deceasedDateTime" not in each]
        for patient, day in zip(living, (NEVER[:10], NEVER, FOREVER, "2026"), strict=False):
            patient["deceasedDateTime"] = day

    changed(exported(12, tmp_path), "Patient", change)
    assert report_of(tmp_path).report.counted.counts == plain.report.counted.counts


def test_goals_that_have_not_begun(plain: Made, tmp_path: Path) -> None:
    days = ["2026-09-16", "9999-12-31", "0001-01-01", "2026-05"]

    def change(lines: list[Resource]) -> None:
        wishes = [each for each in lines if "goal-relationship" not in json.dumps(each)]
        for wish, day in zip(wishes, days, strict=False):
            wish["startDate"] = day

    changed(exported(12, tmp_path), "Goal", change)
    assert moved(plain, report_of(tmp_path), "goals") == {"counted": -4, "not begun": 2, "no start": 2}


def rated(score: Resource) -> list[Resource]:
    found = (each for each in score.get("component", ()) if "valueInteger" in each)
    return [each for each in found if each["code"]["coding"][0]["code"].isdecimal()]


def test_scores_that_stand_for_their_responses(tmp_path: Path) -> None:
    """Read as they are, a rating of 7 would be carried over into the next question, two of 3 would be one of 7, and
    nought would say that the question does not apply."""
    exported(12, tmp_path)
    (tmp_path / "QuestionnaireResponse-00001.ndjson").write_text("", encoding="utf-8")
    before = report_of(tmp_path)

    def change(lines: list[Resource]) -> None:
        under, above, twice = [each for each in lines if len(rated(each)) == 15][:3]
        rated(under)[5]["valueInteger"] = 0
        rated(above)[5]["valueInteger"] = 7
        twice["component"].append({**rated(twice)[5], "valueInteger": 1})

    changed(tmp_path, "Observation", change)
    assert moved(before, report_of(tmp_path), "ratings") == {"counted": -3, NOT_OURS: 3}


@pytest.mark.parametrize("status", ["registered", "preliminary", "cancelled", "unknown"])
def test_what_was_not_said_as_the_panel_reads_it(plain: Made, tmp_path: Path, status: str) -> None:
    kinds = {"review": "reviews", "due-outcome": "outcomes of due occasions", "seen-first": ""}

    def change(lines: list[Resource]) -> None:
        for code in kinds:
            found = [each for each in lines if f'"{code}"' in json.dumps(each["code"]) and each["status"] == "final"]
            for each in found if code == "seen-first" else found[:1]:
                each["status"] = status
                with pytest.raises(ResourceError):
                    record.from_resource(each, patient=each["subject"]["reference"][8:])

    changed(exported(12, tmp_path), "Observation", change)
    made = report_of(tmp_path)
    for kind in filter(None, kinds.values()):
        assert moved(plain, made, kind) == {"counted": -1, "unknown status": 1}
    assert differences(made.report, recompute(tmp_path, DAY, ZONE)) == []


def test_a_unit_whose_only_offers_were_taken_up_records_them(tmp_path: Path) -> None:
    """ "Not today", and then both answered: that it was recorded is what counts."""
    everything = list(population(12))
    outcomes = [each for each in everything if "due-outcome" in json.dumps(each.get("code"))]
    first = next(each for each in outcomes if "not-today" in json.dumps(each))
    responses = [each for each in everything if each["resourceType"] == "QuestionnaireResponse"]
    answered = whole(json.loads(json.dumps(responses, default=float)))
    raters = Counter((each["subject"]["reference"], each["authored"][:10]) for each in answered)
    offers = [
        {**first, "id": f"offer-{n}", "subject": each["subject"], "effectiveDateTime": each["authored"]}
        for n, each in enumerate(answered)
        if raters[each["subject"]["reference"], each["authored"][:10]] == len(RATERS)
    ]
    assert offers
    # all that was offered and not answered goes, so that the offers stand beside answers alone
    write_ndjson([*(each for each in everything if each not in outcomes), *offers], tmp_path)
    counts = report_of(tmp_path).report.counted.counts
    told = sum(n for cell, n in counts.items() if cell.quantity == "due, offers recorded" and cell[1:3] == (ALL, ALL))
    assert told > 0
    assert sum(counts.get(Cell("offered: not-today", ALL, ALL, rater), 0) for rater in RATERS) == 0


def test_what_was_answered_after_a_death_is_of_its_course_all_the_same(plain: Made, tmp_path: Path) -> None:
    """A day of death that is wrong, or a form that was finished since: told as it is counted."""

    def change(lines: list[Resource]) -> None:
        for patient in lines:
            patient["deceasedDateTime"] = "2025-05-01"

    changed(exported(12, tmp_path), "Patient", change)
    made = report_of(tmp_path)
    assert moved(plain, made, "ratings") == {}
    assert differences(made.report, recompute(tmp_path, DAY, ZONE)) == []


@pytest.mark.parametrize(("code", "kind"), [("review", "reviews"), ("due-outcome", "outcomes of due occasions")])
def test_what_is_dated_after_the_export_has_not_been_said(plain: Made, tmp_path: Path, code: str, kind: str) -> None:
    """By a wrong clock, or a slip of the year: it would be the last word until then."""

    def change(lines: list[Resource]) -> None:
        for each in [each for each in lines if f'"{code}"' in json.dumps(each["code"])][:3]:
            each["effectiveDateTime"] = "2026-09-16T00:00:00+02:00"

    changed(exported(12, tmp_path), "Observation", change)
    made = report_of(tmp_path)
    assert moved(plain, made, kind) == {"counted": -3, "dated after the export": 3}
    assert differences(made.report, recompute(tmp_path, DAY, ZONE)) == []


def test_a_review_of_no_goal_that_counts_stands_in_no_figure(plain: Made, tmp_path: Path) -> None:
    """Of a goal that did not come, or was withdrawn: it is told as such, and not as counted."""

    def change(lines: list[Resource]) -> None:
        for each in lines:
            each["lifecycleStatus"] = "entered-in-error"

    changed(exported(12, tmp_path), "Goal", change)
    made = report_of(tmp_path)
    n = left_out(plain, "reviews")["counted"]
    assert moved(plain, made, "reviews") == {"counted": -n, "of no goal that counts": n}
    assert differences(made.report, recompute(tmp_path, DAY, ZONE)) == []


def test_an_outcome_outside_every_course_stands_in_no_figure(plain: Made, tmp_path: Path) -> None:
    def change(lines: list[Resource]) -> None:
        for each in [each for each in lines if '"due-outcome"' in json.dumps(each["code"])][:3]:
            each["effectiveDateTime"] = "2019-05-01T10:00:00+02:00"

    changed(exported(12, tmp_path), "Observation", change)
    made = report_of(tmp_path)
    assert moved(plain, made, "outcomes of due occasions") == {"counted": -3, "outside every course": 3}
    assert differences(made.report, recompute(tmp_path, DAY, ZONE)) == []
