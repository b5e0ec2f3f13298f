"""A posted page of a scale is kept: what its person changed on it, unless that was changed on another page too."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from flask import request

from imr_fhir.scoring import rating_of
from smart_app.answering import AnswerError, read_answers, read_shown
from smart_app.drafting import form_of, ratings_in, ratings_of
from smart_app.language import say
from smart_app.state import now, state
from smart_app.store.drafts import COMMENT, Draft
from smart_app.store.errors import StaleAnswer
from smart_app.store.owner import Owner
from smart_app.store.shown import changes


@dataclass(frozen=True)
class Kept:
    """The draft as it is now. ``faults`` say what of the page is not in it, ``clashes`` (item to value) is what was
    changed on another page too."""

    draft: Draft
    faults: tuple[AnswerError, ...] = ()
    clashes: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def status(self) -> int:
        return 409 if self.clashes else 400

    @property
    def ratings(self) -> dict[int, int]:
        """For the page to be shown again: with what was chosen on it."""
        return ratings_of(self.draft) | ratings_in(self.clashes)

    @property
    def comment(self) -> str:
        at_fault = any(fault.field == COMMENT for fault in self.faults)
        return request.form.get(COMMENT, "") if at_fault else self.draft.comment


def keep(draft_id: str, owner: Owner) -> Kept:
    """Raises DraftSealed, NoAccess."""
    drafts = state().store.drafts
    posted = read_answers(request.form, form_of(drafts.get(draft_id, owner)))
    try:
        draft = drafts.set_answers(draft_id, owner, posted.values, now(), read_shown(request.form))
    except StaleAnswer as stale:
        draft = drafts.get(draft_id, owner)
        clashes = tuple(_clash(draft, item) for item in stale.values)
        return Kept(draft, (*posted.faults, *clashes), stale.values)
    return Kept(draft, posted.faults)


def said(kept: Kept) -> tuple[str, int]:
    """To the script: 204, or the first of what stands in the way."""
    if not kept.faults:
        return "", 204
    return say(kept.faults[0].key, **kept.faults[0].params), kept.status


def not_in(draft: Draft) -> tuple[tuple[AnswerError, ...], dict[str, str]]:
    """What of the posted page can't be kept; and what was changed on it and is not in ``draft`` (item to value)."""
    posted = read_answers(request.form, form_of(draft))
    found = changes(posted.values, draft.answers, read_shown(request.form))
    return posted.faults, {**found.changed, **found.clashes}


def _clash(draft: Draft, item: str) -> AnswerError:
    if item == COMMENT:
        return AnswerError(COMMENT, "form.error.changed.comment", there=draft.comment or say("items.no_answer"))
    number, rating = rating_of(draft.answers[item].value)
    there = form_of(draft).item(number).anchor(rating).text.in_(draft.language)
    return AnswerError(f"item-{item}", "form.error.changed", number=number, there=there)
