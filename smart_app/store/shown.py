"""What a page showed when it was made, so that it writes only what its person changed on it. Pure.

Several pages may be open on one draft, each with the whole form: an untouched field of an older one is no answer. Of
one page the requests may overtake each other: each is numbered, and an older one writes over no newer one.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True, slots=True)
class Answer:
    """``value`` is a code, or the comment's text; empty where it was taken back. ``page`` wrote it last, by its
    request number ``sent``; "" where no page did."""

    value: str = field(repr=False)
    version: int
    page: str = ""
    sent: int = 0


_NONE = Answer("", 0)


@dataclass(frozen=True, slots=True)
class Shown:
    """``marks``: item to ``mark`` of the answer that the page showed; ``sent`` rises with each request of ``page``."""

    marks: Mapping[str, str]
    page: str
    sent: int = 0

    @property
    def text(self) -> str:
        """``marks`` as a page carries them."""
        return " ".join(f"{item}:{each}" for item, each in self.marks.items())


@dataclass(frozen=True, slots=True)
class Changes:
    """``answers`` as they are to be kept; ``changed`` are those of them whose value is another than before. ``clashes``
    (item to value) were changed on this page and, otherwise, on another."""

    answers: Mapping[str, Answer]
    changed: Mapping[str, str] = field(repr=False)
    clashes: Mapping[str, str] = field(repr=False)


def given_back(text: str) -> str:
    """``text`` as text areas give it back that nobody touched: a browser knows one end of line, and takes one at the
    very beginning for its own (HTML, 13.2.6.4.7), on each page anew, so that none there says anything."""
    return text.replace("\r\n", "\n").replace("\r", "\n").lstrip("\n")


def mark(value: str) -> str:
    """Stands for an answer in a page, which would else hold a long comment twice; "" for none."""
    return hashlib.sha256(given_back(value).encode()).hexdigest()[:16] if value else ""


def showing(answers: Mapping[str, Answer]) -> Shown:
    """Of a new page that shows ``answers``."""
    return Shown({item: mark(given.value) for item, given in answers.items() if given.value}, secrets.token_hex(8))


def changes(values: Mapping[str, str], there: Mapping[str, Answer], shown: Shown | None) -> Changes:
    """What becomes of ``values``, posted by a page that showed ``shown``, where the draft has ``there`` by now. Without
    ``shown`` (no page) all are written."""
    answers, changed, clashes = {}, {}, {}
    page, sent = (shown.page, shown.sent) if shown else ("", 0)
    for item, posted in values.items():
        before = there.get(item, _NONE)
        value = before.value if given_back(posted) == given_back(before.value) else posted
        become = _become(value, before, shown.marks.get(item, ""), page, sent) if shown else "written"
        if become == "clash":
            clashes[item] = value
        elif become == "written" and value != before.value:
            changed[item] = value
            answers[item] = Answer(value, before.version + 1, page, sent)
        elif become == "written" and sent:  # an earlier request of this page may be under way, and is overtaken too
            answers[item] = Answer(value, max(before.version, 1), page, sent)
    return Changes(answers, changed, clashes)


def unseen(there: Mapping[str, Answer], shown: Shown) -> bool:
    """Whether the draft has ``there`` what neither stood on the page that showed ``shown`` nor came from it."""
    return any(
        given.value and given.page != shown.page and mark(given.value) != shown.marks.get(item, "")
        for item, given in there.items()
    )


def _become(value: str, before: Answer, shown: str, page: str, sent: int) -> Literal["written", "left", "clash"]:
    if before.page == page:
        return "left" if sent < before.sent else "written"
    if value == before.value:
        return "written"
    if mark(value) == shown:
        return "left"  # nobody touched it on this page
    return "written" if mark(before.value) == shown else "clash"
