"""18. Worth talking about today: a prompt at hand-back, no alarm system. Each line quotes the answer that caused it.

Item 9 = 1; item 10 = 1; the client total down beyond T since first or previous; item 6, 7, 11, 14 or 15 down by 2 or
more since previous; any comment; stopped early. It ends at the next rating.
"""

from dataclasses import replace

import pytest

from imr_fhir.score_reading import not_filed
from imr_fhir.score_shape import score_urn
from imr_fhir.talk import TalkPoint, worth_talking
from tests.spec.build import answers, client, clinician, stopped, sum_of, withdrawn

ALONE = [
    # case, the latest response, points
    ("nothing", client(90), ""),
    ("relapse within the last month", client(90, answers(3, {9: 1})), "relapse-recent 9"),
    ("relapse two to three months ago", client(90, answers(3, {9: 2})), ""),
    ("hospital within the last month", client(90, answers(3, {10: 1})), "hospital-recent 10"),
    ("hospital two to three months ago", client(90, answers(3, {10: 2})), ""),
    ("low answers with nothing before them", client(90, answers(1, {9: 2, 10: 2})), ""),
    ("a comment", client(90, comment="I sleep badly."), "comment"),
    ("an empty comment", client(90, comment=" \n"), ""),
    ("stopped early", stopped(90), "stopped-early"),
    ("stopped early, with answers", stopped(90, ratings={9: 1}), "relapse-recent 9, stopped-early"),
    ("all at once", client(90, answers(3, {9: 1, 10: 1}), comment="x", status="stopped"),
     "relapse-recent 9, hospital-recent 10, comment, stopped-early"),
    ("withdrawn: nothing", client(90, answers(3, {9: 1}), status="entered-in-error"), ""),
    ("corrected", client(90, answers(3, {9: 1}), status="amended"), "relapse-recent 9"),
]  # fmt: skip


def lines(found):
    return ", ".join(f"{p.reason} {p.item}" if p.item else p.reason for p in found)


@pytest.mark.parametrize(("case", "latest", "points"), ALONE)
def test_of_the_latest_alone(case, latest, points):
    found = worth_talking(latest, [latest], first=latest)
    assert lines(found) == points
    assert all(point.response_key == "QuestionnaireResponse/client-90" for point in found)


# Item by item since the previous answer: from 5 in all of them
DOWN = [(item, 2, "item-down" if item in (6, 7, 11, 14, 15) else "") for item in range(1, 16)] + [
    (6, 1, ""),
    (6, 3, "item-down"),
    (14, 4, "item-down"),
]


@pytest.mark.parametrize(("item", "steps", "reason"), DOWN)
def test_item_down(item, steps, reason):
    previous, latest = client(0, answers(5)), client(90, answers(5, {item: 5 - steps}))
    found = worth_talking(latest, [previous, latest], first=previous)
    assert found == ((TalkPoint("item-down", latest.key, item, 5 - steps, before=5),) if reason else ())


PREVIOUS = [
    # case, history, rating of item 6 now, its rating before (None: no line)
    ("since previous, not since first", [client(0, answers(3, {6: 5})), client(90)], 3, None),
    ("up since first, down since previous", [client(0, answers(3, {6: 1})), client(90, answers(3, {6: 5}))], 3, 5),
    ("the previous was stopped before item 6", [client(0, answers(3, {6: 5})), stopped(90, ratings={1: 3})], 3, 5),
    ("the previous was stopped after item 6", [client(0, answers(3, {6: 5})), stopped(90, ratings={6: 3})], 3, None),
    # under 28 days nothing is said of change; that is no reason not to talk
    ("a week before", [client(173, answers(3, {6: 5}))], 3, 5),
    ("in another language", [client(90, answers(3, {6: 5}), language="nb")], 3, 5),
    ("a withdrawn one is none", [client(90, answers(3, {6: 5}), status="entered-in-error")], 3, None),
    ("the clinician's is none", [clinician(90, answers(3, {6: 5}))], 3, None),
]  # fmt: skip


@pytest.mark.parametrize(("case", "history", "now", "before"), PREVIOUS)
def test_previous(case, history, now, before):
    found = worth_talking(client(180, answers(3, {6: now})), history, first=None)
    assert [point.before for point in found] == ([] if before is None else [before])


TOTAL = [
    # case, sums (first, ..., previous), the latest, down since
    ("12 down since both", (60,), 48, ("first", "previous")),
    ("11 down: within T", (60,), 49, ()),
    ("12 down since first only", (60, 50), 48, ("first",)),
    ("12 down since previous only", (50, 60), 48, ("previous",)),
    ("12 up", (48,), 60, ()),
    ("down since neither of the two", (50, 70, 50), 48, ()),
]


@pytest.mark.parametrize(("case", "before", "now", "since"), TOTAL)
def test_total_down(case, before, now, since):
    history = [client(90 * place, sum_of(total)) for place, total in enumerate(before)]
    found = worth_talking(client(900, sum_of(now)), history, first=history[0])
    assert [point.since for point in found if point.reason == "total-down"] == ([since] if since else [])


def test_total_of_the_items_rated_both_times():
    # 14 items: the limit is 10.3; 5 points of the plain difference are item 13, which nobody rated down
    before = client(0, answers(4, {13: 5}))
    for down, points in ((10, 0), (11, 1)):
        now = answers(4, dict.fromkeys((1, 2, 3, 4, 5, 6, 7, 8, 11, 12, 14)[:down], 3) | {13: 0})
        found = worth_talking(client(90, now), [before], first=before)
        assert len([point for point in found if point.reason == "total-down"]) == points


def test_total_needs_two_whole_ratings_and_parameters():
    before, now = client(0, answers(5)), client(90, answers(4))
    assert lines(worth_talking(now, [before], first=before)) == "total-down"
    assert worth_talking(now, [before], first=before, table=()) == ()
    assert lines(worth_talking(stopped(90, ratings=answers(4)), [before], first=before)) == "stopped-early"
    halfway = stopped(0, ratings=answers(5))
    assert worth_talking(now, [halfway], first=None) == ()


ENDS = [
    # case, what came after day 90, points of day 90
    ("nothing", [], 1),
    ("the client's next rating", [client(180)], 0),
    ("stopped early", [stopped(180)], 0),
    ("withdrawn", [withdrawn(180)], 1),
    ("the clinician's rating", [clinician(91)], 1),  # the patient's words still wait to be talked about
]


@pytest.mark.parametrize(("case", "after", "points"), ENDS)
def test_ends_at_the_next_rating(case, after, points):
    latest = client(90, answers(3, {9: 1}))
    assert len(worth_talking(latest, [client(0), latest, *after], first=None)) == points


URN = "urn:uuid:6f1c1f6a-3b1b-4a6e-9a53-2a4b9b0c6a11"
WAITING = client(90, answers(3, {6: 3}), identifier=URN, id="")

FILED = [
    # case, the rating that waits as the record has it already, ratings that count
    ("not yet", None, 2),
    ("as a form", replace(WAITING, id="7"), 2),
    ("as a score alone", replace(WAITING, id="7", identifier=score_urn(URN), kept="components"), 2),
    ("another", client(60, answers(3, {6: 5})), 3),
]


@pytest.mark.parametrize(("case", "there", "count"), FILED)
def test_a_rating_that_waits_and_is_in_the_record_already_is_not_its_own_previous(case, there, count):
    filed = [client(0, answers(3, {6: 5})), *([there] if there else [])]
    history = [*filed, *not_filed([WAITING], filed)]
    assert len(history) == count
    assert [point.before for point in worth_talking(history[-1], history, first=None)] == [5]


def test_not_of_the_clinician():
    with pytest.raises(ValueError, match="clinician's"):
        worth_talking(clinician(0), [], first=None)
