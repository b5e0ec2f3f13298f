"""Change between two ratings of one rater: what can be said of the score, and which answers moved."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from decimal import ROUND_HALF_UP, Decimal
from typing import Literal

from imr_fhir.element import plain_reference, type_and_id
from imr_fhir.history import History, days_apart, history
from imr_fhir.parameters import PARAMETERS, Parameters, parameters_for
from imr_fhir.response import Response
from imr_fhir.scale import ITEM_COUNT
from imr_fhir.scoring import rated_items

Flag = Literal["higher", "lower", "within"]
Reason = Literal[
    "one_rating",
    "incomplete",
    "too_close",
    "version_unknown",
    "version_changed",
    "language_unknown",
    "language_changed",
    "rater_changed",
    "no_parameters",
]
MoveKind = Literal["moved", "calendar", "goal", "choice", "band"]

CALENDAR_ITEMS = (9, 10)  # time since relapse and hospital stay: rise with the calendar alone
HARD_TIME = 2  # a first rating of item 9 or 10 at most this: a relapse or stay within the last three months
CLOSEST_DAYS = 28  # under four weeks between two ratings nothing is said of change

GOAL_ITEM = 1
GOAL_FINISHED = 5  # "A personal goal and have finished it"
NO_GOAL = 1  # "No personal goals"

CLINICIANS = ("Practitioner", "PractitionerRole")  # a ward's log-in or a device is not known to be one person

_STORED = Decimal("0.01")

# How an item's move is read: no item of these says that somebody got better or worse.
MOVE_KINDS: dict[int, MoveKind] = {
    9: "calendar",  # time since, whatever a person does
    10: "calendar",
    3: "choice",  # a person's own choice: neutral
    12: "choice",
    13: "choice",
    4: "band",  # anchors are bands of contacts or hours: quote the band, never a difference
    5: "band",
}


@dataclass(frozen=True, slots=True)
class CannotSay:
    reason: Reason
    missing: int = 0  # questions without an answer, where the reason is "incomplete"


@dataclass(frozen=True, slots=True)
class Change:
    items: tuple[int, ...]  # rated both times: 15 or 14
    sum_change: int  # over these items
    mean_change: Decimal  # of these items' mean, two decimals
    flag: Flag
    items14: bool  # the items differ: say "on the 14 questions rated both times"
    calendar: int  # share of sum_change that is time since relapse and hospital stay
    calendar_phrase: bool  # without that share it would be within measurement uncertainty
    hard_time: bool  # the first rating was close to a hard time: some rise is to be expected
    also_before: bool  # the rating before was flagged the same way
    parameters: Parameters
    first: Response
    last: Response


@dataclass(frozen=True, slots=True)
class Move:
    item: int
    before: int  # 1..5 or NA
    after: int
    kind: MoveKind


def change(
    responses: Iterable[Response], *, first: Response | None, table: Iterable[Parameters] = PARAMETERS
) -> Change | CannotSay:
    """What can be said of change from ``first`` to the latest of ``responses``.

    ``responses`` are one rater's in one course, in any order (course.responses_in); ``first`` is the course's First
    (course.first_of), None where nothing is complete yet. The one flag of a rater: previous to latest has none, since
    several comparisons would flag by chance. Raises ValueError for responses of both raters.
    """
    responses, table = tuple(responses), tuple(table)
    if len({response.rater for response in responses}) > 1:
        raise ValueError("Change is worked out between ratings of one rater; these are of both.")
    sorted_out = history(responses)
    if first is None:
        return _nothing_complete(sorted_out)
    ratings = [response for response in sorted_out.counting if response.measured >= first.measured]
    if not ratings or ratings[-1] == first:
        # An earlier rating that is listed but does not count is a reason of its own: two are there to see.
        close = any(r.complete and days_apart(r, first) < CLOSEST_DAYS for r in sorted_out.superseded)
        return CannotSay("too_close" if close else "one_rating")
    found = _compare(first, ratings[-1], table)
    before = _compare(first, ratings[-2], table) if len(ratings) > 1 and ratings[-2] != first else None
    if isinstance(found, Change) and isinstance(before, Change) and found.flag == before.flag != "within":
        return replace(found, also_before=True)
    return found


def moves(before: Response, after: Response, *, goal_achieved: bool = False) -> tuple[Move, ...]:
    """The items whose answer differs between two responses of one rater, by number; those answered once are left out.

    ``goal_achieved`` says that a recovery goal was achieved between the two. Then, or where the first answer to item
    1 says so itself, a fall there is of kind "goal": finished a goal, began a new one. An answer "no personal goals"
    has begun none, and is a plain move.
    """
    return tuple(
        Move(item, before.ratings[item], after.ratings[item], _kind(item, before, after, goal_achieved))
        for item in sorted(before.ratings.keys() & after.ratings.keys())
        if before.ratings[item] != after.ratings[item]
    )


def sum_change(before: Response, after: Response) -> tuple[int, int]:
    """Change of the sum over the items rated both times, and how many these are."""
    items = _both(before, after)
    return sum(after.ratings[item] - before.ratings[item] for item in items), len(items)


def parameters_of(response: Response, table: Iterable[Parameters] = PARAMETERS) -> Parameters | None:
    """The row for this response's rater, version and language; None where there is none."""
    version = response.questionnaire.partition("|")[2]
    return parameters_for(response.rater, version, response.language, table)


def _nothing_complete(sorted_out: History) -> CannotSay:
    last = sorted_out.counting[-1] if sorted_out.counting else None
    if last is None or last.complete or len(sorted_out.counting) + len(sorted_out.superseded) == 1:
        return CannotSay("one_rating")
    return _incomplete(last)


def _compare(first: Response, last: Response, table: Iterable[Parameters]) -> Change | CannotSay:
    """First to last, without what the ratings between them say. The first reason that holds is the one given."""
    for response in (last, first):
        if not response.complete:
            return _incomplete(response)
    if days_apart(first, last) < CLOSEST_DAYS:
        return CannotSay("too_close")
    if not (first.questionnaire and last.questionnaire):  # what is not known is not known to be the same
        return CannotSay("version_unknown")
    if first.questionnaire != last.questionnaire:
        return CannotSay("version_changed")
    if not (first.language and last.language):
        return CannotSay("language_unknown")
    if first.language != last.language:
        return CannotSay("language_changed")
    if last.rater == "clinician" and not _same_clinician(first, last):
        return CannotSay("rater_changed")
    parameters = parameters_of(last, table)
    if parameters is None:
        return CannotSay("no_parameters")
    total, count = sum_change(first, last)
    calendar = sum(last.ratings[item] - first.ratings[item] for item in CALENDAR_ITEMS)
    flagged = parameters.exceeded_by(total, count)
    return Change(
        items=_both(first, last),
        sum_change=total,
        mean_change=(Decimal(total) / count).quantize(_STORED, ROUND_HALF_UP),
        flag="within" if not flagged else "higher" if total > 0 else "lower",
        items14=rated_items(first.ratings) != rated_items(last.ratings),
        calendar=calendar,
        # The same limit, T·|I| with all items: leaving two out must not lower it.
        calendar_phrase=flagged and not parameters.exceeded_by(total - calendar, count),
        hard_time=any(first.ratings[item] <= HARD_TIME for item in CALENDAR_ITEMS),
        also_before=False,
        parameters=parameters,
        first=first,
        last=last,
    )


def _both(one: Response, other: Response) -> tuple[int, ...]:
    return tuple(sorted(rated_items(one.ratings) & rated_items(other.ratings)))


def _same_clinician(one: Response, other: Response) -> bool:
    """Whether both are known to be by one clinician: who answered, or who recorded where an EHR kept no source."""
    by, by_other = (plain_reference(response.source or response.author) for response in (one, other))
    return by == by_other and type_and_id(by)[0] in CLINICIANS


def _incomplete(response: Response) -> CannotSay:
    return CannotSay("incomplete", missing=ITEM_COUNT - len(response.ratings))


def _kind(item: int, before: Response, after: Response, goal_achieved: bool) -> MoveKind:
    then, now = before.ratings[item], after.ratings[item]
    if item == GOAL_ITEM and NO_GOAL < now < then and (goal_achieved or then == GOAL_FINISHED):
        return "goal"
    return MOVE_KINDS.get(item, "moved")
