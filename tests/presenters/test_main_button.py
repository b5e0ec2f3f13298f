"""The one main button of the panel: what this visit is for."""

from typing import Any

import pytest

from imr_fhir.course import Course
from imr_fhir.response import Response
from tests.presenters.build import chart, pair, shown
from tests.spec.build import client, clinician, course, d, stopped

FIRST = pair(0)


@pytest.mark.parametrize(
    ("rated", "today", "within", "given", "main"),
    [
        ((), 1, course(), {}, "rate"),
        (FIRST, 1, course(), {}, "together"),
        (FIRST, 95, course(), {}, "rate"),
        ((*FIRST, client(92)), 95, course(), {}, "rate"),
        ((*FIRST, clinician(92)), 95, course(), {}, "give"),
        ((*FIRST, *pair(92)), 95, course(), {}, "together"),
        ((*FIRST, stopped(92), clinician(92)), 95, course(), {}, "rate"),
        ((client(0),), 1, course(), {"clinician_on": False}, "give"),
        (FIRST, 300, course(0, 200), {}, "goal"),
        (FIRST, 150, course(0, 200), {}, "together"),
    ],
)
def test_what_this_visit_is_for(
    rated: tuple[Response, ...], today: int, within: Course, given: dict[str, Any], main: str
) -> None:
    assert shown(chart(rated, episodes=[within]), today=today, **given).main == main


def test_putting_it_off_begins_with_a_week() -> None:
    due = shown(chart(FIRST, episodes=[course()]), today=95).due
    assert due is not None
    assert due.ask_again == d(102).isoformat()
