"""17. Goal attainment levels of the patient and of the practitioner stand side by side: no mean, no T-score."""

from dataclasses import fields

import pytest

from imr_fhir.attainment import Attainment, AttainmentRating, side_by_side
from tests.spec.build import d

CASES = [
    # ratings (goal, by, level, day) -> goal, patient's level, practitioner's level
    ([], []),
    ([("job", "patient", 1, 0)], [("job", 1, None)]),
    ([("job", "practitioner", -1, 0)], [("job", None, -1)]),
    ([("job", "patient", 2, 0), ("job", "practitioner", -2, 0)], [("job", 2, -2)]),
    ([("job", "patient", 2, 90), ("job", "patient", -1, 0)], [("job", 2, None)]),  # the latest by each
    ([("job", "patient", 0, 0), ("home", "patient", 1, 5)], [("job", 0, None), ("home", 1, None)]),
]  # fmt: skip


@pytest.mark.parametrize(("ratings", "expected"), CASES)
def test_side_by_side(ratings, expected):
    found = side_by_side(AttainmentRating(goal, by, level, d(day)) for goal, by, level, day in ratings)
    levels = [(a.goal, a.patient and a.patient.level, a.practitioner and a.practitioner.level) for a in found]
    assert levels == expected


def test_nothing_is_worked_out_from_the_two():
    assert [field.name for field in fields(Attainment)] == ["goal", "patient", "practitioner"]
