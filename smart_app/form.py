"""The scales on one page in an open launch: the clinician's rating, the client's typed for the patient, corrections."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from flask import Blueprint, abort, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as WebResponse

from imr_fhir import observation, response
from imr_fhir.artefacts import CODES
from imr_fhir.errors import ResourceError
from imr_fhir.observation import StoredScore
from imr_fhir.response import Response
from imr_fhir.scale import RATERS, Item, Rater, Scale, scale
from smart_app.access import Launch, audit, with_launch
from smart_app.answering import AnswerError, read_answers, read_reason
from smart_app.drafting import codes_of, ratings_of, seal_draft
from smart_app.language import say, words
from smart_app.saving import begin, plan_of, save, sent
from smart_app.sealing import answers, urn
from smart_app.state import now, state
from smart_app.store.drafts import Draft
from smart_app.store.errors import DraftSealed

form = Blueprint("form", __name__, url_prefix="/l/<lid>")


@dataclass(frozen=True)
class Page:
    lid: str
    title: str
    language: str
    items: tuple[Item, ...]
    ratings: dict[int, int]
    comment: str
    keep_url: str
    where: str
    purpose: tuple[str, ...] = ()
    introduction: str = ""
    marks: tuple[str, ...] = ()
    missing: tuple[Item, ...] = ()
    error: str = ""
    correcting: bool = False
    reason: str = ""


@form.post("/form/<rater>/start")
@with_launch("clinician")
def start(launch: Launch, rater: str) -> WebResponse:
    draft = _draft(launch, _allowed(launch, rater))
    state().store.drafts.set_language(draft.id, launch.record.owner, launch.language, now())
    return redirect(url_for("form.fill", lid=launch.id, rater=rater), 303)


@form.route("/form/<rater>", methods=["GET", "POST"])
@with_launch("clinician")
def fill(launch: Launch, rater: str) -> Any:
    draft = _draft(launch, _allowed(launch, rater))
    page = _page(launch, draft)

    def complete(draft: Draft) -> Any:
        missing = _missing(draft)
        if missing and request.form["do"] == "complete":
            return render_template("form/scale.html", page=replace(_page(launch, draft), missing=missing)), 400
        if not draft.codes and not draft.comment.strip():
            raise AnswerError("form.error.empty")
        if draft.rater in plan_of(launch).edited:
            raise AnswerError("form.edited")
        act = begin(launch)
        return sent(launch, seal_draft(state().store, act, launch.record.owner, draft, author=act.session.clinician))

    return _answer(launch, draft, page, complete)


@form.post("/form/<rater>/keep")
@with_launch("clinician")
def keep(launch: Launch, rater: str) -> tuple[str, int]:
    """For the script: one answer or the comment, as it is given. 204 means that it is kept."""
    return _keep_quietly(launch, _draft(launch, _allowed(launch, rater)))


@form.route("/response/<response_id>/correct", methods=["GET", "POST"])
@with_launch("clinician")
def correct(launch: Launch, response_id: str) -> Any:
    """What was filed, to be changed with a reason; ids and the measurement's time stay."""
    filed = _filed(launch, response_id)
    draft = _draft(launch, filed.rater, filed)
    page = _page(launch, draft, filed)

    def complete(draft: Draft) -> Any:
        reason = read_reason(request.form)
        ratings = ratings_of(draft)
        if filed.status != "stopped" and _missing(draft):
            missing = _missing(draft)
            again = replace(_page(launch, draft, filed), missing=missing, reason=reason)
            return render_template("form/scale.html", page=again), 400
        if ratings == dict(filed.ratings) and draft.comment == filed.comment:
            raise AnswerError("form.error.unchanged")
        act = begin(launch)
        clinician = act.session.clinician
        after = response.corrected(
            filed, ratings=ratings, comment=draft.comment, author=clinician, authored=act.local_now
        )
        parts = answers(
            act, after, activity="update", author=clinician, reason=reason, stored=_stored_score(launch, filed)
        )
        return save(launch, act, parts, kind="correction", details={"rater": filed.rater}, draft=draft)

    return _answer(launch, draft, page, complete)


@form.post("/response/<response_id>/keep")
@with_launch("clinician")
def correct_keep(launch: Launch, response_id: str) -> tuple[str, int]:
    filed = _filed(launch, response_id)
    return _keep_quietly(launch, _draft(launch, filed.rater, filed))


@form.route("/response/<response_id>/withdraw", methods=["GET", "POST"])
@with_launch("clinician")
def withdraw(launch: Launch, response_id: str) -> Any:
    """Entered in error, on response and score together, with a reason; nothing is deleted."""
    filed = _filed(launch, response_id)
    page = {
        "lid": launch.id,
        "what": f"{_title(launch, filed.rater)}, {words().day(filed.measured)}",
        "reason": request.form.get("reason", ""),
        "error": "",
        "once": request.form.get("once") or urn(),
    }
    if request.method == "GET":
        return render_template("form/withdraw.html", page=page)
    try:
        reason = read_reason(request.form)
    except AnswerError as error:
        return render_template("form/withdraw.html", page=page | {"error": say(error.key, **error.params)}), 400
    act = begin(launch)
    after = response.withdrawn(filed, authored=act.local_now)
    parts = answers(
        act, after, activity="update", author=act.session.clinician, reason=reason, stored=_stored_score(launch, filed)
    )
    return save(launch, act, parts, kind="withdrawal", details={"rater": filed.rater}, form=page["once"])


def _answer(launch: Launch, draft: Draft, page: Page, complete: Callable[[Draft], Any]) -> Any:
    """A post keeps what it brought, then does what was pressed; what can't be kept is shown with what was typed."""
    if request.method == "GET":
        audit("view", launch, resources=(draft.identifier,))
        return render_template("form/scale.html", page=page)
    try:
        kept = state().store.drafts.set_answers(
            draft.id, launch.record.owner, read_answers(request.form, scale(draft.rater)), now()
        )
        do = request.form.get("do", "")
        if do in ("complete", "stop"):
            return complete(kept)
    except AnswerError as error:
        typed = replace(
            _with_answers(page, state().store.drafts.get(draft.id, launch.record.owner)),
            error=say(error.key, **error.params),
            comment=request.form.get("comment", page.comment),
            reason=request.form.get("reason", ""),
        )
        return render_template("form/scale.html", page=typed), 400
    if do.startswith("keep-"):
        return redirect(f"{request.path}#item-{do.removeprefix('keep-')}", 303)
    return redirect(url_for("panel.show", lid=launch.id), 303)


def _keep_quietly(launch: Launch, draft: Draft) -> tuple[str, int]:
    try:
        answers_given = read_answers(request.form, scale(draft.rater))
        state().store.drafts.set_answers(draft.id, launch.record.owner, answers_given, now())
    except AnswerError as error:
        return say(error.key, **error.params), 400
    except DraftSealed:
        return say("form.error.sent"), 409
    return "", 204


def _allowed(launch: Launch, rater: str) -> Rater:
    """The clinician scale's wording awaits a check: a site says whether it is used."""
    if rater not in RATERS or (rater == "clinician" and not launch.site.allow_unverified_clinician_scale):
        abort(404)
    found: Rater = "clinician" if rater == "clinician" else "client"
    return found


def _draft(launch: Launch, rater: Rater, filed: Response | None = None) -> Draft:
    """The open draft of this rating or correction, begun where there is none."""
    about = f"{filed.id}/{filed.version_id}" if filed else ""
    given = codes_of(rater, filed.ratings) | {"comment": filed.comment} if filed else {}
    return state().store.drafts.start(
        launch.record.owner,
        rater,
        questionnaire=scale(rater).canonical,
        language=launch.language,
        identifier=filed.identifier if filed else urn(),
        about=about,
        answers=given,
        now=now(),
    )


def _filed(launch: Launch, response_id: str) -> Response:
    """The response as the record has it now. Raises NotFound, WrongPatient, ResponseError."""
    raw = launch.client().read("QuestionnaireResponse", response_id)
    found = response.from_resource(raw, patient=launch.patient)
    audit("view", launch, resources=(f"QuestionnaireResponse/{response_id}",))
    return found


def _stored_score(launch: Launch, filed: Response) -> StoredScore | None:
    """The score Observation that was filed with the response, if the record has it."""
    found = launch.client().search(
        "Observation", [("patient", launch.patient), ("code", f"{CODES}|score-{filed.rater}")]
    )
    for raw in found.resources:
        try:
            stored = observation.from_resource(raw, patient=launch.patient)
        except ResourceError:
            continue  # another software's: the panel names it, it is not what we replace
        if stored.derived_from == f"QuestionnaireResponse/{filed.id}":
            return stored
    return None


def _missing(draft: Draft) -> tuple[Item, ...]:
    answered = ratings_of(draft)
    return tuple(item for item in scale(draft.rater).items if item.number not in answered)


def _title(launch: Launch, rater: Rater) -> str:
    return say("form.clinician.title") if rater == "clinician" else say("form.client.title", name=launch.patient_name)


def _with_answers(page: Page, draft: Draft) -> Page:
    return replace(page, ratings=ratings_of(draft), comment=draft.comment)


def _page(launch: Launch, draft: Draft, filed: Response | None = None) -> Page:
    site, shown = launch.site, scale(draft.rater)
    keep_url = url_for("form.keep", lid=launch.id, rater=draft.rater)
    title, purpose = _title(launch, draft.rater), _purpose(launch, draft.rater)
    if filed:
        keep_url = url_for("form.correct_keep", lid=launch.id, response_id=filed.id)
        title = say("form.correct.title", day=words().day(filed.measured))
        purpose = (say("form.correct.what"),)
    return Page(
        lid=launch.id,
        title=title,
        language=draft.language,
        items=shown.items,
        ratings=ratings_of(draft),
        comment=draft.comment,
        keep_url=keep_url,
        where=_where(launch, draft.rater, site.organization),
        purpose=purpose,
        introduction=shown.introduction.in_(draft.language) if shown.introduction and not filed else "",
        marks=_marks(shown, draft.language),
        correcting=filed is not None,
    )


def _where(launch: Launch, rater: Rater, organization: str) -> str:
    plan = plan_of(launch)
    if rater in plan.edited:
        return say("form.edited")
    return say("form.where.saved", org=organization) if plan.may_file(rater) else say("form.where.printed")


def _purpose(launch: Launch, rater: Rater) -> tuple[str, ...]:
    if rater == "clinician":
        return ()
    site = launch.site
    return (
        say("form.typed", name=launch.patient_name),
        say("form.purpose", who=launch.user_name or say("hand.unit")),
        say("form.readers", org=site.organization),
        say("form.stop"),
        say("form.help", who=launch.user_name or say("hand.unit"), phone=site.phone),
    )


def _marks(shown: Scale, language: str) -> tuple[str, ...]:
    unverified = () if shown.verified else (say("form.unverified"),)
    return (*unverified, *((say("form.translation"),) if language == "nb" else ()))
