"""13. A course is an EpisodeOfCare, or a row of the hospital's table, or what gaps between responses show.

A gap of over 274 days without a response of either rater begins a new course. First is the earliest complete rating
from 28 days before the course's start, per rater.
"""

from datetime import UTC, timedelta, timezone

import pytest

from imr_fhir.course import CourseRow, Span, course_of, courses, episode_course, first_of, responses_in, row_course
from imr_fhir.errors import ResourceError, WrongPatient
from tests.spec.build import ZONE, client, clinician, course, d, ids, response, stopped, withdrawn

EPISODES = [
    # EpisodeOfCare.status, period.start, period.end -> the course's status; None: no course; ERROR: it says too little
    ("planned", 10, None, "offered"),
    ("planned", None, None, None),
    ("waitlist", 10, None, "offered"),
    ("active", 10, None, "active"),
    ("active", None, None, "ERROR"),
    ("onhold", 10, None, "onhold"),
    ("finished", 10, 300, "finished"),
    ("finished", 10, None, "ERROR"),
    ("cancelled", 10, 100, "left"),
    ("cancelled", 10, None, "ERROR"),
    ("cancelled", None, None, None),  # an offer not taken up
    ("entered-in-error", 10, 20, None),
    ("finished", 20, 10, "ERROR"),
    ("done", 10, 20, "ERROR"),
]


def episode(status, start=10, end=None, **said):
    days = {name: d(number).isoformat() for name, number in (("start", start), ("end", end)) if number is not None}
    return {
        "resourceType": "EpisodeOfCare",
        "id": "e1",
        "status": status,
        "patient": {"reference": "Patient/anna"},
        "managingOrganization": {"reference": "Organization/dps", "display": "Nordre DPS"},
        "period": days,
    } | said


@pytest.mark.parametrize(("status", "start", "end", "expected"), EPISODES)
def test_episode_of_care(status, start, end, expected):
    if expected == "ERROR":
        with pytest.raises(ResourceError, match="EpisodeOfCare/e1"):
            episode_course(episode(status, start, end), patient="anna", zone=ZONE)
        return
    found = episode_course(episode(status, start, end), patient="anna", zone=ZONE)
    assert (found and found.status) == expected
    if found:
        assert (found.start, found.end) == (d(start), None if end is None else d(end))
        assert (found.unit, found.source) == ("Organization/dps", "episode")


def test_episode_history_and_other_patient():
    past = [
        {"status": "planned", "period": {"start": d(1).isoformat(), "end": d(9).isoformat()}},
        {"status": "onhold", "period": {"start": d(100).isoformat(), "end": d(160).isoformat()}},
        {"status": "onhold", "period": {"start": d(200).isoformat()}},
    ]
    found = episode_course(episode("onhold", statusHistory=past), patient="anna", zone=ZONE)
    assert found is not None
    assert found.offered == d(1)
    assert found.on_hold == (Span(d(100), d(160)), Span(d(200), None))
    with pytest.raises(WrongPatient):
        episode_course(episode("active"), patient="berit", zone=ZONE)


MIDNIGHT = [
    # period.start as the EHR gives it, the site's offset in hours, the course's first day
    ("2026-06-01", 2, "2026-06-01"),
    ("2026-06-01T00:00:00+02:00", 2, "2026-06-01"),
    ("2026-05-31T22:00:00Z", 2, "2026-06-01"),  # the same moment, as a server that keeps UTC gives it back
    ("2026-06-01", -8, "2026-06-01"),
]


@pytest.mark.parametrize(("given", "hours", "day"), MIDNIGHT)
def test_days_are_those_of_the_site(given, hours, day):
    found = episode_course(
        episode("active", period={"start": given}), patient="anna", zone=timezone(timedelta(hours=hours))
    )
    assert found is not None
    assert found.start.isoformat() == day


PARTIAL = [
    # period as an EHR may give it -> the course's first and last day
    ({"start": "2026-05-10", "end": "2026-05"}, "2026-05-10", "2026-05-31"),
    ({"start": "2026-05-10", "end": "2026"}, "2026-05-10", "2026-12-31"),
    ({"start": "2025-11", "end": "2026-02"}, "2025-11-01", "2026-02-28"),
]


@pytest.mark.parametrize(("period", "first", "last"), PARTIAL)
def test_a_month_or_a_year_that_a_course_ends_with_belongs_to_it(period, first, last):
    past = [{"status": "onhold", "period": period}]
    found = episode_course(episode("finished", period=period, statusHistory=past), patient="anna", zone=ZONE)
    assert found is not None
    assert (found.start.isoformat(), found.end.isoformat()) == (first, last)
    assert found.on_hold == (Span(found.start, found.end),)


ROWS = [
    # offered, start, end, reason -> status
    (0, None, None, "", None),
    (0, 10, None, "", "active"),
    (None, 10, 300, "completed", "finished"),
    (None, 10, 300, "moved", "ended"),
    (None, 10, 300, "died", "ended"),
    (None, 10, 300, "did not want any more", "left"),
    (None, 10, 300, "", "ended"),  # nothing is said of the end: it is not called leaving
    (None, 10, 5, "completed", "ERROR"),
]


@pytest.mark.parametrize(("offered", "start", "end", "reason", "status"), ROWS)
def test_row_of_the_table(offered, start, end, reason, status):
    day = [None if number is None else d(number) for number in (offered, start, end)]
    row = CourseRow("anna", "Nordre DPS", *day, reason)
    if status == "ERROR":
        with pytest.raises(ResourceError, match="before it starts"):
            row_course(row)
        return
    found = row_course(row)
    assert (found and found.status) == status
    if found:
        assert (found.offered, found.start, found.end, found.reason) == (*day, reason)
        assert (found.unit, found.source) == ("Nordre DPS", "table")


SOURCES = [
    # episodes, table, source of the courses
    ([course(0)], [], "episode"),
    ([], [course(0, source="table")], "table"),
    ([course(0)], [course(0, source="table")], "episode"),
    ([], [], "gap"),
]


@pytest.mark.parametrize(("episodes", "table", "source"), SOURCES)
def test_source(episodes, table, source):
    found = courses(episodes, [client(0)], table, today=d(0))
    assert [c.source for c in found] == [source]


GAPS = [
    # case, responses, today, courses as (start, end)
    ("none", [], 0, []),
    ("one rating", [client(0)], 0, [(0, None)]),
    ("274 days", [client(0), client(274)], 274, [(0, None)]),
    ("275 days", [client(0), client(275)], 275, [(0, 0), (275, None)]),
    ("one missed occasion", [client(0), client(90), client(270)], 270, [(0, None)]),
    ("the other rater fills it", [client(0), clinician(200), client(400)], 400, [(0, None)]),
    ("a stopped one fills it", [client(0), stopped(200), client(400)], 400, [(0, None)]),
    ("a withdrawn one does not", [client(0), withdrawn(200), client(400)], 400, [(0, 0), (400, None)]),
    ("silent for 274 days", [client(0), client(90)], 364, [(0, None)]),
    ("silent for longer: it has ended", [client(0), client(90)], 365, [(0, 90)]),
    ("three", [client(0), client(300), client(390), client(700)], 700, [(0, 0), (300, 390), (700, None)]),
]  # fmt: skip


@pytest.mark.parametrize(("case", "responses", "today", "expected"), GAPS)
def test_gaps_between_responses(case, responses, today, expected):
    found = courses([], reversed(responses), today=d(today))
    assert [(c.start, c.end) for c in found] == [(d(s), None if e is None else d(e)) for s, e in expected]
    assert [c.status for c in found] == ["active" if end is None else "ended" for _, end in expected]
    assert all(c.source == "gap" for c in found)


FIRSTS = [
    # case, responses (course from day 100 to 400), First of the client
    ("none", [], None),
    ("28 days before its start", [client(72), client(190)], "client-72"),
    ("29 days before", [client(71), client(190)], "client-190"),
    ("earliest, not nearest", [client(102), client(140)], "client-102"),
    ("stopped is no First", [stopped(100), client(190)], "client-190"),
    ("an answer missing is no First", [client(100, {1: 3}), client(190)], "client-190"),
    ("withdrawn is no First", [withdrawn(100), client(190)], "client-190"),
    ("corrected is one", [client(100, status="amended"), client(190)], "client-100"),
    ("the other rater's is not", [clinician(100), client(190)], "client-190"),
    ("two within 28 days: the later", [client(90), client(101), client(190)], "client-101"),
    ("after its end", [client(401)], None),
    ("its last day", [client(400)], "client-400"),
]


@pytest.mark.parametrize(("case", "responses", "first"), FIRSTS)
def test_first(case, responses, first):
    found = first_of(course(100, 400), reversed(responses), "client")
    assert (found and found.id) == first


BELONGS = [
    # day of the rating, courses as (start, end), start of its course
    (50, [(0, 100), (110, None)], 0),
    (100, [(0, 100), (110, None)], 0),  # still running, though within 28 days before the next
    (105, [(0, 100), (110, None)], 110),
    (120, [(0, 100), (110, None)], 110),
    (115, [(0, 120), (110, None)], 110),  # two run at once (a transfer): the one begun last
    (75, [(0, 60), (110, None)], None),
    (-28, [(0, None)], 0),
    (-29, [(0, None)], None),
]


@pytest.mark.parametrize(("day", "spans", "start"), BELONGS)
def test_course_of_a_rating(day, spans, start):
    found = course_of(response(day), [course(s, e) for s, e in spans])
    assert (found and found.start) == (None if start is None else d(start))


def test_a_rating_just_before_a_start_is_in_both_courses():
    # The last of the old course and, from 28 days before its start, the First of the new one.
    responses = [client(0), client(95), client(200)]
    assert ids(responses_in(course(0, 100), responses)) == "client-0 client-95"
    assert ids(responses_in(course(110), responses)) == "client-95 client-200"


def test_zone_of_a_response_is_its_own():
    # 00:30 on day 100 here is day 99 in UTC: a reader puts responses into the site's zone before asking.
    late = client(0).measured.replace(hour=0, minute=30) + timedelta(days=100)
    assert course_of(client(0, measured=late), [course(0, 99)]) is None
    assert course_of(client(0, measured=late.astimezone(UTC)), [course(0, 99)]) is not None
