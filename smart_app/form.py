"""The scales on one page in an open launch: the clinician's own rating, and the patient's typed as it is said.

A form's address is its draft's, so that pressing save twice, reloading and going back find the filing that it became.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from flask import Blueprint, abort, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from imr_fhir.scale import RATERS, Rater
from smart_app import correction, keeping
from smart_app.access import with_launch
from smart_app.answering import AnswerError, read_shown
from smart_app.auditing import audit
from smart_app.drafting import begin_draft, form_of, is_earlier, ratings_in, ratings_of, seal_draft
from smart_app.keeping import Kept, not_in, said
from smart_app.language import say, words
from smart_app.open_launch import Launch
from smart_app.presenters.differences import Conflict, Said, differences
from smart_app.saving import begin, plan_of, sent
from smart_app.scale_page import Page, missing, new_page
from smart_app.seen_first import seen_first
from smart_app.state import now, state
from smart_app.store.drafts import COMMENT, Draft
from smart_app.store.errors import DraftSealed, StaleDraft
from smart_app.store.shown import unseen

form = Blueprint("form", __name__, url_prefix="/l/<lid>")
form.add_url_rule("/response/<response_id>/correct", "correct", correction.begin_correction, methods=["POST"])
form.add_url_rule("/response/<response_id>/withdraw", "withdraw", correction.withdraw_rating, methods=["GET", "POST"])


@form.post("/form/<rater>/start")
@with_launch("clinician")
def start(launch: Launch, rater: str) -> Response:
    """Begins a rating, or goes on with the one that is open."""
    wanted = _rater(launch, rater)
    owner = launch.record.owner
    draft = begin_draft(state().store, owner, wanted, language=launch.language, now=now())
    return redirect(_page_of(launch, draft), 303)


def _page_of(launch: Launch, draft: Draft) -> str:
    return url_for("earlier.show" if is_earlier(draft) else "form.show", lid=launch.id, did=draft.id)


@form.get("/draft/<did>")
@with_launch("clinician")
def show(launch: Launch, did: str) -> Any:
    draft = state().store.drafts.get(did, launch.record.owner)
    if draft.state != "open" or is_earlier(draft):
        return redirect(_after(launch, draft), 303)
    # What is shown from here on is what was answered, but for what the patient has answered already.
    answered = bool(draft.about) or (draft.handed_over and not draft.empty)
    if not answered and draft.language != launch.language:
        draft = state().store.drafts.set_language(did, launch.record.owner, launch.language, now())
    draft = seen_first(launch, draft)
    audit("view", launch, resources=(draft.identifier,), purpose="seen before rating" if draft.seen_by else "")
    return _shown(_page(launch, draft))


@form.post("/draft/<did>")
@with_launch("clinician")
def answer(launch: Launch, did: str) -> Any:
    """What came is kept first, then done what was pressed; what can't be kept is shown as it was typed."""
    drafts, owner, do = state().store.drafts, launch.record.owner, request.form.get("do", "")
    try:
        kept = keeping.keep(did, owner)
        if kept.faults:
            return _again(launch, kept)
        done = _done(launch, kept.draft, do)
    except StaleDraft:
        stale = AnswerError("items", "form.error.stale")
        return _again(launch, Kept(drafts.get(did, owner), (stale,)), status=409)
    except DraftSealed:
        return _sealed_before(launch, drafts.get(did, owner))
    if done is not None:
        return done
    anchor = do.removeprefix("keep-") if do.startswith("keep-") else ""
    return redirect(url_for("form.show", lid=launch.id, did=did, _anchor=f"item-{anchor}" if anchor else None), 303)


def _done(launch: Launch, draft: Draft, do: str) -> Any:
    """What was pressed; None where the form goes on. Raises StaleDraft, DraftSealed."""
    if is_earlier(draft):  # its page was open while the app was brought up to date
        return redirect(_after(launch, draft), 303)
    try:
        if do in ("complete", "stop"):
            return _complete(launch, draft, stopped=do == "stop")
    except AnswerError as error:
        return _again(launch, Kept(draft, (error,)))
    if do == "rebase" and (conflict := correction.rebase(launch, draft)):
        return _shown(conflict)
    if do == "discard" and unseen(draft.answers, read_shown(request.form)):
        return _again(launch, Kept(draft, (AnswerError("items", "form.error.discard"),)), status=409)
    if do == "discard" or (do == "later" and not draft.codes and not draft.comment):
        with state().store.writing():
            state().store.drafts.discard(draft, launch.record.owner)
            audit("discard", launch, resources=(draft.identifier,))
    return redirect(url_for("panel.show", lid=launch.id), 303) if do in ("later", "discard") else None


@form.post("/draft/<did>/keep")
@with_launch("clinician")
def keep(launch: Launch, did: str) -> tuple[str, int]:
    """For the script: one answer or the comment, as it is given. 204 means that it is kept."""
    try:
        kept = keeping.keep(did, launch.record.owner)
    except DraftSealed:
        return say("form.error.sent"), 409
    return said(kept)


def _rater(launch: Launch, rater: str) -> Rater:
    """The clinician scale's wording awaits a check: a site says whether it is used."""
    found = next((each for each in RATERS if each == rater), None)
    if found is None or (found == "clinician" and not launch.site.allow_unverified_clinician_scale):
        abort(404)
    return found


def _complete(launch: Launch, draft: Draft, *, stopped: bool) -> Any:
    """Raises AnswerError, StaleDraft."""
    if draft.about:
        outcome = correction.complete(launch, draft)
        return outcome if isinstance(outcome, Response) else _shown(outcome, 400)
    if missing(draft) and not stopped:
        return _shown(replace(new_page(launch, draft), missing=missing(draft)), 400)
    if not draft.codes and not draft.comment.strip():
        raise AnswerError("items", "form.error.empty")
    if draft.rater in plan_of(launch).edited:
        raise AnswerError("items", "form.edited")
    act = begin(launch)
    return sent(launch, seal_draft(state().store, act, launch.record.owner, draft, author=act.session.clinician))


def _page(launch: Launch, draft: Draft) -> Page | Conflict:
    return correction.look(launch, draft) if draft.about else new_page(launch, draft)


def _again(launch: Launch, kept: Kept, status: int = 0) -> tuple[str, int]:
    """The page with what stands in the way, and all that was typed."""
    page = _page(launch, kept.draft)
    if isinstance(page, Page):
        page = replace(
            page,
            errors={fault.field: say(fault.key, **fault.params) for fault in kept.faults},
            ratings=kept.ratings,
            comment=kept.comment,
            reason=request.form.get("reason", ""),
        )
    return _shown(page, status or kept.status)


def _shown(page: Page | Conflict, status: int = 200) -> tuple[str, int]:
    if isinstance(page, Conflict):
        return render_template("form/conflict.html", page=page), 409
    return render_template("form/scale.html", page=page), status


def _after(launch: Launch, draft: Draft) -> str:
    """Where a draft is read that takes no more answers."""
    if draft.state != "sealed":
        return url_for("earlier.show", lid=launch.id, did=draft.id)
    filing = state().store.filings.of_draft(draft.id, launch.record.owner)
    if filing is None:
        abort(404)
    return url_for("filing.show", lid=launch.id, fid=filing.id)


def _sealed_before(launch: Launch, draft: Draft) -> Any:
    """Saved twice: the same answers lead to the same receipt, others are shown beside what was saved or set aside."""
    _, changed = not_in(draft)
    if not changed:
        return redirect(_after(launch, draft), 303)
    mine = {item: given.value for item, given in draft.answers.items()} | changed
    aside = draft.state == "aside"
    conflict = Conflict(
        lead=say("earlier.aside" if aside else "form.error.sent"),
        there=say("conflict.aside" if aside else "conflict.saved"),
        differences=differences(
            words(),
            form_of(draft),
            Said(ratings_of(draft), draft.comment),
            Said(ratings_in(mine), mine.get(COMMENT, "")),
        ),
        post_to="",
        onward=_after(launch, draft),
        onward_label=say("earlier.look" if aside else "conflict.receipt"),
    )
    return _shown(conflict)
