"""FHIR's date, dateTime and instant (R4, datatypes): strict to read, one way to write."""

import re
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo

from imr_fhir.errors import ResourceError

# Outside these years there is no rating, goal or visit; inside them no arithmetic on times can overflow.
YEARS = range(1900, 2200)

_NOON = time(12)
_DATE = re.compile(r"(\d{4})(?:-(\d\d)(?:-(\d\d))?)?", re.ASCII)
_TIME = re.compile(
    r"T([01]\d|2[0-3]):([0-5]\d):([0-5]\d|60)(?:\.(\d{1,18}))?(?:(Z)|([+-])(0\d|1[0-4]):([0-5]\d))", re.ASCII
)


class PartialDate(date):
    """A FHIR date that ends at the month or the year ("2026-05", "2026"): its first day where one is reckoned with."""

    of_month: bool  # not of a year

    @property
    def last(self) -> date:
        month = self.month if self.of_month else 12
        return date(self.year + month // 12, month % 12 + 1, 1) - timedelta(days=1)


class DayAlone(datetime):
    """A FHIR dateTime that names no time ("2026-03-31"): noon UTC, until ``in_zone`` makes it the noon of a place.

    It is written as it was read. Python keeps the type through ``replace`` and ``astimezone``: only ``in_zone`` leaves
    it on its day.
    """


def last_day(day: date) -> date:
    """The day by which all of ``day`` is over: of a month or a year its last, else itself."""
    return day.last if isinstance(day, PartialDate) else day


def parse_date(text: str) -> date:
    """A FHIR date; one that ends at the month or the year is a PartialDate. Raises ResourceError."""
    found = _DATE.fullmatch(text)
    if not found:
        raise _fault(text, "a date", "2026-03-31")
    day = _day(found, text)
    if found[3]:
        return day
    partial = PartialDate(day.year, day.month, day.day)
    partial.of_month = bool(found[2])
    return partial


def parse_date_time(text: str) -> datetime:
    """A FHIR dateTime or instant as an aware datetime, to the microsecond. Raises ResourceError.

    A date alone is a DayAlone: ``in_zone`` leaves it on its day, also where noon UTC is tomorrow. A month or a year
    alone is refused: it does not say on which day.
    """
    found = _DATE.match(text)
    if not found or not found[3]:
        raise _fault(text, "a time", "2026-03-31T09:30:00+02:00")
    day = _day(found, text)
    rest = text[found.end() :]
    if not rest:
        return DayAlone.combine(day, _NOON, UTC)
    time = _TIME.fullmatch(rest)
    if not time or (time[7] == "14" and time[8] != "00"):
        raise _fault(text, "a time with a time zone", "2026-03-31T09:30:00+02:00")
    if time[3] == "60":  # a leap second is the first of the next minute
        return datetime.fromisoformat(f"{text[:16]}:59{text[19:]}") + timedelta(seconds=1)
    return datetime.fromisoformat(text)


def in_zone(moment: datetime, zone: tzinfo) -> datetime:
    """``moment`` by the clock of ``zone``, with the offset of then; of a day alone its noon there.

    Python compares two times of one ZoneInfo by the clock on the wall, and in the night in which it goes back 02:50 is
    twenty minutes before 02:10; with offsets they compare as instants.
    """
    there = DayAlone.combine(moment, _NOON, zone) if isinstance(moment, DayAlone) else moment.astimezone(zone)
    return there.replace(tzinfo=timezone(there.utcoffset() or timedelta()), fold=0)


def format_date_time(moment: datetime) -> str:
    """A dateTime: ``moment`` as ``format_instant`` has it; a day alone as that."""
    return moment.date().isoformat() if isinstance(moment, DayAlone) else format_instant(moment)


def format_instant(moment: datetime) -> str:
    """``moment`` (aware) with its offset, to the second, or to the millisecond where it has any.

    Finer digits are cut off: servers keep milliseconds at best. Raises ValueError for a moment without a time zone.
    """
    if moment.tzinfo is None:
        raise ValueError(f"{moment.isoformat()} has no time zone")
    return moment.isoformat(timespec="milliseconds" if moment.microsecond >= 1000 else "seconds")


def _day(found: re.Match[str], text: str) -> date:
    year, month, day = int(found[1]), int(found[2] or 1), int(found[3] or 1)
    if year not in YEARS:
        raise _fault(text, f"a year from {YEARS.start} to {YEARS.stop - 1}", "2026-03-31")
    try:
        return date(year, month, day)
    except ValueError as fault:
        raise _fault(text, "a day of the calendar", "2026-03-31") from fault


def _fault(text: str, what: str, example: str) -> ResourceError:
    return ResourceError(f"{text[:40]!r} is not {what}, such as {example}.", next_step="Correct it in the record.")
