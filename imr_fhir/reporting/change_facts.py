"""Change from first to last, and from first to a year later, as a row a course and rater."""

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal

from imr_fhir.change import CannotSay, Change, change
from imr_fhir.course import Course
from imr_fhir.due import add_months
from imr_fhir.history import day, history
from imr_fhir.reporting.fact_rows import ChangeFact
from imr_fhir.response import Response
from imr_fhir.scale import Rater

YEAR_LATER = timedelta(days=42)  # a rating at 12 months is one from 6 weeks before to 6 weeks after


def change_fact(
    number: int, course: Course, rater: Rater, within: Sequence[Response], first: Response | None
) -> ChangeFact:
    own = [response for response in within if response.rater == rater]
    said = change(own, first=first)
    later = _at_a_year(own, first)
    about = (number, course.unit, course.start, rater)
    year = (None, None, None) if later is None else (len(later.items), later.sum_change, later.calendar)
    if isinstance(said, CannotSay):
        return ChangeFact(*about, said.reason, None, None, None, "", "", "", *year)
    narrow, wide = said.parameters.band
    return ChangeFact(
        *about, "", len(said.items), said.sum_change, said.calendar,
        said.flag, _flag(said, narrow), _flag(said, wide), *year,
    )  # fmt: skip


def _flag(change: Change, threshold: Decimal) -> str:
    """As `Parameters.exceeded_by`, at another threshold of the mean."""
    if abs(change.sum_change) <= threshold * len(change.items):
        return "within"
    return "higher" if change.sum_change > 0 else "lower"


def _at_a_year(own: Sequence[Response], first: Response | None) -> Change | None:
    """The change from ``first`` to the complete rating nearest to 12 months after it, where they can be compared."""
    if first is None:
        return None
    wanted = add_months(day(first), 12)
    near = [r for r in history(own).counting if r.complete and abs(day(r) - wanted) <= YEAR_LATER]
    if not near:
        return None
    found = change([first, min(near, key=lambda r: abs(day(r) - wanted))], first=first)
    return found if isinstance(found, Change) else None
