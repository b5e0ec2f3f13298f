"""The chart: a true time axis, lines that break, both starts marked, bands, and figures that cover nothing."""

import re
from itertools import combinations, pairwise

import pytest

from imr_fhir.course import Course
from imr_fhir.response import Response
from imr_fhir.scale import RATERS
from imr_fhir.trend import trend
from smart_app.presenters.line_chart import HEIGHT, WIDTH, Drawing, Label, draw
from tests.presenters.build import pair, words
from tests.spec.build import answers, client, clinician, course, d

Place = tuple[float, float]


def drawing(responses: list[Response], language: str = "en", courses: tuple[Course, ...] = (course(),)) -> Drawing:
    trends = [trend(rater, responses, courses, today=max(r.measured.date() for r in responses)) for rater in RATERS]
    return draw(words(language), trends)


def marks(paths: dict[str, str]) -> dict[str, list[tuple[float, float, float]]]:
    """Each rater's marks: x and y of the middle, and half the width."""
    circles = [
        (float(x) + float(r), float(y), float(r))
        for x, y, r in re.findall(r"M(\S+) (\S+?)a(\S+) ", paths.get("client", ""))
    ]
    tops = re.findall(r"M(\S+) (\S+?)l(\S+) ", paths.get("clinician", ""))
    return {"client": circles, "clinician": [(float(x), float(y) + float(h), float(h)) for x, y, h in tops]}


def all_marks(of: Drawing) -> list[tuple[float, float, float]]:
    found = [marks(dict(of.marks)), marks(dict(of.firsts))]
    return [mark for each in found for rater in RATERS for mark in each[rater]]


def test_time_is_drawn_to_scale() -> None:
    found = marks(dict(drawing([client(0), client(91), client(273)]).marks))["client"]
    start = marks(dict(drawing([client(0), client(91), client(273)]).firsts))["client"]
    xs = [x for x, _, _ in (*start, *found)]
    assert (xs[1] - xs[0]) / (xs[2] - xs[0]) == pytest.approx(91 / 273, abs=0.001)


@pytest.mark.parametrize(
    ("days", "strokes"),
    [
        ((0, 91, 182), "MLL"),  # one line through all
        ((0, 182, 273), "ML"),  # an occasion is missing between the first two
        ((0, 182, 365), ""),  # ... and between all of them
    ],
)
def test_a_line_breaks_where_an_occasion_is_missing(days: tuple[int, ...], strokes: str) -> None:
    line = drawing([client(day) for day in days]).lines.get("client", "")
    assert "".join(re.findall("[ML]", line)) == strokes


def test_where_each_began_is_an_open_mark_and_has_a_band() -> None:
    of = drawing([*pair(0), *pair(91)])
    assert {rater: path.count("M") for rater, path in of.firsts.items()} == {"client": 1, "clinician": 1}
    assert {rater: path.count("M") for rater, path in of.marks.items()} == {"client": 1, "clinician": 1}
    assert set(of.bands) == {"client", "clinician"}


def test_a_band_stays_on_the_scale() -> None:
    of = drawing([client(0, answers(5)), client(91, answers(5))])
    tops = [float(y) for y in re.findall(r"M\S+ (\S+?)H", of.bands["client"])]
    assert tops == [min(marks(dict(of.firsts))["client"][0][1], 22)]


@pytest.mark.parametrize("visits", [1, 2, 4, 13, 40, 120])
@pytest.mark.parametrize("apart", [0, 1, 3])
@pytest.mark.parametrize("language", ["en", "nb"])
def test_figures_and_marks_of_two_raters_never_cover_one_another(visits: int, apart: int, language: str) -> None:
    responses = []
    for visit in range(visits):
        rating = 1 + visit % 5
        responses += [client(91 * visit, answers(rating)), clinician(91 * visit + apart, answers(rating, {1: 3}))]
    of = drawing(responses, language)
    radius = 6.5 if visits < 16 else 3.6
    boxes = [
        (float(v.x) - 5.25 * len(v.text), float(v.y) - 15, float(v.x) + 5.25 * len(v.text), float(v.y) + 3)
        for v in of.values
    ]
    assert not [pair for pair in combinations(boxes, 2) if covers(*pair)]
    assert all(box[0] >= 0 and box[2] <= WIDTH and box[1] >= 0 and box[3] <= HEIGHT for box in boxes)
    edges = [(x - r, y - r, x + r, y + r) for x, y, r in all_marks(of)]
    assert not [(box, edge) for box in boxes for edge in edges if covers(box, edge)]
    both = [marks(dict(paths)) for paths in (of.marks, of.firsts)]
    clients = [mark for each in both for mark in each["client"]]
    clinicians = [mark for each in both for mark in each["clinician"]]
    assert len(clients) == len(clinicians) == visits
    if visits <= 40:
        assert not [
            (a, b) for a in clients for b in clinicians if abs(a[0] - b[0]) < radius and abs(a[1] - b[1]) < radius
        ]


def covers(one: tuple[float, ...], other: tuple[float, ...]) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


@pytest.mark.parametrize(("visits", "named"), [(2, ["Jan 2026", "Apr 2026"]), (12, ["2027", "2028"])])
def test_months_are_named_and_years_where_there_are_many(visits: int, named: list[str]) -> None:
    of = drawing([client(91 * visit) for visit in range(visits)])
    assert [label.text for label in of.times] == named
    assert room_between(of.times)


@pytest.mark.parametrize("visits", [7, 8, 40, 120])
def test_times_below_the_axis_have_room(visits: int) -> None:
    of = drawing([client(91 * visit) for visit in range(visits)])
    assert of.times
    assert room_between(of.times)


def room_between(labels: tuple[Label, ...]) -> bool:
    edges = [(float(label.x) - 5.25 * len(label.text), float(label.x) + 5.25 * len(label.text)) for label in labels]
    return all(one[1] <= other[0] for one, other in pairwise(edges))


def test_the_latest_figures_are_always_there() -> None:
    responses = [each for visit in range(40) for each in pair(91 * visit, answers(3), answers(3))]
    assert [value.text for value in drawing(responses).values][:2] == ["3.0", "3.0"]


def test_two_ratings_a_month_apart_do_not_look_like_a_year() -> None:
    of = drawing([client(0), client(30)])
    left, right = (mark[0] for mark in all_marks(of))
    assert abs(left - right) < WIDTH / 3
    assert d(30).month == 1
