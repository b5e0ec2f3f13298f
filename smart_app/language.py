"""English and bokmål: which one a request gets, and its messages, dates and numbers.

Messages are asked for by key (``goal.title``), never by their English text, so that a sentence can be bettered in one
language without touching the other. They live in translations/{en,nb}/LC_MESSAGES/messages.po; `make messages` compiles
them. Parameters are written {name}.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache
from gettext import NullTranslations

from babel.core import Locale
from babel.dates import format_date, format_time
from babel.numbers import format_decimal
from flask import Flask, g, request
from flask_babel import Babel, get_locale, get_translations, refresh  # type: ignore[import-untyped]

from imr_fhir.fhir_time import DayAlone, PartialDate

LANGUAGES = {"en": "English", "nb": "Norsk"}  # in its own name, for who can't read the other one
# A Norwegian browser says nb, no or nn; a Norwegian EHR often plain "no" (BCP 47's macrolanguage).
_CODES = {"en": "en", "nb": "nb", "no": "nb", "nn": "nb"}
# Babel's own "long" English is American (November 3, 2026).
_DAY = {"en": "d MMMM y", "nb": "d. MMMM y"}
_SHORT_DAY = {"en": "d MMM y", "nb": "d. MMM y"}
_MONTH = "MMMM y"
_SHORT_MONTH = "MMM y"
_YEAR = "y"
SEPARATOR = " · "


def language_of(tag: str) -> str | None:
    """The language that we have for one BCP 47 tag ("no-NO" gives "nb"), or None."""
    return _CODES.get(tag.strip().replace("_", "-").split("-")[0].lower())


def first_language(tags: Iterable[str]) -> str | None:
    """The first of several tags, best liked first (ui_locales, Accept-Language), that we have."""
    return next((language for tag in tags if (language := language_of(tag))), None)


@dataclass(frozen=True)
class Words:
    """The messages and formats of one language; what presenters are given, so that they need no request."""

    language: str
    catalogue: NullTranslations

    def say(self, key: str, **params: object) -> str:
        """The message ``key`` with its ``{parameters}`` filled in.

        Raises KeyError where the catalogue lacks the key, or the call lacks a parameter: a key is never shown to a
        person.
        """
        message = self._message(key)
        return message.format(**params) if "{" in message else message

    def parts(self, key: str, **params: object) -> tuple[str, ...]:
        """The pieces of a message that is a row of choices, "Talked about · Known already".

        It is split before it is filled in, since a person's words may hold the same mark.
        """
        return tuple(part.format(**params) for part in self._message(key).split(SEPARATOR))

    def day(self, value: date) -> str:
        """ "3 November 2026", "3. november 2026". A datetime gives the day in its own time zone."""
        return self._day(value, _DAY[self.language], _MONTH)

    def short_day(self, value: date) -> str:
        """ "3 Nov 2026", "3. nov. 2026": for tables and rows of choices."""
        return self._day(value, _SHORT_DAY[self.language], _SHORT_MONTH)

    def month(self, value: date) -> str:
        """ "November 2026", "november 2026"."""
        return _formatted(_plain(value), _MONTH, self.language)

    def short_month(self, value: date) -> str:
        """ "Nov 2026", "nov. 2026": beside the axis of a chart."""
        return _formatted(_plain(value), _SHORT_MONTH, self.language)

    def time(self, value: datetime) -> str:
        """ "14:05"."""
        return format_time(value, "HH:mm", tzinfo=value.tzinfo, locale=self.language)

    def moment(self, value: datetime) -> str:
        """ "3 November 2026 14:05", to the minute; a day alone has no time."""
        return self.day(value) if isinstance(value, DayAlone) else f"{self.day(value)} {self.time(value)}"

    def number(self, value: Decimal | int, places: int = 1) -> str:
        """A figure with so many decimals, halves upward: 3.6, in bokmål 3,6. Whole numbers keep no decimals."""
        if isinstance(value, int):
            return str(value)
        rounded = value.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)
        return _decimal(rounded, places, self.language)

    def _day(self, value: date, day: str, month: str) -> str:
        """Of a month or a year no more than the record says."""
        if isinstance(value, PartialDate):
            return _formatted(value, month if value.of_month else _YEAR, self.language)
        return _formatted(_plain(value), day, self.language)

    def _message(self, key: str) -> str:
        message = self.catalogue.gettext(key)
        if message == key:  # gettext answers what it doesn't know with the question
            raise KeyError(f"No message {key!r} in {self.language}. Add it to both messages.po, then `make messages`.")
        return message


def _plain(value: date) -> date:
    return value.date() if isinstance(value, datetime) else value


@lru_cache(maxsize=8192)  # Babel needs 20 µs a date, and a panel of ten years shows the same ones again and again
def _formatted(value: date, pattern: str, language: str) -> str:
    return format_date(value, pattern, locale=language)


@lru_cache(maxsize=2048)
def _decimal(value: Decimal, places: int, language: str) -> str:
    return format_decimal(value, format="0." + "0" * places if places else "0", locale=language)


def words() -> Words:
    """The words of the current request."""
    found: Words | None = g.get("words")
    if found is None:
        locale = get_locale()
        assert isinstance(locale, Locale)  # None only outside a request
        found = g.words = Words(locale.language, get_translations())
    return found


def say(key: str, **params: object) -> str:
    """``Words.say`` of the current request."""
    return words().say(key, **params)


def use_language(language: str) -> None:
    """Give the rest of this request the launch's language ("en" or "nb") instead of the browser's."""
    g.language = language
    g.pop("words", None)
    refresh()


def _from_browser() -> str:
    accepted = (tag for tag, quality in request.accept_languages if quality > 0)
    return first_language(accepted) or "en"


def init_language(app: Flask) -> None:
    """Set ``g.language`` for each request, and give templates ``say`` and the filters day, short_day, month, number."""

    def select() -> str:
        if "language" not in g:
            g.language = _from_browser()
        language: str = g.language
        return language

    Babel(app, locale_selector=select)
    app.before_request(lambda: (select(), None)[1])
    app.add_template_global(say)
    app.add_template_global(lambda key, **params: words().parts(key, **params), "parts")
    app.add_template_filter(lambda value: words().day(value), "day")
    app.add_template_filter(lambda value: words().short_day(value), "short_day")
    app.add_template_filter(lambda value: words().month(value), "month")
    app.add_template_filter(lambda value, places=1: words().number(value, places), "number")
