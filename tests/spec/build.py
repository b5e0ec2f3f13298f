"""Short words for the tables: answers, responses on numbered days, courses.

Day 0 is 1 January 2026; ``on=28`` is four weeks later. All times are noon, an hour east of Greenwich.
"""

from collections.abc import Iterable, Mapping
from datetime import date, datetime, time, timedelta, timezone
from typing import Any

from imr_fhir.course import Course
from imr_fhir.response import Response
from imr_fhir.scale import ITEM_COUNT, Rater

DAY_0 = date(2026, 1, 1)
ZONE = timezone(timedelta(hours=1))


def d(number: int) -> date:
    """Day ``number``, counted from 1 January 2026."""
    return DAY_0 + timedelta(days=number)


def answers(
    rating: int = 3, changed: Mapping[int, int] | None = None, *, without: Iterable[int] = ()
) -> dict[int, int]:
    """All 15 items at ``rating``, except those ``changed``, and ``without`` those not answered."""
    ratings = dict.fromkeys(range(1, ITEM_COUNT + 1), rating) | dict(changed or {})
    return {item: value for item, value in ratings.items() if item not in set(without)}


def sum_of(total: int) -> dict[int, int]:
    """15 answers with this sum (15 to 75), items 9 and 10 at 3 and the others as level as can be."""
    low, more = divmod(total - 6, ITEM_COUNT - 2)
    others = [item for item in range(1, ITEM_COUNT + 1) if item not in (9, 10)]
    return answers(3) | {item: low + (place < more) for place, item in enumerate(others)}


def response(
    on: int, ratings: Mapping[int, int] | None = None, rater: Rater = "client", status: str = "completed", **said: Any
) -> Response:
    """A response of day ``on``; all items at 3 unless said. Its id is the rater and the day: "client-28"."""
    when = datetime.combine(d(on), time(12), ZONE)
    fields: dict[str, Any] = {
        "comment": "",
        "identifier": "",
        "id": f"{rater}-{on}",
        "version_id": "1",
        "patient": "anna",
        "source": "Patient/anna" if rater == "client" else "Practitioner/berg",
        "author": "Patient/anna" if rater == "client" else "Practitioner/berg",
        "encounter": "",
        "measured": when,
        "authored": when,
        "language": "en",
        "questionnaire": f"https://w3id.org/imr-fhir/Questionnaire/imr-{rater}|0.1.0",
    }
    return Response(rater=rater, status=status, ratings=answers() if ratings is None else ratings, **fields | said)


def client(on: int, ratings: Mapping[int, int] | None = None, **said: Any) -> Response:
    return response(on, ratings, "client", **said)


def clinician(on: int, ratings: Mapping[int, int] | None = None, **said: Any) -> Response:
    return response(on, ratings, "clinician", **said)


def stopped(on: int, rater: Rater = "client", ratings: Mapping[int, int] | None = None) -> Response:
    """Ended early, after item 6 unless said."""
    return response(on, answers(without=range(7, 16)) if ratings is None else ratings, rater, status="stopped")


def withdrawn(on: int) -> Response:
    """The client's, entered in error."""
    return client(on, status="entered-in-error")


def course(start: int = 0, end: int | None = None, **said: Any) -> Course:
    fields = {"status": "active" if end is None else "finished", "unit": "Organization/dps", "source": "episode"}
    return Course(start=d(start), end=None if end is None else d(end), **fields | said)


def number(of: Response) -> int:
    """The number of its day."""
    return (of.measured.date() - DAY_0).days


def ids(responses: Iterable[Response]) -> str:
    """How the tables name responses: client-0 clinician-3."""
    return " ".join(found.id for found in responses)
