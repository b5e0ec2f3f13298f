"""14, of several outcomes of one due occasion: the one that was said last stands, whatever order the record gives them
in; what is entered in error was never said. The panel, the report and its figures worked out once more say the same.

The course starts on 1 January 2026, so that a rating is due on 1 April, when the hospital's clock (Oslo) is two hours
ahead of Greenwich.
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from imr_fhir import record
from imr_fhir.artefacts import CODES
from imr_fhir.course import Course
from imr_fhir.due import occasions, standing
from imr_fhir.fhir_time import in_zone
from imr_fhir.reporting.counting import ALL, Cell
from imr_fhir.reporting.making_report import Made
from smart_app.presenters import notes
from tests.reporting.comparing import differences
from tests.reporting.making import DAY, ZONE, report_of
from tests.reporting.population import population, write_ndjson
from tests.reporting.recomputed import recompute

MORNING, AFTERNOON, NEXT_DAY = "2026-04-01T09:30:00+02:00", "2026-04-01T15:00:00+02:00", "2026-04-02T08:00:00+02:00"
ELEVEN = "2026-04-01T09:00:00Z"  # later than the morning, though its letters are not
FIRST_MINUTE = "2026-03-31T22:30:00Z"  # of 1 April in Oslo

# What was said, in the order in which the record gives it (status final unless said), and what stands.
OUTCOMES: list[tuple[str, list[tuple[str, ...]], str]] = [
    ("one", [(MORNING, "declined")], "declined"),
    ("as it was said", [(MORNING, "not-today"), (AFTERNOON, "declined")], "declined"),
    ("the later one first", [(AFTERNOON, "declined"), (MORNING, "not-today")], "declined"),
    ("the gravest is not the last", [(AFTERNOON, "not-today"), (MORNING, "declined")], "not-today"),
    ("not asked after all", [(AFTERNOON, "not-asked"), (MORNING, "not-today")], "not-asked"),
    ("three", [(MORNING, "declined"), (AFTERNOON, "too-unwell"), (ELEVEN, "not-today")], "too-unwell"),
    ("by the instant, not by the letters", [(ELEVEN, "too-unwell"), (MORNING, "declined")], "too-unwell"),
    ("the hospital's day", [(MORNING, "too-unwell"), (FIRST_MINUTE, "declined")], "too-unwell"),
    ("another day", [(NEXT_DAY, "not-today"), (AFTERNOON, "declined")], "not-today"),
    ("entered in error", [(MORNING, "not-today"), (AFTERNOON, "declined", "entered-in-error")], "not-today"),
    ("a day alone is its noon, before", [("2026-04-01", "declined"), (AFTERNOON, "not-today")], "not-today"),
    ("a day alone is its noon, after", [("2026-04-01", "declined"), (MORNING, "not-today")], "declined"),
]
CASES = {case: number for number, (case, _, _) in enumerate(OUTCOMES)}
Resource = dict[str, Any]


def outcome(number: int, place: int, when: str, code: str, status: str = "final") -> Resource:
    def coded(code: str) -> Resource:
        return {"coding": [{"system": CODES, "code": code}]}

    return {
        "resourceType": "Observation", "id": f"o{number}-{place}", "status": status, "code": coded("due-outcome"),
        "subject": {"reference": f"Patient/p{number}"}, "effectiveDateTime": when, "valueCodeableConcept": coded(code),
    }  # fmt: skip


def said(number: int) -> list[Resource]:
    return [outcome(number, place, *each) for place, each in enumerate(OUTCOMES[number][1])]


def everything() -> Iterable[Resource]:
    yield from population(60)  # of whom the other figures are
    for number in CASES.values():
        yield {"resourceType": "Patient", "id": f"p{number}"}
        yield {
            "resourceType": "EpisodeOfCare", "id": f"e{number}", "status": "finished",
            "patient": {"reference": f"Patient/p{number}"}, "period": {"start": "2026-01-01", "end": "2026-06-01"},
            "managingOrganization": {"reference": f"Organization/u{number}"},
        }  # fmt: skip
        yield from said(number)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    folder = tmp_path_factory.mktemp("outcomes")
    write_ndjson(everything(), folder)
    return report_of(folder)


@pytest.mark.parametrize("case", CASES)
def test_on_the_panel(case: str) -> None:
    number = CASES[case]
    read = [record.from_resource(each, patient=f"p{number}") for each in said(number)]
    found = [replace(each, said=in_zone(each.said, ZONE)) for each in read]
    stand = notes.standing(found)
    in_the_record_s_order = [each for each in found if each in stand]
    _, second = occasions(Course(date(2026, 1, 1), None, "active", "", "episode"), date(2026, 4, 1))
    for given in (stand, in_the_record_s_order):
        answers = notes.due_answers(given)
        assert standing(second, "client", (), answers, today=second.answering_closes).state == OUTCOMES[number][2]


@pytest.mark.parametrize("case", CASES)
def test_in_the_report(case: str, made: Made) -> None:
    unit, states = f"Organization/u{CASES[case]}", record.OUTCOMES
    counts = {state: made.report.counted.counts.get(Cell(state, unit, ALL, "client"), 0) for state in states}
    assert [state for state, n in counts.items() if n] == [OUTCOMES[CASES[case]][2]]


def test_worked_out_once_more(made: Made) -> None:
    folder = made.files[0].parent.parent
    assert differences(made.report, recompute(folder, DAY, ZONE)) == []
