"""Where the EHR's frame keeps no cookie and lets no window open: a one-time code, typed into a window of that browser.

It carries what the EHR opened the app with; the log-in is that window's own, so the code alone opens nothing.
"""

from __future__ import annotations

from flask import Blueprint, render_template, request
from werkzeug.wrappers import Response

from smart_app.language import say
from smart_app.launch import asked_again, in_window
from smart_app.state import now, state
from smart_app.store.code_tries import WITHIN
from smart_app.store.codes import LIFETIME
from smart_app.store.errors import NoAccess, TooManyCodes

launch_code = Blueprint("launch_code", __name__, url_prefix="/open")

Answer = str | Response | tuple[str, int] | tuple[str, int, dict[str, str]]


@launch_code.post("/code")
def show() -> Answer:
    """The code, in the frame; pressed by a person, since it is kept here for ten minutes."""
    asked = asked_again(request.form.get("sealed", ""))
    address = f"{state().config.public_url.partition('://')[2]}/open"
    minutes = int(LIFETIME.total_seconds() // 60)
    try:
        code = state().store.codes.issue_launch(asked, request.remote_addr or "", now())
    except TooManyCodes:
        return render_template("launch/code.html", code="", address=address, minutes=minutes), 429
    return render_template("launch/code.html", code=f"{code[:4]} {code[4:]}", address=address, minutes=minutes)


@launch_code.get("")
def ask() -> Answer:
    return _page()


@launch_code.post("")
def open_with() -> Answer:
    store, address = state().store, request.remote_addr or ""
    if store.code_tries.too_many(address, now()):
        return _page(say("launch.code.too_many")), 429, {"Retry-After": str(int(WITHIN.total_seconds()))}
    try:
        asked = store.codes.redeem_launch(request.form.get("code", ""), now())
    except NoAccess:
        store.code_tries.wrong(address, now())
        state().failed.note("", "WrongCode", now())
        return _page(say("launch.code.wrong")), 400
    return in_window(asked)


def _page(error: str = "") -> str:
    return render_template("launch/code_typed.html", error=error)
