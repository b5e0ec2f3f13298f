"""The patient's own pages while the screen is handed over: one draft is read and written, and nothing else.

No module of ``imr_fhir.ehr`` is imported here and a hand-over holds no token (import-linter and a test hold this).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from flask import Blueprint, abort, g, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from imr_fhir.scale import ITEM_COUNT, Item, scale
from smart_app import answering, cookies
from smart_app.access import bind_pin_form, full_date, with_handover
from smart_app.answering import AnswerError
from smart_app.drafting import ratings_of, seal_draft
from smart_app.language import LANGUAGES, language_of, say, use_language, words
from smart_app.presenters.header import header
from smart_app.sealing import new_act
from smart_app.session import session_from
from smart_app.state import now, state
from smart_app.store.drafts import Draft
from smart_app.store.errors import DraftSealed, NoAccess
from smart_app.store.handovers import Handover

patient = Blueprint("patient", __name__, url_prefix="/p")


@dataclass(frozen=True)
class Page:
    """What every page of the patient's shows; ``lid`` is the launch that the PIN opens again."""

    hid: str
    lid: str
    name: str
    who: str
    organization: str
    phone: str
    language: str
    here: str
    introduction: str
    items: tuple[Item, ...]
    ratings: dict[int, int]
    comment: str
    sent: bool
    own_window: bool
    item: Item | None = None
    error: str = ""
    pin_error: str = ""
    languages: tuple[tuple[str, str], ...] = tuple(LANGUAGES.items())
    total: int = ITEM_COUNT

    @property
    def not_validated(self) -> bool:
        return self.language == "nb"

    @property
    def answered(self) -> int:
        return len(self.ratings)

    @property
    def unanswered(self) -> tuple[Item, ...]:
        return tuple(item for item in self.items if item.number not in self.ratings)

    @property
    def rating(self) -> int | None:
        return self.ratings.get(self.item.number) if self.item else None

    @property
    def next(self) -> int:
        """The first question without an answer."""
        return self.unanswered[0].number if self.unanswered else 1


@patient.post("/open")
def open_window() -> Response | tuple[str, int]:
    """From the frame into a window of its own: the one-time ticket opens the hand-over and sets its cookie there."""
    try:
        hid = state().store.tickets.redeem("hand-over", request.form.get("ticket", ""), now())["hid"]
        return enter(hid, framed=False)
    except NoAccess:
        return render_template("patient/late.html"), 410


def enter(hid: str, *, framed: bool) -> Response:
    """Opens an offered hand-over in this browser. Raises NoAccess where it is open already or gone."""
    _, secret = state().store.handovers.open(hid, now())
    response = redirect(url_for("patient.start", hid=hid), 303)
    cookies.set_cookie(response, cookies.handover_cookie(hid), secret, framed=framed)
    return response


@patient.get("/<hid>/")
@with_handover
def start(handover: Handover) -> str:
    page = _page(handover)
    return render_template("patient/start.html" if not page.sent else "patient/done.html", page=page)


@patient.route("/<hid>/<int:number>", methods=["GET", "POST"])
@with_handover
def question(number: int, handover: Handover) -> str | Response | tuple[str, int]:
    if not 1 <= number <= ITEM_COUNT:
        abort(404)
    page = replace(_page(handover), item=scale("client").item(number))
    if page.sent:
        return render_template("patient/done.html", page=page)
    if request.method == "GET":
        return render_template("patient/question.html", page=page)
    try:
        _keep(handover)
    except AnswerError as error:
        return render_template("patient/question.html", page=replace(page, error=say(error.key, **error.params))), 400
    return redirect(_after_question(handover.id, number, request.form.get("go", "next")), 303)


def _after_question(hid: str, number: int, go: str) -> str:
    if go == "stop":
        return url_for("patient.check", hid=hid)
    to = number - 1 if go == "previous" else number + 1
    if to > ITEM_COUNT:
        return url_for("patient.comment", hid=hid)
    return url_for("patient.question", hid=hid, number=max(to, 1))


@patient.route("/<hid>/all", methods=["GET", "POST"])
@with_handover
def every(handover: Handover) -> str | Response | tuple[str, int]:
    page = _page(handover)
    if page.sent:
        return render_template("patient/done.html", page=page)
    if request.method == "GET":
        return render_template("patient/all.html", page=page)
    try:
        _keep(handover)
    except AnswerError as error:
        return render_template("patient/all.html", page=replace(page, error=say(error.key, **error.params))), 400
    go = request.form.get("go", "")
    if go.startswith("keep-"):
        return redirect(url_for("patient.every", hid=handover.id, _anchor=f"item-{go.removeprefix('keep-')}"), 303)
    return redirect(url_for("patient.check", hid=handover.id), 303)


@patient.route("/<hid>/comment", methods=["GET", "POST"])
@with_handover
def comment(handover: Handover) -> str | Response | tuple[str, int]:
    page = _page(handover)
    if page.sent:
        return render_template("patient/done.html", page=page)
    if request.method == "GET":
        return render_template("patient/comment.html", page=page)
    try:
        _keep(handover)
    except AnswerError as error:
        typed = replace(page, comment=request.form["comment"], error=say(error.key, **error.params))
        return render_template("patient/comment.html", page=typed), 400
    if request.form.get("go") == "previous":
        return redirect(url_for("patient.question", hid=handover.id, number=ITEM_COUNT), 303)
    return redirect(url_for("patient.check", hid=handover.id), 303)


@patient.post("/<hid>/keep")
@with_handover
def keep(handover: Handover) -> tuple[str, int]:
    """For the script: one answer or the comment, as it is given. 204 means that it is kept."""
    try:
        _keep(handover)
    except AnswerError as error:
        return say(error.key, **error.params), 400
    except DraftSealed:
        return say("form.error.sent"), 409
    return "", 204


@patient.get("/<hid>/check")
@with_handover
def check(handover: Handover) -> str:
    page = _page(handover)
    return render_template("patient/check.html" if not page.sent else "patient/done.html", page=page)


@patient.post("/<hid>/send")
@with_handover
def send(handover: Handover) -> Response | str:
    """Seals: from here on "we have it". Pressed twice, the second time finds it sealed."""
    page = _page(handover)
    if not page.sent:
        if not page.answered and not page.comment:
            return render_template("patient/check.html", page=page)
        store, session = state().store, session_from(handover.value["session"])
        act = new_act(state().config.sites[handover.owner.site], session, now())
        with store.writing():
            draft = store.drafts.get(handover.draft_id, handover.owner)
            seal_draft(store, act, handover.owner, draft, author=session.patient_reference)
            store.handovers.submit(handover.id, now())
    return redirect(url_for("patient.done", hid=handover.id), 303)


@patient.get("/<hid>/done")
@with_handover
def done(handover: Handover) -> str | Response:
    page = _page(handover)
    if not page.sent:
        return redirect(url_for("patient.check", hid=handover.id), 303)
    return render_template("patient/done.html", page=page)


@patient.get("/<hid>/back")
@with_handover
def back(handover: Handover) -> str:
    """The screen goes back before the answers are handed in: they are kept."""
    page = _page(handover)
    bind_pin_form(handover.launch_id)
    return render_template("patient/back.html" if not page.sent else "patient/done.html", page=page)


@patient.post("/<hid>/language")
@with_handover
def language(handover: Handover) -> Response:
    chosen = language_of(request.form.get("language", ""))
    if chosen and handover.state == "open":
        state().store.drafts.set_language(handover.draft_id, handover.owner, chosen, now())
    home = url_for("patient.start", hid=handover.id)
    here = request.form.get("next", "")
    return redirect(here if here.startswith(home) and "\\" not in here and "//" not in here else home, 303)


def _keep(handover: Handover) -> None:
    if handover.state != "open":
        raise DraftSealed("This form is handed in already.", next_step="")
    posted = answering.read_answers(request.form, scale("client"))
    state().store.drafts.set_answers(handover.draft_id, handover.owner, posted, now())
    state().store.handovers.touch(handover.id, now())


def _page(handover: Handover) -> Page:
    store, site = state().store, state().config.sites[handover.owner.site]
    draft: Draft = store.drafts.get(handover.draft_id, handover.owner)
    session = session_from(handover.value["session"])
    use_language(draft.language)
    today = now().astimezone(site.zone).date()
    g.header = header(
        words(),
        name=session.patient_name,
        birth_date=full_date(session.birth_date),
        organization=site.organization,
        today=today,
    )
    form = scale("client")
    sent = handover.state != "open"
    if sent:
        bind_pin_form(handover.launch_id)  # the only form on a page that says "finished"
    return Page(
        hid=handover.id,
        lid=handover.launch_id,
        name=session.patient_name,
        who=session.user_name or say("hand.unit"),
        organization=site.organization,
        phone=site.phone,
        language=draft.language,
        here=request.path if request.method == "GET" else url_for("patient.start", hid=handover.id),
        introduction=form.introduction.in_(draft.language) if form.introduction else "",
        items=form.items,
        ratings=ratings_of(draft),
        comment=draft.comment,
        sent=sent,
        own_window=bool(handover.value["own_window"]),
    )
