"""What a posted form says: the answers to a scale, a comment, a reason; and what of it can't be kept. Pure."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from werkzeug.datastructures import MultiDict

from imr_fhir.answers import COMMENT_MAX
from imr_fhir.errors import ImrError
from imr_fhir.fhir_time import YEARS
from imr_fhir.provenance import REASON_MAX
from imr_fhir.resource import length, uncarried
from imr_fhir.scale import Scale
from smart_app.store.drafts import COMMENT
from smart_app.store.shown import Shown

# Not a person's words: what proves the form, and which button was pressed.
_OF_THE_PAGE = ("csrf", "do")
_MAX_SENT = 6  # digits


class AnswerError(ImrError):
    """What was posted in ``field`` can't be kept; ``key`` and ``params`` say why in the reader's language."""

    def __init__(self, field: str, key: str, **params: object) -> None:
        super().__init__(f"{field}: {key} {params}")
        self.field = field
        self.key = key
        self.params = params


@dataclass(frozen=True)
class Posted:
    """``values`` as drafts keep them: linkId -> code ("06" -> "06-3"), and ``comment`` where the form has one."""

    values: Mapping[str, str]
    faults: tuple[AnswerError, ...]


def read_answers(form: MultiDict[str, str], scale: Scale) -> Posted:
    """Each answer by itself, so that one which can't be kept takes no other with it.

    A fault is a code of another item, an unknown code, two answers to one item, or a comment that can't be kept.
    """
    values: dict[str, str] = {}
    faults = []
    for item in scale.items:
        codes = form.getlist(item.link_id)
        if len(codes) > 1:
            faults.append(AnswerError(f"item-{item.link_id}", "form.error.two", number=item.number))
        elif codes and codes[0] not in {anchor.code for anchor in item.anchors}:
            faults.append(AnswerError(f"item-{item.link_id}", "form.error.code", number=item.number))
        elif codes:
            values[item.link_id] = codes[0]
    try:
        comment = read_text(form, COMMENT, COMMENT_MAX)
    except AnswerError as error:
        faults.append(error)
    else:
        values |= {} if comment is None else {COMMENT: comment}
    return Posted(values, tuple(faults))


def read_shown(form: Mapping[str, str]) -> Shown:
    """What the page showed that was posted, as its ``shown_fields`` say it; of a page without them nothing."""
    sent, page = form.get("sent", ""), form.get("page", "")
    marks = (each.partition(":") for each in form.get("shown", "").split())
    return Shown(
        marks={item: mark for item, _, mark in marks},
        page=page if page.isascii() and page.isalnum() else "",
        sent=int(sent) if sent.isascii() and sent.isdecimal() and len(sent) <= _MAX_SENT else 0,
    )


def read_reason(form: Mapping[str, str]) -> str:
    """Why a filed answer is corrected or withdrawn. Raises AnswerError where none is given, or it can't be kept."""
    reason = (read_text(form, "reason", REASON_MAX) or "").strip()
    if not reason:
        raise AnswerError("reason", "form.error.reason")
    return reason


def read_text(form: Mapping[str, str], name: str, longest: int) -> str | None:
    """The text field ``name`` with plain newlines, None where the form has none.

    Raises AnswerError where it is too long, or holds a character that FHIR can't carry.
    """
    text = form.get(name)
    if text is None:
        return None
    text = text.replace("\r\n", "\n")
    if (long := length(text)) > longest:
        raise AnswerError(name, "form.error.long", length=long, longest=longest, over=long - longest)
    if place := uncarried(text):
        raise AnswerError(name, "form.error.characters", place=place)
    return text


def read_day(text: str) -> date:
    """A date as a date field gives it. Raises ValueError for any that no record would give back: of a year written with
    two digits a browser makes 0026."""
    day = date.fromisoformat(text)
    if day.year not in YEARS:
        raise ValueError(f"{day.year} is not from {YEARS.start} to {YEARS.stop - 1}")
    return day


def form_name(form: MultiDict[str, str]) -> str:
    """What a form is sealed as: pressed twice it is one filing, gone back to and changed it is another."""
    said = sorted((name, value) for name, value in form.items(multi=True) if name not in _OF_THE_PAGE)
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()
