"""Another device, such as the patient's tablet: the one-time code that the clinician shows leads to the own pages.

Nothing is said of anybody before the code is right; what is wrong, spent, void or too old looks alike.
"""

from __future__ import annotations

from flask import Blueprint, render_template, request
from werkzeug.wrappers import Response

from smart_app.language import say
from smart_app.patient import enter
from smart_app.state import now, state
from smart_app.store.code_tries import WITHIN
from smart_app.store.errors import NoAccess

code = Blueprint("code", __name__, url_prefix="/p")

Answer = str | Response | tuple[str, int] | tuple[str, int, dict[str, str]]


@code.get("/")
def ask() -> Answer:
    return _page()


@code.post("/")
def open_with() -> Answer:
    store, address = state().store, request.remote_addr or ""
    if store.code_tries.too_many(address, now()):  # asked before the store is written to, which anybody could make busy
        return _page(say("code.too_many")), 429, {"Retry-After": str(int(WITHIN.total_seconds()))}
    try:
        hid = store.codes.redeem(request.form.get("code", ""), now())
        return enter(hid, framed=False, how="with a one-time code")
    except NoAccess:
        store.code_tries.wrong(address, now())
        state().failed.note("", "WrongCode", now())
        return _page(say("code.wrong")), 400


def _page(error: str = "") -> str:
    return render_template("patient/code.html", error=error)
