"""10. Pairs of the two raters: within the pair window (28 days, that day included), in one course, nearest first.

Sorted by distance, then client date, then id, and taken greedily, each response once. Of two by one rater within 28
days, scanned from the latest back, the later complete one counts; the other stays listed, is never First, and is in
no pair. Entered-in-error is ignored. Unpaired stands alone: "not rated in this window".
"""

from dataclasses import replace
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from imr_fhir.course import first_of
from imr_fhir.history import history
from imr_fhir.pairing import Pairing, pairs
from imr_fhir.talk import worth_talking
from tests.spec.build import client, clinician, course, ids, number, stopped, withdrawn

# responses are named by rater and day, pairs by the client's and the clinician's day
CASES = [
    # case, responses, pairs (client clinician), unpaired, superseded
    ("nothing", [], "", "", ""),
    ("same day", [client(0), clinician(0)], "0-0", "", ""),
    ("28 days", [client(0), clinician(28)], "0-28", "", ""),
    ("28 days before", [client(28), clinician(0)], "28-0", "", ""),
    ("29 days", [client(0), clinician(29)], "", "client-0 clinician-29", ""),
    ("one rater only", [client(0), client(90)], "", "client-0 client-90", ""),
    ("the nearer", [client(0), clinician(20), client(30)], "30-20", "client-0", ""),
    # day 100 is as near to both: the earlier client date, though its id comes later
    ("equally near", [client(80), clinician(100), client(120)], "80-100", "client-120", ""),
    ("nearest first", [client(0), clinician(25), client(29), clinician(54)], "29-25", "client-0 clinician-54", ""),
    ("two visits", [client(0), clinician(3), client(90), clinician(88)], "0-3 90-88", "", ""),
    ("one missed", [client(0), clinician(0), client(90), client(180), clinician(180)], "0-0 180-180", "client-90", ""),
    ("stopped, still the answers of that visit", [stopped(0), clinician(1)], "0-1", "", ""),
    # two by one rater
    ("again after 28 days", [client(0), client(28), clinician(0)], "28-0", "", "client-0"),
    ("again after 29 days", [client(0), client(29), clinician(0)], "0-0", "client-29", ""),
    ("again by the clinician", [client(0), clinician(0), clinician(5)], "0-5", "", "clinician-0"),
    ("thrice, from the latest back", [client(0), client(20), client(40)], "", "client-0 client-40", "client-20"),
    ("four times", [client(0), client(20), client(40), client(60)], "", "client-20 client-60", "client-0 client-40"),
    ("each rater for itself", [client(0), clinician(10), client(30)], "0-10", "client-30", ""),
    ("stopped, then whole", [stopped(0), client(3), clinician(0)], "3-0", "", "client-0"),
    # nobody completed the later one: the whole rating counts
    ("whole, then stopped", [client(0), stopped(10), clinician(5)], "0-5", "", "client-10"),
    ("stopped twice: the later", [stopped(0), stopped(10), clinician(0)], "10-0", "", "client-0"),
    ("stopped between two whole ones", [client(0), stopped(20), client(40)], "", "client-0 client-40", "client-20"),
    # status
    ("withdrawn is ignored", [withdrawn(0), client(3), clinician(0)], "3-0", "", ""),
    ("withdrawn pushes nothing out", [client(0), withdrawn(3), clinician(0)], "0-0", "", ""),
    ("only begun is ignored", [client(0, status="in-progress"), clinician(0)], "", "clinician-0", ""),
    ("corrected counts as corrected", [client(0, status="amended"), clinician(0)], "0-0", "", ""),
]  # fmt: skip


def named(found: Pairing) -> tuple[str, str, str]:
    together = [f"{number(pair.client)}-{number(pair.clinician)}" for pair in found.pairs]
    return " ".join(together), ids(found.unpaired), ids(found.superseded)


@pytest.mark.parametrize(("case", "responses", "together", "unpaired", "superseded"), CASES)
def test_pairs(case, responses, together, unpaired, superseded):
    for order in (responses, responses[::-1]):
        assert named(pairs(order, [course(0)])) == (together, unpaired, superseded)


BEFORE_AND_AFTER = [course(0, 101), course(103)]

COURSES = [
    # case, courses, responses, pairs, unpaired
    ("one course", [course(0)], [client(100), clinician(104)], "100-104", ""),
    ("two courses", BEFORE_AND_AFTER, [client(100), clinician(104)], "", "client-100 clinician-104"),
    ("two by one rater in two courses", BEFORE_AND_AFTER, [client(100), client(104)], "", "client-100 client-104"),
    # "not rated in this window" would be untrue of two rated on one day
    ("both outside every course", [course(0, 30)], [client(100), clinician(104)], "100-104", ""),
    ("one of them outside", [course(0, 102)], [client(100), clinician(104)], "", "client-100 clinician-104"),
    ("no course at all", [], [client(100), clinician(104)], "100-104", ""),
]  # fmt: skip


@pytest.mark.parametrize(("case", "courses", "responses", "together", "unpaired"), COURSES)
def test_in_one_course(case, courses, responses, together, unpaired):
    assert named(pairs(responses, courses)) == (together, unpaired, "")


WINDOWS = [(14, 14, "0-14"), (14, 15, ""), (0, 0, "0-0"), (0, 1, ""), (42, 42, "0-42"), (42, 43, "")]


@pytest.mark.parametrize(("window", "day", "together"), WINDOWS)
def test_window_is_configurable(window, day, together):
    assert named(pairs([client(0), clinician(day)], [course(0)], window))[0] == together


def test_the_same_distance_and_client_date_go_by_id():
    responses = [client(0), clinician(-20, id="b"), clinician(20, id="a")]
    assert named(pairs(responses, [course(0)])) == ("0-20", "b", "")


def test_superseded_is_never_first():
    responses = [client(0), client(20), client(90)]
    found = first_of(course(0), responses, "client")
    assert found is not None
    assert found.id == "client-20"


def test_in_the_night_that_clocks_go_back_the_later_one_counts():
    oslo = ZoneInfo("Europe/Oslo")
    before, after = (
        client(0, measured=datetime(2026, 10, 25, *at, tzinfo=UTC), id=name).in_zone(oslo)
        for at, name in (((0, 50), "02:50"), ((1, 10), "02:10"))
    )
    found = history([before, after])
    assert (ids(found.counting), ids(found.superseded)) == ("02:10", "02:50")
    assert worth_talking(replace(after, comment="Taken in tonight"), [before, after], first=None)
