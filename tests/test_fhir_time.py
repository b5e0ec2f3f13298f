"""FHIR's times: what is read, what is refused, how they are written."""

import pickle
from datetime import UTC, date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imr_fhir.errors import ResourceError
from imr_fhir.fhir_time import format_date_time, format_instant, in_zone, last_day, parse_date, parse_date_time

OSLO = timezone(timedelta(hours=2))
INDIA = timezone(timedelta(hours=5, minutes=30))


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-03-31T09:30:00Z", datetime(2026, 3, 31, 9, 30, tzinfo=UTC)),
        ("2026-03-31T09:30:00+02:00", datetime(2026, 3, 31, 9, 30, tzinfo=OSLO)),
        ("2026-03-31T09:30:00.5+05:30", datetime(2026, 3, 31, 9, 30, 0, 500_000, tzinfo=INDIA)),
        ("2026-03-31T09:30:00.123456789Z", datetime(2026, 3, 31, 9, 30, 0, 123_456, tzinfo=UTC)),
        ("2026-06-30T23:59:60Z", datetime(2026, 7, 1, tzinfo=UTC)),
        ("2026-03-31T09:30:00-03:30", datetime(2026, 3, 31, 13, tzinfo=UTC)),
        ("2026-03-31", datetime(2026, 3, 31, 12, tzinfo=UTC)),
    ],
)
def test_a_time_is_read(text: str, moment: datetime) -> None:
    assert parse_date_time(text) == moment


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2026",
        "2026-03",
        "2026-3-31",
        "31.03.2026",
        "2026-02-29",
        "2026-13-01",
        "2026-03-31T",
        "2026-03-31 09:30:00Z",
        "2026-03-31T09:30Z",
        "2026-03-31T09:30:00",
        "2026-03-31T24:00:00Z",
        "2026-03-31T09:60:00Z",
        "2026-03-31T09:30:61Z",
        "2026-03-31T09:30:00+15:00",
        "2026-03-31T09:30:00+14:30",
        "2026-03-31T09:30:00+0200",
        "2026-03-31T09:30:00z",
        "2026-03-31T09:30:00.Z",
        "2026-03-31T09:30:00Z ",
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59-14:00",
        "٢٠٢٦-03-31T09:30:00Z",
        "yesterday",
    ],
)
def test_what_is_no_time_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ResourceError, match="such as 2026-03-31"):
        parse_date_time(text)


@pytest.mark.parametrize(
    ("text", "day"),
    [("2026-03-31", date(2026, 3, 31)), ("2026-03", date(2026, 3, 1)), ("2026", date(2026, 1, 1))],
)
def test_a_partial_date_is_its_first_day(text: str, day: date) -> None:
    assert parse_date(text) == day


@pytest.mark.parametrize("text", ["", "2026-00", "2026-02-30", "2026-03-31T09:30:00Z", "26-03-31", "0000", "1899"])
def test_what_is_no_date_is_refused(text: str) -> None:
    with pytest.raises(ResourceError, match="such as 2026-03-31"):
        parse_date(text)


@pytest.mark.parametrize(
    ("moment", "text"),
    [
        (datetime(2026, 3, 31, 9, 30, tzinfo=OSLO), "2026-03-31T09:30:00+02:00"),
        (datetime(2026, 3, 31, 9, 30, tzinfo=UTC), "2026-03-31T09:30:00+00:00"),
        (datetime(2026, 3, 31, 9, 30, 0, 120_999, tzinfo=UTC), "2026-03-31T09:30:00.120+00:00"),
        (datetime(2026, 3, 31, 9, 30, 0, 999, tzinfo=UTC), "2026-03-31T09:30:00+00:00"),
    ],
)
def test_a_time_is_written_with_its_offset_and_milliseconds_at_most(moment: datetime, text: str) -> None:
    assert format_date_time(moment) == text


def test_a_time_without_a_zone_is_not_written() -> None:
    with pytest.raises(ValueError, match="no time zone"):
        format_date_time(datetime(2026, 3, 31, 9, 30))


@given(st.text(alphabet="0123456789-+:.TZ ", max_size=40) | st.text(max_size=20))
def test_any_text_is_a_time_or_refused(text: str) -> None:
    try:
        moment = parse_date_time(text)
    except ResourceError:
        return
    assert moment.tzinfo is not None
    assert moment.astimezone(UTC) == moment


def test_in_the_night_that_clocks_go_back_times_stay_in_order() -> None:
    zone = ZoneInfo("Europe/Oslo")
    first, second = (in_zone(datetime(2026, 10, 25, *at, tzinfo=UTC), zone) for at in ((0, 50), (1, 10)))
    assert [format_date_time(each) for each in (first, second)] == [
        "2026-10-25T02:50:00+02:00", "2026-10-25T02:10:00+01:00",
    ]  # fmt: skip
    assert first < second
    assert first == datetime(2026, 10, 25, 0, 50, tzinfo=UTC)


@pytest.mark.parametrize("zone", ["Europe/Oslo", "UTC", "Pacific/Auckland", "Pacific/Kiritimati", "Pacific/Pago_Pago"])
@pytest.mark.parametrize("day", ["2026-01-01", "2026-03-29", "2026-10-25"])
def test_a_day_alone_is_that_day_everywhere(day: str, zone: str) -> None:
    there = in_zone(parse_date_time(day), ZoneInfo(zone))
    assert there.replace(tzinfo=None) == datetime.fromisoformat(day) + timedelta(hours=12)
    assert there.utcoffset() == datetime.fromisoformat(f"{day}T12:00").replace(tzinfo=ZoneInfo(zone)).utcoffset()
    assert in_zone(there, ZoneInfo(zone)) == there
    assert in_zone(in_zone(there, ZoneInfo("Pacific/Pago_Pago")), ZoneInfo(zone)) == there, (
        "whoever looks at it between"
    )


@pytest.mark.parametrize("zone", ["Europe/Oslo", "Pacific/Kiritimati", "Pacific/Pago_Pago"])
@pytest.mark.parametrize("day", ["2026-01-01", "2026-03-29", "2026-10-25"])
def test_a_day_alone_is_written_as_it_was_read(day: str, zone: str) -> None:
    read = parse_date_time(day)
    there = in_zone(read, ZoneInfo(zone))
    assert [format_date_time(each) for each in (read, there, pickle.loads(pickle.dumps(there)))] == [day] * 3
    assert parse_date_time(format_instant(there)) == there, "where FHIR wants an instant: its noon"


@pytest.mark.parametrize(
    ("text", "last"),
    [("2026-03-31", date(2026, 3, 31)), ("2026-01", date(2026, 1, 31)), ("2026-11", date(2026, 11, 30)),
     ("2026-12", date(2026, 12, 31)), ("2028-02", date(2028, 2, 29)), ("2026", date(2026, 12, 31)),
     ("2199", date(2199, 12, 31))],
)  # fmt: skip
def test_a_month_or_a_year_is_over_with_its_last_day(text: str, last: date) -> None:
    assert last_day(parse_date(text)) == last
