"""A rating that the record keeps as a score with a member for each item: with which members the report
counts it, as the panel does."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from imr_fhir.errors import ResourceError, ResponseError
from imr_fhir.reporting.duck import connection
from imr_fhir.reporting.lives import prepare, unpacked
from imr_fhir.reporting.tables import write_tables
from imr_fhir.reporting.words import NAMES
from imr_fhir.scale import NA
from imr_fhir.score_parts import score_parts
from imr_fhir.score_reading import read_panel
from imr_fhir.score_shape import StoredRating
from tests.filed import FILING, new_response, urn
from tests.reporting.making import DAY, ZONE
from tests.spec.build import answers
from tests.tables.made import ndjson, patient

Resource = dict[str, Any]
Members = dict[str, Resource]  # by what they hold: "01" to "15", "sum", "rated", and the whole ""
WITHDRAWN = "entered-in-error"


def filed() -> Members:
    """All items at 3."""
    found: Members = {}
    for part in score_parts(new_response(), shape="members", urn=urn(6), filing=FILING):
        whole: Resource = json.loads(json.dumps(part.resource, default=float))
        name = "" if "hasMember" in whole else whole["code"]["coding"][0]["code"]
        found[name] = {**whole, "id": f"m{name}"}
    found[""]["hasMember"] = [{"reference": f"Observation/m{name}"} for name in found if name]
    return found


def status(said: str, *names: str) -> Callable[[Members], None]:
    def change(members: Members) -> None:
        for name in names:
            members[name]["status"] = said

    return change


def in_its_place(members: Members) -> None:
    """As software may correct that takes back and writes anew, where the panel names both."""
    members["05, anew"] = {**members["05"], "id": "anew", "valueInteger": 1}
    members["05"]["status"] = WITHDRAWN
    members[""]["hasMember"].append({"reference": "Observation/anew"})


def not_applicable_withdrawn(members: Members) -> None:
    absent = {"coding": [{"code": "not-applicable"}]}
    members["13"] = {name: each for name, each in members["13"].items() if name != "valueInteger"} | {
        "dataAbsentReason": absent, "status": WITHDRAWN,
    }  # fmt: skip


def older_version(members: Members) -> None:
    members["05, before"] = {**members["05"], "meta": {"versionId": "1"}}
    members["05"] |= {"meta": {"versionId": "2"}, "status": WITHDRAWN}


def withdrawn_twice_written(members: Members) -> None:
    in_its_place(members)
    members["05, anew"]["status"] = WITHDRAWN


def withdrawn_of_another_score(members: Members) -> None:
    members["05, before"] = {**members["05"], "id": "before", "status": WITHDRAWN}


def taken_out(members: Members) -> None:
    del members["rated"]


def of_another(members: Members) -> None:
    members["05"]["subject"] = {"reference": "Patient/jonas"}


def named_twice(members: Members) -> None:
    members[""]["hasMember"] *= 2


GONE, NOT_THERE = "a member that does not stand", "a member that is not in the export"
# Why it is left out of the report; "": it counts, with all that was answered.
RATINGS: list[tuple[str, Callable[[Members], None], str]] = [
    ("all stand", lambda _: None, ""),
    ("corrected", status("corrected", "05", "06"), ""),
    ("amended", status("amended", "05", "sum"), ""),
    ("one withdrawn", status(WITHDRAWN, "05"), GONE),
    ("the sum withdrawn", status(WITHDRAWN, "sum"), GONE),
    ("how many were rated withdrawn", status(WITHDRAWN, "rated"), GONE),
    ("all items withdrawn", status(WITHDRAWN, *(f"{item:02}" for item in range(1, 16))), GONE),
    ("one withdrawn, another in its place", in_its_place, GONE),
    ("both withdrawn", withdrawn_twice_written, GONE),
    ("withdrawn in its newer version", older_version, GONE),
    ("'not applicable' withdrawn", not_applicable_withdrawn, GONE),
    ("one to come", status("registered", "05"), GONE),
    ("one that was cancelled", status("cancelled", "05"), GONE),
    ("one that may change", status("preliminary", "05"), GONE),
    ("withdrawn, and named by no score", withdrawn_of_another_score, ""),
    ("one that is not to be had", taken_out, NOT_THERE),
    ("another patient's", of_another, "a member of another patient"),
    ("each named twice", named_twice, "an answer that is none of the scale's"),
]


def rating(members: Members, folder: Path) -> tuple[str, dict[int, int]]:
    """Why it is left out, and its answers."""
    ndjson(folder / "Observation.ndjson", *members.values())
    ndjson(folder / "Patient.ndjson", patient("anna"))
    write_tables(folder, folder / "out")
    tables = sorted((folder / "out").glob("*.parquet"))
    with connection((), files=tables) as duck:
        for each in tables:
            duck.execute(f"CREATE VIEW {each.stem} AS FROM read_parquet('{each}')")  # our own folder
        prepare(duck, zone=str(ZONE), exported=DAY)
        ((left_out, packed),) = duck.execute("SELECT left_out, answers FROM rating").fetchall()
    return left_out, unpacked(packed)


def on_the_panel(members: Members) -> StoredRating:
    """Raises ResourceError where it refuses the rating."""
    newest = {
        each["id"]: each for each in sorted(members.values(), key=lambda each: str(each["meta"].get("versionId")))
    }
    return read_panel(members[""], newest, patient="anna")


@pytest.mark.parametrize(("case", "change", "expected"), RATINGS, ids=[case for case, *_ in RATINGS])
def test_what_the_panel_refuses_the_report_leaves_out(
    case: str, change: Callable[[Members], None], expected: str, tmp_path: Path
) -> None:
    members = filed()
    change(members)
    left_out, counted = rating(members, tmp_path)
    assert left_out == expected
    if expected:
        with pytest.raises(ResourceError):
            on_the_panel(members)
    else:
        assert counted == answers(3) == dict(on_the_panel(members).score.ratings)


def test_each_reason_is_said_in_bokmal() -> None:
    assert {reason for *_, reason in RATINGS if reason} <= set(NAMES["nb"])


def test_a_score_entered_in_error_is_left_out_whatever_its_members_say(tmp_path: Path) -> None:
    members = filed()
    status(WITHDRAWN, "")(members)
    assert rating(members, tmp_path)[0] == "entered in error"


@pytest.mark.parametrize("said", ["registered", "preliminary", "amended", "cancelled", "unknown", ""])
def test_a_score_of_a_status_that_the_panel_refuses_is_no_rating(said: str, tmp_path: Path) -> None:
    members = filed()
    status(said, "")(members)
    assert said or members[""].pop("status") == ""
    assert rating(members, tmp_path)[0] == "unknown status"
    with pytest.raises(ResponseError):
        on_the_panel(members)


def test_one_that_was_corrected_is(tmp_path: Path) -> None:
    members = filed()
    status("corrected", "")(members)
    assert rating(members, tmp_path) == ("", answers(3)) == ("", dict(on_the_panel(members).score.ratings))


def test_not_applicable_that_stands_is_an_answer(tmp_path: Path) -> None:
    members = filed()
    not_applicable_withdrawn(members)
    members["13"]["status"] = "final"
    assert rating(members, tmp_path) == ("", answers(3, {13: NA}))
