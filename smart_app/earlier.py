"""Answers that can't be handed in as they are: on a version of the form that is no longer in use, for a record that was
merged into this one, or set aside. They are read and printed, and a new form is begun with what a person confirms.

Nothing is carried over by itself: weeks may lie between, and an answer to other words is no answer to these. Whoever
gave an answer says whether it holds; for what a patient answered alone that is the patient, at the next hand-over.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from smart_app.access import with_launch
from smart_app.alone import may_answer
from smart_app.auditing import audit
from smart_app.drafting import begin_anew, begin_draft, is_earlier
from smart_app.earlier_page import EarlierAnswers, earlier_answers
from smart_app.filing_page import places
from smart_app.language import say, words
from smart_app.open_launch import Launch
from smart_app.presenters.header import addressed
from smart_app.saving import begin, plan_of
from smart_app.seen_first import is_blind
from smart_app.state import now, state
from smart_app.store.drafts import Draft
from smart_app.store.errors import NoAccess, StaleDraft

earlier = Blueprint("earlier", __name__, url_prefix="/l/<lid>/earlier")


@dataclass(frozen=True)
class Page:
    """``why_not``: why no new form is begun with these answers, "" where it is or was."""

    lid: str
    name: str
    of: EarlierAnswers
    post_to: str
    blind: bool
    may_give: bool
    may_begin: bool
    why_not: str
    next_url: str
    next_label: str


def kept_for(launch: Launch, opened: Iterable[Draft]) -> tuple[Draft, ...]:
    """Those of this user that hold anything, in this record, whose open ones are given, and in those that were merged
    into it."""
    drafts, own = state().store.drafts, launch.record.owner
    here = (*(each for each in opened if is_earlier(each)), *drafts.aside_for(own))
    merged = [each for of, _ in places(launch)[1:] for each in (*drafts.open_for(of), *drafts.aside_for(of))]
    return tuple(each for each in (*here, *merged) if not each.empty)


@earlier.get("/<did>")
@with_launch("clinician", "patient")
def show(launch: Launch, did: str) -> Any:
    draft = _find(launch, did)
    if not _is_kept(launch, draft):
        return redirect(_form(launch, draft), 303)
    page = _page(launch, draft)
    audit("view", launch, resources=() if page.blind else (draft.identifier,), purpose="earlier answers")
    return render_template("form/earlier.html", page=page)


@earlier.post("/<did>")
@with_launch("clinician", "patient")
def act(launch: Launch, did: str) -> Response:
    """Opens what a patient answered alone, which is noted; or begins a new form with what is ticked."""
    draft = _find(launch, did)
    page = _page(launch, draft) if _is_kept(launch, draft) else None
    if page and page.blind and request.form.get("do") == "open":
        _open(launch, draft)
    elif page and page.may_begin:
        with suppress(StaleDraft):
            draft = begin_anew(
                state().store,
                draft,
                launch.record.owner,
                request.form.getlist("keep"),
                language=launch.language,
                now=now(),
            )
    return redirect(url_for("earlier.show", lid=launch.id, did=draft.id), 303)


def _find(launch: Launch, did: str) -> Draft:
    """Raises NoAccess."""
    for owner, _ in places(launch):
        with suppress(NoAccess):
            return state().store.drafts.get(did, owner)
    raise NoAccess


def _is_merged(launch: Launch, draft: Draft) -> bool:
    return draft.owner != launch.record.owner


def _is_kept(launch: Launch, draft: Draft) -> bool:
    if draft.state == "sealed" and _is_merged(launch, draft):
        raise NoAccess  # what became of it is its filing, which is found with the filings
    return draft.state == "aside" or is_earlier(draft) or _is_merged(launch, draft)


def _form(launch: Launch, draft: Draft) -> str:
    """Where it takes answers, or what became of it."""
    page = "alone.start" if launch.role == "patient" else "form.show"
    return url_for(page, lid=launch.id, did=draft.id)


def _page(launch: Launch, draft: Draft) -> Page:
    blind, merged = is_blind(launch, draft), _is_merged(launch, draft)
    may_begin, why_not = _may_begin(launch, draft, blind=blind)
    patient = launch.role == "patient"
    until = draft.expires.astimezone(launch.site.zone)
    return Page(
        lid=launch.id,
        name=addressed(words(), launch.patient_name),
        of=earlier_answers(words(), draft, until, merged=merged),
        post_to=url_for("earlier.act", lid=launch.id, did=draft.id),
        blind=blind,
        may_give=blind and is_earlier(draft) and not merged,
        may_begin=may_begin,
        why_not=why_not,
        next_url=url_for("own.home" if patient else "panel.show", lid=launch.id),
        next_label=say("own.back" if patient else "page.to_panel"),
    )


def _may_begin(launch: Launch, draft: Draft, *, blind: bool) -> tuple[bool, str]:
    """Whether a new form may be begun with it, and why not where that needs saying."""
    if draft.state != "open" or blind:
        return False, ""
    if draft.about:
        return False, say("earlier.correction")
    if draft.rater in plan_of(launch).edited:
        return False, say("form.edited")
    on = draft.rater == "client" or launch.site.allow_unverified_clinician_scale
    if not on or (launch.role == "patient" and not may_answer(launch)):
        return False, say("earlier.not_taken")
    there = state().store.drafts.find(launch.record.owner, draft.rater)
    if there and there.id != draft.id and not there.empty:
        return False, say("earlier.open_already")
    return True, ""


def _open(launch: Launch, draft: Draft) -> None:
    """Also remembered with the form that the patient answers next: that is compared with the clinician's then."""
    drafts, by = state().store.drafts, begin(launch).session.clinician
    audit("view", launch, resources=(draft.identifier,), purpose="seen before rating")
    with state().store.writing():
        drafts.set_seen(draft.id, draft.owner, by, now())
        here = begin_draft(state().store, launch.record.owner, "client", language=launch.language, now=now())
        drafts.set_seen(here.id, here.owner, here.seen_by or by, now())
