"""What is worth talking about today, after the patient has answered: a prompt for a conversation, no alarm system.

The instrument asks nothing of suicide or violence: no line here does not mean no risk.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Literal

from imr_fhir.change import parameters_of, sum_change
from imr_fhir.history import listed
from imr_fhir.parameters import PARAMETERS, Parameters
from imr_fhir.response import Response
from imr_fhir.scale import NA, Scale

TalkReason = Literal["relapse-recent", "hospital-recent", "total-down", "item-down", "comment", "stopped-early"]
Since = Literal["first", "previous"]

# Item -> reason, where its lowest answer ("within the last month") is worth a word.
RECENT: dict[int, TalkReason] = {9: "relapse-recent", 10: "hospital-recent"}
RECENT_RATING = 1
# Symptoms, functioning, coping, alcohol, drugs: two steps down since the previous answer.
WATCHED_ITEMS = (6, 7, 11, 14, 15)
DOWN = 2


@dataclass(frozen=True, slots=True)
class TalkPoint:
    """One line; it quotes the answer that caused it, and nothing else."""

    reason: TalkReason
    response_key: str  # of the response it is about
    item: int | None = None  # whose answer it quotes
    rating: int | None = None
    before: int | None = None  # the earlier rating, for "item-down"
    before_form: Scale | None = field(default=None, compare=False, repr=False)  # ... and the version it was given on
    since: tuple[Since, ...] = ()  # for "total-down"


def worth_talking(
    latest: Response,
    history: Iterable[Response],
    *,
    first: Response | None,
    table: Iterable[Parameters] = PARAMETERS,
) -> tuple[TalkPoint, ...]:
    """The points of the client's ``latest`` response, which ``history`` may hold too.

    Nothing once a later client response stands: a point ends at the next rating. ``first`` is the client's First of
    the course (course.first_of). "Previous" is, for the total, the latest complete rating before; for an item, the
    latest before in which it was rated: an attempt broken off hides nothing. Closeness in time, language and version,
    which forbid a statement about change, forbid no prompt. Raises ValueError for a clinician's response.
    """
    if latest.rater != "client":
        raise ValueError("Worth talking about today are the patient's answers; this response is a clinician's.")
    others = [r for r in listed(history) if r.rater == "client" and r.key != latest.key]
    if not listed([latest]) or any(r.measured > latest.measured for r in others):
        return ()
    points = [
        TalkPoint(reason, latest.key, item, RECENT_RATING)
        for item, reason in RECENT.items()
        if latest.ratings.get(item) == RECENT_RATING
    ]
    since = _total_down(
        latest, others, first, parameters_of(replace(latest, questionnaire=latest.form.canonical), table)
    )
    if since:
        points.append(TalkPoint("total-down", latest.key, since=since))
    for item in WATCHED_ITEMS:
        now = latest.ratings.get(item, NA)
        before = next((r for r in reversed(others) if r.ratings.get(item, NA) != NA), None)
        if before and now != NA and before.ratings[item] - now >= DOWN:
            points.append(TalkPoint("item-down", latest.key, item, now, before.ratings[item], before.form))
    if latest.comment.strip():
        points.append(TalkPoint("comment", latest.key))
    if latest.status == "stopped":
        points.append(TalkPoint("stopped-early", latest.key))
    return tuple(points)


def _total_down(
    latest: Response, others: list[Response], first: Response | None, parameters: Parameters | None
) -> tuple[Since, ...]:
    if not latest.complete or parameters is None:
        return ()
    previous = next((response for response in reversed(others) if response.complete), None)
    earlier: tuple[tuple[Since, Response | None], ...] = (("first", first), ("previous", previous))
    return tuple(since for since, response in earlier if response and _beyond(response, latest, parameters))


def _beyond(earlier: Response, latest: Response, parameters: Parameters) -> bool:
    total, count = sum_change(earlier, latest)
    return total < 0 and parameters.exceeded_by(total, count)
