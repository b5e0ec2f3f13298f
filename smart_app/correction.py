"""What was filed, changed or withdrawn with a reason: ids and the measurement's time stay, nothing is deleted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from flask import redirect, render_template, request, url_for
from werkzeug.wrappers import Response as WebResponse

from imr_fhir import response
from imr_fhir.bundle import Part
from imr_fhir.document_reading import rating_in, superseded_document, withdrawn_document
from imr_fhir.ehr.address import local_reference
from imr_fhir.ehr.attachment import with_data
from imr_fhir.ehr.client import FhirClient
from imr_fhir.ehr.scores import rating_at, score_of
from imr_fhir.errors import BadReply, Forbidden, Invalid, NotFound
from imr_fhir.history import LISTED
from imr_fhir.rating_update import kept
from imr_fhir.response import Response
from imr_fhir.score_reading import as_response
from smart_app.access import with_launch
from smart_app.answering import AnswerError, form_name, read_reason
from smart_app.auditing import audit
from smart_app.charting import read, read_with
from smart_app.drafting import codes_of, form_of, ratings_of
from smart_app.language import say, words
from smart_app.open_launch import Launch
from smart_app.presenters.differences import Conflict, Said, differences
from smart_app.presenters.plan_lines import changes, marks_replaced, reason_label, withdrawal_lines, withdraws
from smart_app.rungs import placed, rating_parts
from smart_app.saving import begin, plan_of, save, saved_before
from smart_app.scale_page import Page, correction_page, missing, title
from smart_app.sealing import Act, answers, told, urn
from smart_app.seen_first import seen_before_correcting, seen_beside
from smart_app.site_codes import figure_codes
from smart_app.state import now, state
from smart_app.store.drafts import COMMENT, Draft
from smart_app.store.shown import given_back, showing
from smart_app.user_name import name_of


@with_launch("clinician")
def begin_correction(launch: Launch, response_id: str) -> WebResponse:
    """Begins a correction, or goes on with the one that is open, also where the record has a newer version now."""
    return begun(launch, response_id)


def begun(launch: Launch, response_id: str, mine: Response | None = None) -> WebResponse:
    """The same; a new one begins with ``mine``, answers that were written already, else with what the record has."""
    filed = _read(launch, response_id)
    if filed.status not in LISTED or _is_hidden(launch, filed):
        return redirect(url_for("panel.show", lid=launch.id), 303)
    _viewed(launch, filed)
    owner, drafts, first = launch.record.owner, state().store.drafts, mine or filed
    before = [draft for draft in drafts.open_for(owner) if draft.about.partition("/")[0] == filed.link]
    draft = before[-1] if before else drafts.start(
        owner,
        filed.rater,
        questionnaire=filed.form.canonical,
        language=filed.language or launch.language,
        identifier=filed.identifier,
        about=_about(filed),
        answers=codes_of(filed.rater, first.ratings) | {COMMENT: first.comment},
        now=now(),
    )  # fmt: skip
    return redirect(url_for("form.show", lid=launch.id, did=draft.id), 303)


def look(launch: Launch, draft: Draft) -> Page | Conflict:
    """The correction as it stands, or what somebody else changed meanwhile."""
    filed = _viewed(launch, _read(launch, draft.about.partition("/")[0]))
    return correction_page(launch, draft, filed) if _about(filed) == draft.about else _conflict(launch, draft, filed)


def complete(launch: Launch, draft: Draft) -> WebResponse | Page | Conflict:
    """Files the correction; what stands in the way is a page. Raises AnswerError, StaleDraft."""
    filed = _viewed(launch, _read(launch, draft.about.partition("/")[0]))
    if _about(filed) != draft.about:
        return _conflict(launch, draft, filed)
    reason, ratings = read_reason(request.form), ratings_of(draft)
    if filed.status != "stopped" and missing(draft):
        return replace(correction_page(launch, draft, filed), missing=missing(draft), reason=reason)
    comment = _comment(draft, filed)
    if (ratings, comment) == (dict(filed.ratings), filed.comment):
        raise AnswerError("items", "form.error.unchanged")
    if filed.rater in plan_of(launch).edited:
        raise AnswerError("items", "form.edited")
    act = begin(launch)
    clinician = act.session.clinician
    after = response.corrected(filed, ratings=ratings, comment=comment, author=clinician, authored=act.local_now)
    if _is_document(filed):
        parts = _replaced(launch, act, after)
        parts += told(act, parts, activity="update", author=clinician, reason=reason)
    else:
        stored = score_of(launch.client(), filed, figure_codes(launch.site))
        made = answers(act, after, activity="update", author=clinician, reason=reason, stored=stored)
        parts = _with_theirs(launch, made)
    if changes(act.plan, filed.reference.partition("/")[0]):
        parts += seen_before_correcting(launch, act, filed, after)
    details = {"rater": filed.rater, "key": filed.identifier}
    return save(launch, act, parts, kind="correction", details=details, draft=draft)


def rebase(launch: Launch, draft: Draft) -> Conflict | None:
    """The person has seen what the record has, and goes on with the own answers on top of it; what was changed since
    is shown first."""
    filed = _viewed(launch, _read(launch, draft.about.partition("/")[0]))
    if request.form.get("version") != filed.version_id:
        return _conflict(launch, draft, filed)
    state().store.drafts.set_about(draft.id, launch.record.owner, _about(filed), now())
    return None


@with_launch("clinician")
def withdraw_rating(launch: Launch, response_id: str) -> Any:
    """Entered in error, on response and score together, with a reason."""
    if request.method == "POST" and (before := saved_before(launch, form_name(request.form))):
        return before
    filed = _read(launch, response_id)
    if filed.status not in LISTED or _is_hidden(launch, filed):
        return redirect(url_for("panel.show", lid=launch.id), 303)
    _viewed(launch, filed)
    plan, stands = plan_of(launch), filed.reference.partition("/")[0]
    page = {
        "lid": launch.id,
        "what": f"{title(launch, filed.rater)}, {words().day(filed.measured)}",
        "where": withdrawal_lines(words(), plan, stands, filed.reference),
        "there": withdraws(plan, stands),
        "asks": reason_label(words(), plan, there=withdraws(plan, stands)),
        "reason": request.form.get("reason", ""),
        "error": "",
        "changed": False,
        "version": filed.version_id,
        "once": request.form.get("once") or urn(),
    }
    if request.method != "POST":
        return render_template("form/withdraw.html", page=page)
    if request.form.get("version", page["version"]) != page["version"]:
        return render_template("form/withdraw.html", page=page | {"changed": True}), 409
    try:
        reason = read_reason(request.form)
    except AnswerError as error:
        return render_template("form/withdraw.html", page=page | {"error": say(error.key, **error.params)}), 400
    act = begin(launch)
    parts = _withdrawn(launch, act, filed, reason)
    if page["there"] or _is_document(filed):  # which alone may be marked later, as it is sealed (`placing`)
        parts += tuple(replace(note, unsent=not page["there"]) for note in seen_beside(launch, act, filed))
    details = {"rater": filed.rater, "key": filed.identifier}
    return save(launch, act, parts, kind="withdrawal", details=details, form=form_name(request.form))


def _replaced(launch: Launch, act: Act, after: Response) -> tuple[Part, ...]:
    """A document that replaces the one that stands; that is marked as replaced where this EHR lets the app do so."""
    parts = placed(rating_parts(act, after), act.plan)
    if not marks_replaced(act.plan):
        return parts
    raw = launch.client().read("DocumentReference", after.id)
    old = Part(superseded_document(raw, filing=act.filing), urn(), after.version_id)
    return (*parts, *placed((old,), act.plan))


def _withdrawn(launch: Launch, act: Act, filed: Response, reason: str) -> tuple[Part, ...]:
    client, author = launch.client(), act.session.clinician
    if _is_document(filed):
        gone = withdrawn_document(client.read("DocumentReference", filed.id), filing=act.filing)
        parts = placed((Part(gone, filed.identifier or urn(), filed.version_id),), act.plan)
        return (*parts, *told(act, parts, activity="update", author=author, reason=reason))
    after = response.withdrawn(filed, authored=act.local_now)
    stored = score_of(client, filed, figure_codes(launch.site))
    return _with_theirs(launch, answers(act, after, activity="update", author=author, reason=reason, stored=stored))


def _with_theirs(launch: Launch, parts: Iterable[Part]) -> tuple[Part, ...]:
    """``parts`` with what others wrote in those that are in the record already; each is read side by side."""
    client, parts = launch.client().at_once(), tuple(parts)
    changed = [part for part in parts if "id" in part.resource and not part.unsent]
    reads = [client.beside(partial(client.read, part.type, part.resource["id"])) for part in changed]
    whole = {part.full_url: kept(part.resource, read.result()) for part, read in zip(changed, reads, strict=True)}
    return tuple(replace(part, resource=whole.get(part.full_url, part.resource)) for part in parts)


def _is_document(filed: Response) -> bool:
    return filed.reference.startswith("DocumentReference/")


def _read(launch: Launch, link: str) -> Response:
    """As the record has it now, by its ``link``. Raises NotFound, WrongPatient, ResponseError.

    Of a document only what may be seen: a correction of one that this clinician is still blind for begins empty.
    """
    kind, _, observation_id = link.partition("~")
    if kind == "DocumentReference" and observation_id:
        client = launch.client()
        raw = _with_text(client, client.read("DocumentReference", observation_id))
        found = rating_in(raw, patient=launch.patient, zone=launch.site.zone).in_zone(launch.site.zone)
        known, _ = read_with(launch, (found,))
        found = replace(found, ratings={}, comment="") if found in known.hidden else found
    elif kind == "Observation" and observation_id:
        codes = figure_codes(launch.site)
        rating = rating_at(launch.client(), observation_id, patient=launch.patient, codes=codes)
        found = as_response(rating, launch.patient).in_zone(launch.site.zone)
    else:
        raw = launch.client().read("QuestionnaireResponse", link)
        found = response.from_resource(raw, patient=launch.patient).in_zone(launch.site.zone)
    return found


def _with_text(client: FhirClient, document: Mapping[str, Any]) -> Mapping[str, Any]:
    """``document`` with its text; as it is where this EHR does not give that: it can be withdrawn, or written anew."""
    try:
        return with_data(client, document)
    except (Forbidden, NotFound, Invalid, BadReply):
        return document


def _viewed(launch: Launch, filed: Response) -> Response:
    """``filed`` once the log has that it is looked at: all of it, or that it is there."""
    unseen = _is_document(filed) and not filed.ratings and not filed.comment
    audit("view", launch, resources=(filed.reference,), purpose="without its answers" if unseen else "")
    return filed


def _is_hidden(launch: Launch, filed: Response) -> bool:
    """The clinician rates blind: the panel says so, and there the answers can be opened first, which is noted."""
    if _is_document(filed):
        return False  # of which nothing is shown: see ``_read``
    _, all_of, _ = read(launch)
    return any(one.reference == filed.reference for one in all_of.hidden)


def _about(filed: Response) -> str:
    return f"{filed.link}/{filed.version_id}"


def _comment(draft: Draft, filed: Response) -> str:
    """To the letter as it was filed, where that is what the page gave back."""
    return filed.comment if given_back(draft.comment) == given_back(filed.comment) else draft.comment


def _author(launch: Launch, filed: Response) -> str:
    author = local_reference(filed.author, launch.record.context.fhir_base)
    return (name_of(launch.client(), author) if author else "") or filed.author or say("opened.nobody")


def _conflict(launch: Launch, draft: Draft, filed: Response) -> Conflict:
    there, mine = Said(filed.ratings, filed.comment), Said(ratings_of(draft), _comment(draft, filed))
    return Conflict(
        lead=say("conflict.corrected", who=_author(launch, filed), when=words().moment(filed.authored)),
        there=say("conflict.there"),
        differences=differences(words(), form_of(draft), there, mine),
        post_to=url_for("form.answer", lid=launch.id, did=draft.id) if filed.status in LISTED else "",
        onward=url_for("panel.show", lid=launch.id),
        onward_label=say("page.to_panel"),
        shown=showing(draft.answers),
        version=filed.version_id,
    )
