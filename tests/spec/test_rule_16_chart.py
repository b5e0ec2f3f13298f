"""16. The chart: a true time axis; a line breaks where an occasion is missing; both raters' starts are marked.

A band of ±T around each first rating instead of error bars. Sums with different n are not drawn in one line (15).
"""

from decimal import Decimal

import pytest

from imr_fhir.course import Span
from imr_fhir.scale import NA
from imr_fhir.trend import trend
from tests.spec.build import answers, client, clinician, course, d, response, stopped, sum_of, withdrawn

N14 = answers(3, {13: NA})  # 14 items rated
ONE = [course(0)]
HELD = [course(0, on_hold=(Span(d(76), d(118)),))]  # for the whole window of day 90

# The course starts on day 0: due on days 0, 90, 181, 273, 365.
LINES = [
    # case, responses, courses, days of each line of means, of each line of sums
    ("none", [], ONE, "", ""),
    ("one", [client(0)], ONE, "0", "0"),
    ("each occasion", [client(0), client(90), client(181)], ONE, "0 90 181", "0 90 181"),
    ("an occasion missing", [client(0), client(181), client(273)], ONE, "0 | 181 273", "0 | 181 273"),
    ("an occasion stopped early", [client(0), stopped(90), client(181)], ONE, "0 | 181", "0 | 181"),
    ("an occasion withdrawn", [client(0), withdrawn(90), client(181)], ONE, "0 | 181", "0 | 181"),
    ("late, but none missing", [client(0), client(166), client(200)], ONE, "0 166 200", "0 166 200"),
    ("answered, but soon again", [client(0), client(166), client(181)], ONE, "0 | 181", "0 | 181"),
    ("twice at one occasion", [client(90), client(130), client(181)], ONE, "90 130 181", "90 130 181"),
    ("twice within 28 days: the later", [client(0), client(90), client(100)], ONE, "0 100", "0 100"),
    ("the other rater's are not in it", [client(0), clinician(90), client(181)], ONE, "0 | 181", "0 | 181"),
    ("item 13 not applicable once", [client(0), client(90, N14), client(181)], ONE, "0 90 181", "0 | 90 | 181"),
    ("item 13 not applicable since", [client(0), client(90, N14), client(181, N14)], ONE, "0 90 181", "0 | 90 181"),
    ("on hold: nothing was due", [client(0), client(181)], HELD, "0 181", "0 181"),
    ("rated though on hold", [client(0), client(90), client(181)], HELD, "0 90 181", "0 90 181"),
    ("two courses", [client(0), client(90), client(120)], [course(0, 100), course(110)], "0 90 | 120", "0 90 | 120"),
    ("outside every course", [client(0), client(200), client(300)], [course(0, 100)], "0 | 200 | 300", "0 | 200 | 300"),
]  # fmt: skip


def drawn(lines):
    return " | ".join(" ".join(str((point.day - d(0)).days) for point in line) for line in lines)


@pytest.mark.parametrize(("case", "responses", "courses", "means", "sums"), LINES)
def test_lines(case, responses, courses, means, sums):
    found = trend("client", reversed(responses), courses, today=d(400))
    assert (drawn(found.lines), drawn(found.sum_lines)) == (means, sums)
    assert [point for line in found.lines for point in line] == list(found.points)


STARTS = [
    # rater, sum of the first rating, band of the mean from, to
    ("client", 45, "2.2633", "3.7367"),
    ("clinician", 45, "2.4745", "3.5255"),
    ("client", 70, "3.9333", "5"),  # the scale ends at 5
    ("client", 20, "1", "2.0667"),
]


@pytest.mark.parametrize(("rater", "total", "low", "high"), STARTS)
def test_band_around_the_start(rater, total, low, high):
    responses = [response(0, sum_of(total), rater), response(90, sum_of(50), rater)]
    (start,) = trend(rater, responses, [course(0)], today=d(100)).starts
    assert start.point.day == d(0)
    assert (round(start.low, 4), round(start.high, 4)) == (Decimal(low), Decimal(high))
    assert start.until == d(100)


def test_a_start_for_each_rater_and_course():
    responses = [client(0), clinician(20), client(90), clinician(90), client(200), clinician(210)]
    courses = [course(0, 150), course(200)]
    for rater, days in (("client", [0, 200]), ("clinician", [20, 210])):
        found = trend(rater, responses, courses, today=d(300))
        assert [start.point.day for start in found.starts] == [d(day) for day in days]
        assert [start.until for start in found.starts] == [d(150), d(300)]


def test_no_parameters_no_band():
    (start,) = trend("client", [client(0)], [course(0)], today=d(0), table=()).starts
    assert (start.low, start.high) == (None, None)


def test_point_holds_what_was_rated():
    (point,) = trend("client", [client(5, N14)], [course(0)], today=d(5)).points
    assert (point.day, point.mean, point.sum, point.rated, point.response_key) == (
        d(5),
        Decimal(3),
        42,
        14,
        "QuestionnaireResponse/client-5",
    )
