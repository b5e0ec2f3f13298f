"""Both languages: which one a request gets, messages by key, dates and numbers as people write them."""

import re
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from string import Formatter

import pytest
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from flask import Flask, g

from imr_fhir.fhir_time import parse_date
from smart_app.language import first_language, init_language, language_of, say, use_language, words
from tests.presenters.build import words as spoken

TRANSLATIONS = Path("smart_app/translations")
PHRASES = Path("tests/spec/phrases.md")

# What no screen says of a person's answers, in the stems of both languages; nor arrows, which point somewhere.
JUDGING = r"improv|deteriorat|worsen|respond(er|ed)|significan|forbedr|forverr|signifikan|[←-⇿➔-➾↗↘▲▼]"


def messages(language: str) -> dict[str, str]:
    with (TRANSLATIONS / language / "LC_MESSAGES/messages.po").open("rb") as file:
        return {str(message.id): str(message.string) for message in read_po(file) if message.id}


def parameters(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name is not None}


def phrases() -> list[tuple[str, str, str]]:
    rows = [line.strip("| \n").split(" | ") for line in PHRASES.read_text(encoding="utf-8").splitlines()]
    return [(row[0], row[1], row[2]) for row in rows if len(row) == 3 and row[0] not in ("key", "---")]


def test_both_catalogues_have_the_same_keys_and_parameters() -> None:
    english, bokmal = messages("en"), messages("nb")
    assert english.keys() == bokmal.keys()
    assert {key for key in english if parameters(english[key]) != parameters(bokmal[key])} == set()
    assert {key for key in english if not english[key] or not bokmal[key]} == set()
    assert {key for key in english if english[key].count(" · ") != bokmal[key].count(" · ")} == set()


@pytest.mark.parametrize("language", ["en", "nb"])
def test_what_is_compiled_is_what_is_written(language: str, tmp_path: Path) -> None:
    folder = TRANSLATIONS / language / "LC_MESSAGES"
    with (folder / "messages.po").open("rb") as written, (tmp_path / "fresh.mo").open("wb") as fresh:
        write_mo(fresh, read_po(written))
    assert (folder / "messages.mo").read_bytes() == (tmp_path / "fresh.mo").read_bytes(), "run `make messages`"


@pytest.mark.parametrize("language", ["en", "nb"])
def test_nothing_judges_a_change(language: str) -> None:
    assert {key: text for key, text in messages(language).items() if re.search(JUDGING, text, re.IGNORECASE)} == {}


@pytest.mark.parametrize(("key", "english", "bokmal"), phrases(), ids=lambda value: value[:24])
def test_the_clinical_phrases_stand_to_the_letter(key: str, english: str, bokmal: str) -> None:
    assert (messages("en")[key], messages("nb")[key]) == (english, bokmal)


def test_every_key_that_is_asked_for_exists() -> None:
    """Keys that are put together from parts are seen by the tests of what they say."""
    asked = re.compile(r"""\b(?:say|parts)\(\s*["']([^"'{~]+)["']\s*[,)]""")
    files = [
        *Path("smart_app").glob("*.py"),
        *Path("smart_app/presenters").glob("*.py"),
        *Path("smart_app/templates").rglob("*.html"),
    ]
    missing = {key for file in files for key in asked.findall(file.read_text(encoding="utf-8"))} - messages("en").keys()
    assert missing == set()


@pytest.mark.parametrize(
    ("tag", "language"),
    [("nb-NO", "nb"), ("no", "nb"), ("nn_NO", "nb"), ("NB", "nb"), ("en-GB", "en"), ("da", None), ("", None)],
)
def test_a_language_tag_is_one_that_we_have_or_none(tag: str, language: str | None) -> None:
    assert language_of(tag) == language


def test_the_best_liked_language_that_we_have_counts() -> None:
    assert first_language(["se", "no", "en"]) == "nb"
    assert first_language(["fi"]) is None


@pytest.fixture
def app() -> Flask:
    made = Flask("smart_app")
    init_language(made)
    made.add_url_rule("/", "page", lambda: f"{g.language} {say('gap.dates')}")
    return made


@pytest.mark.parametrize(
    ("accepts", "says"),
    [
        ("nn-NO,nn;q=0.9,en;q=0.5", "nb Finn datoen sammen"),
        ("sv,en;q=0.5,nb;q=0.4", "en Look up the date together"),
        ("nb;q=0,de", "en Look up the date together"),
        ("", "en Look up the date together"),
    ],
)
def test_a_page_is_in_the_browsers_language(app: Flask, accepts: str, says: str) -> None:
    assert app.test_client().get("/", headers={"Accept-Language": accepts}).text == says


def test_a_launch_has_a_language_of_its_own(app: Flask) -> None:
    with app.test_request_context(headers={"Accept-Language": "en"}):
        assert say("gap.dates") == "Look up the date together"
        use_language("nb")
        assert (g.language, say("gap.dates"), words().language) == ("nb", "Finn datoen sammen", "nb")


def test_a_missing_key_or_parameter_is_an_error_and_never_shown() -> None:
    with pytest.raises(KeyError, match=r"no\.such\.key"):
        spoken().say("no.such.key")
    with pytest.raises(KeyError, match="month"):
        spoken().say("change.up")


def test_a_persons_words_are_never_read_as_a_message() -> None:
    assert spoken().say("today.quote", text="{0.__class__} {x}") == "“{0.__class__} {x}”"
    assert spoken().parts("today.taps", when="a · b") == ("Talked about", "Will follow up (a · b)", "Known already")


@pytest.mark.parametrize(
    ("language", "day", "short", "month", "short_month"),
    [
        ("en", "3 November 2026", "3 Nov 2026", "November 2026", "Nov 2026"),
        ("nb", "3. november 2026", "3. nov. 2026", "november 2026", "nov. 2026"),
    ],
)
def test_dates_are_written_as_people_write_them(
    language: str, day: str, short: str, month: str, short_month: str
) -> None:
    when = date(2026, 11, 3)
    say = spoken(language)
    assert (say.day(when), say.short_day(when), say.month(when), say.short_month(when)) == (
        day,
        short,
        month,
        short_month,
    )


@pytest.mark.parametrize(
    ("language", "text", "day", "short"),
    [
        ("en", "2026-11", "November 2026", "Nov 2026"),
        ("nb", "2026-11", "november 2026", "nov. 2026"),
        ("en", "2026", "2026", "2026"),
        ("nb", "2026", "2026", "2026"),
    ],
)
def test_a_date_that_names_no_day_is_told_as_it_is(language: str, text: str, day: str, short: str) -> None:
    when, say = parse_date(text), spoken(language)
    assert (say.day(when), say.short_day(when)) == (day, short)


def test_a_time_is_told_by_its_own_clock() -> None:
    late = datetime(2026, 11, 3, 23, 30, tzinfo=timezone(timedelta(hours=1)))
    assert (spoken().day(late), spoken().time(late)) == ("3 November 2026", "23:30")
    assert spoken().time(late.astimezone(UTC)) == "22:30"


@pytest.mark.parametrize(
    ("value", "places", "english", "bokmal"),
    [
        (Decimal("3.6"), 1, "3.6", "3,6"),
        (Decimal("3"), 1, "3.0", "3,0"),
        (Decimal("3.25"), 1, "3.3", "3,3"),
        (Decimal("0.73671"), 4, "0.7367", "0,7367"),
        (50, 1, "50", "50"),
    ],
)
def test_numbers_have_the_languages_own_mark(value: Decimal | int, places: int, english: str, bokmal: str) -> None:
    assert (spoken("en").number(value, places), spoken("nb").number(value, places)) == (english, bokmal)
