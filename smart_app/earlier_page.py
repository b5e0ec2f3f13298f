"""Answers of a draft that takes no more of them, as they were asked, and which of them may be confirmed for a new one.

No module of ``imr_fhir.ehr`` is imported here (import-linter holds this): the patient's pages show it too.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from imr_fhir.scale import Scale, scale_of
from smart_app.drafting import form_of, same_items
from smart_app.language import Words
from smart_app.presenters.scales import unverified
from smart_app.store.drafts import COMMENT, Draft


@dataclass(frozen=True)
class KeptAnswer:
    """``item`` is its linkId, or the comment's; ``same``: asked in the same words now, so that it may be confirmed."""

    item: str
    question: str
    text: str
    same: bool


@dataclass(frozen=True)
class EarlierAnswers:
    """``unknown``: nobody here knows the words of that version any more."""

    title: str
    why: str
    kept: str
    marks: tuple[str, ...]
    answers: tuple[KeptAnswer, ...]
    unknown: bool


def earlier_answers(words: Words, draft: Draft, until: datetime, *, merged: bool = False) -> EarlierAnswers:
    """``until``: by the clock of the site. ``merged``: begun in a record that was merged into this one."""
    kind = "aside" if draft.state == "aside" else "merged" if merged else "version"
    form, same = scale_of(draft.questionnaire), same_items(draft)
    given = [_answer(words, form, item, code, same) for item, code in sorted(draft.codes.items())]
    if draft.comment.strip():
        given.append(KeptAnswer(COMMENT, words.say("form.comment.asked"), draft.comment, same=True))
    translated = (words.say("form.translation"),) if words.language != "en" else ()
    return EarlierAnswers(
        title=words.say(f"earlier.{kind}.title"),
        why=words.say(f"earlier.{kind}"),
        kept=words.say("earlier.kept", date=words.day(until)),
        marks=(*unverified(words, form_of(draft)), *translated),
        answers=tuple(given),
        unknown=form is None,
    )


def _answer(words: Words, form: Scale | None, item: str, code: str, same: frozenset[str]) -> KeptAnswer:
    question = next((each for each in form.items if each.link_id == item), None) if form else None
    anchor = next((each for each in question.anchors if each.code == code), None) if question else None
    number, _, rating = code.partition("-")
    if question is None or anchor is None:
        asked = words.say("earlier.question", number=number.removeprefix("0"))
        return KeptAnswer(item, asked, words.say("earlier.answer", code=rating), same=False)
    asked = f"{question.number}. {question.prompt.in_(words.language)}"
    return KeptAnswer(item, asked, anchor.text.in_(words.language), same=item in same)
