"""The pages on which a patient answers alone: one draft is read and written, and nothing else.

No module of ``imr_fhir.ehr`` is imported here (import-linter holds this): `patient` gives them an address while the
screen is handed over, `alone` where the patient has opened the app.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from flask import Blueprint, abort, redirect, render_template, request
from werkzeug.wrappers import Response

from imr_fhir.scale import ITEM_COUNT, scale
from smart_app import keeping
from smart_app.keeping import Kept
from smart_app.language import language_of, say
from smart_app.patient_page import PatientPage, patient_page
from smart_app.sitting import Sitting
from smart_app.state import state
from smart_app.store.errors import DraftSealed

Answer = str | Response | tuple[str, int]
View = Callable[..., Answer]


def add_pages(blueprint: Blueprint, root: str, guard: Callable[[View], View]) -> None:
    """Gives each page its address below ``root``. ``guard`` calls a view with the ``Sitting`` and, but for ``keep``,
    the ``PatientPage`` while answers are taken."""
    for path, view, methods in _PAGES:
        blueprint.add_url_rule(f"{root}{path}", view.__name__, guard(view), methods=methods)


def start(_: Sitting, page: PatientPage) -> Answer:
    return render_template("patient/start.html", page=page)


def question(sitting: Sitting, page: PatientPage, number: int) -> Answer:
    if not 1 <= number <= ITEM_COUNT:
        abort(404)
    page = replace(page, item=scale("client").item(number), came=request.values.get("came", ""))
    if request.method != "POST":
        return render_template("patient/question.html", page=page)
    if shown := _keep_or_show(sitting, page, "patient/question.html"):
        return shown
    return redirect(_after(sitting, number), 303)


def _after(sitting: Sitting, number: int) -> str:
    go, came = request.form.get("go", "next"), request.form.get("came", "")
    to = number - 1 if go == "previous" else number + 1
    if came == "rest" and go == "previous":
        return sitting.url("question", number=max(to, 1), came="rest")
    if go == "next" and came == "rest":  # from the page before handing in: on to the next open one, then back there
        rest = [item.number for item in patient_page(sitting).unanswered if item.number > number]
        if rest:
            return sitting.url("question", number=rest[0], came="rest")
    if go == "stop" or (go == "next" and came in ("rest", "check")):
        return sitting.url("check")
    if to > ITEM_COUNT:
        return sitting.url("comment")
    return sitting.url("question", number=max(to, 1))


def every(sitting: Sitting, page: PatientPage) -> Answer:
    if request.method != "POST":
        return render_template("patient/all.html", page=page)
    if shown := _keep_or_show(sitting, page, "patient/all.html"):
        return shown
    go = request.form.get("go", "")
    if go.startswith("keep-"):
        return redirect(sitting.url("every", _anchor=f"item-{go.removeprefix('keep-')}"), 303)
    return redirect(sitting.url("check"), 303)


def comment(sitting: Sitting, page: PatientPage) -> Answer:
    if request.method != "POST":
        return render_template("patient/comment.html", page=page)
    if shown := _keep_or_show(sitting, page, "patient/comment.html"):
        return shown
    if request.form.get("go") == "previous":
        return redirect(sitting.url("question", number=ITEM_COUNT), 303)
    return redirect(sitting.url("check"), 303)


def keep(sitting: Sitting) -> tuple[str, int]:
    """For the script: one answer or the comment, as it is given. 204 means that it is kept."""
    try:
        return keeping.said(_keep(sitting))
    except DraftSealed:
        return say("patient.sent"), 409


def check(_: Sitting, page: PatientPage) -> Answer:
    return render_template("patient/check.html", page=page)


def language(sitting: Sitting, _: PatientPage) -> Answer:
    chosen = language_of(request.form.get("language", ""))
    if chosen:
        sitting.set_language(chosen)
    home, here = sitting.url("start"), request.form.get("next", "")
    return redirect(here if here.startswith(home) and "\\" not in here and "//" not in here else home, 303)


_BOTH = ("GET", "POST")
_PAGES: tuple[tuple[str, View, tuple[str, ...]], ...] = (
    ("/", start, ("GET",)),
    ("/<int:number>", question, _BOTH),
    ("/all", every, _BOTH),
    ("/comment", comment, _BOTH),
    ("/keep", keep, ("POST",)),
    ("/check", check, ("GET",)),
    ("/language", language, ("POST",)),
)


def _keep_or_show(sitting: Sitting, page: PatientPage, template: str) -> Answer | None:
    """None where all that came is kept; else the page with what was typed and why it can't be."""
    kept = _keep(sitting)
    if not kept.faults:
        return None
    errors: dict[str, Any] = {fault.field: say(fault.key, **fault.params) for fault in kept.faults}
    again = replace(patient_page(sitting), item=page.item, came=page.came, errors=errors)
    return render_template(template, page=replace(again, ratings=kept.ratings, comment=kept.comment)), kept.status


def keep_late(sitting: Sitting) -> None:
    """A page that was left open: what was changed on it is kept with the rest, while that is taken.

    Raises DraftSealed, whose page shows it back, where something was that is not there already.
    """
    if request.method != "POST":
        return
    faults, changed = keeping.not_in(state().store.drafts.get(sitting.draft_id, sitting.owner))
    if faults or changed:
        _keep(sitting)


def _keep(sitting: Sitting) -> Kept:
    """Keeps what can be kept, and says what can't. Raises DraftSealed."""
    if sitting.state != "open":
        raise DraftSealed("This form is handed in already.", next_step="A change is a correction.")
    kept = keeping.keep(sitting.draft_id, sitting.owner)
    sitting.touch()
    return kept
