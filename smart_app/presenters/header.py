"""Who the page is about: on every page, so that two charts in two tabs are never taken for one another."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from smart_app.language import Words


@dataclass(frozen=True, slots=True)
class Header:
    name: str
    born: str  # "born 12 March 1986 · 40 years", "" where the record has no birth date
    organization: str  # "Seen today in: ..."
    lid: str  # "" on the patient's own pages: no language switch, print or log-out there


def header(
    words: Words, *, name: str, birth_date: date | None, organization: str, today: date, lid: str = ""
) -> Header:
    """The header of a page about the patient ``name``, seen on the day ``today`` in the site's time zone."""
    born = ""
    if birth_date is not None:
        born = words.say("header.born", date=words.day(birth_date), n=age(birth_date, today))
    return Header(
        name=name or words.say("header.unnamed"),
        born=born,
        organization=words.say("header.organization", org=organization) if organization else "",
        lid=lid,
    )


def called(name: str) -> str:
    """What a page calls the person: "Eva" of "Eva Berg" and of "Berg, Eva"."""
    _, comma, given = name.partition(",")
    return ((given if comma else name).split() or [""])[0]


def addressed(words: Words, name: str) -> str:
    """The same, also where the record has no name."""
    return called(name) or words.say("header.unnamed")


def age(birth_date: date, today: date) -> int:
    """Whole years. Somebody born on 29 February has a birthday on 1 March in other years."""
    return today.year - birth_date.year - ((today.month, today.day) < (birth_date.month, birth_date.day))
