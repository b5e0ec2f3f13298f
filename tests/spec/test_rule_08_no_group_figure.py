"""8. A published minimal important difference is a group figure: never one person's flag.

So a flag depends on the person's own ratings and on T, and on nothing else.
"""

from dataclasses import fields

import pytest

from imr_fhir.change import Change, change
from imr_fhir.parameters import Parameters
from tests.spec.build import client, sum_of

# Mean gains that studies report (3 to 6 points) and half a standard deviation (4.35): all within T for one person.
GROUP_FIGURES = [3, 4, 5, 6]


@pytest.mark.parametrize("points", GROUP_FIGURES)
def test_no_flag_at_a_group_figure(points):
    start = client(0, sum_of(45))
    found = change([start, client(90, sum_of(45 + points))], first=start)
    assert isinstance(found, Change)
    assert (found.sum_change, found.flag) == (points, "within")


def test_parameters_hold_no_group_figure():
    assert {field.name for field in fields(Parameters)} == {
        *("rater", "version", "language"),
        *("sd", "sd_source", "sd_n", "sd_language"),
        *("r", "r_kind", "r_source", "r_n", "r_language", "same_sample"),
    }
