"""Who may see a page: the id in its address, that id's own cookie, and a live launch or hand-over behind them.

A wrong, a missing and an unknown id all give the same 404 page. It is checked before any view runs, for each address
with a launch id or a hand-over id, so that no view can forget it.
"""

from collections.abc import Callable
from datetime import timedelta
from functools import wraps
from typing import Any, Concatenate, ParamSpec

from flask import Flask, Response, current_app, g, redirect, request, url_for
from werkzeug.exceptions import Forbidden, RequestEntityTooLarge
from werkzeug.wrappers import Response as BaseResponse

from smart_app import cookies, csrf
from smart_app.auditing import audit
from smart_app.headers import may_be_framed_by
from smart_app.language import use_language, words
from smart_app.open_launch import Launch, opened
from smart_app.presenters.header import header
from smart_app.state import now, state
from smart_app.store.errors import NoAccess
from smart_app.store.handovers import Handover
from smart_app.store.launch import Role
from smart_app.store.launches import IDLE

P = ParamSpec("P")
View = Callable[Concatenate["Launch", P], Any]

# A page locks itself so long before the store ends the launch: time to say "go on" (WCAG 2.2.1 asks for 20 seconds).
LOCK_BEFORE = timedelta(minutes=2)
_TOUCH_AFTER = timedelta(seconds=10)  # a write a page is enough, a page of ten quick requests needs one
_ALL_LAUNCHES = ""  # of g.covered, whose pages app.js covers in other tabs: a launch id, or all
EVERYONE: tuple[Role, ...] = ("clinician", "patient", "reader")


class RoleRefused(Forbidden):
    """The page exists and is not for this role."""


def with_launch(*roles: Role, touch: bool = True) -> Callable[[View[P]], Callable[P, Any]]:
    """For views under ``/l/<lid>/``: passes the ``Launch`` in place of ``lid``, to these roles only.

    While the screen is with the patient the page is "enter the PIN". ``touch=False`` is for pages that no person asked
    for: they don't keep the launch alive.
    """

    def decorate(view: View[P]) -> Callable[P, Any]:
        @wraps(view)
        def guarded(*args: P.args, **kwargs: P.kwargs) -> Any:
            kwargs.pop("lid")
            if "locked" in g:
                return redirect(url_for("handover.locked", lid=request.view_args["lid"]), 303)  # type: ignore[index]
            launch: Launch = g.launch
            if launch.role not in roles:
                audit("view", launch, outcome="refused", purpose=str(request.endpoint))
                raise RoleRefused
            if touch and now() - launch.record.seen > _TOUCH_AFTER:
                state().store.launches.touch(launch.id, now())
            return view(launch, *args, **kwargs)

        return guarded

    return decorate


def with_locked_launch(view: Callable[P, Any]) -> Callable[P, Any]:
    """For the PIN pages under ``/l/<lid>/``: passes ``lid`` and ``handover``; an unlocked launch goes to its panel."""

    @wraps(view)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> Any:
        if "locked" not in g:
            return redirect(url_for("panel.show", lid=g.launch.id), 303)
        return view(*args, **kwargs, handover=g.locked)

    return guarded


def with_handover(view: Callable[P, Any]) -> Callable[P, Any]:
    """For the patient's views under ``/p/<hid>/``: passes the store's ``Handover`` in place of ``hid``."""

    @wraps(view)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> Any:
        kwargs.pop("hid")
        return view(*args, **kwargs, handover=g.handover)

    return guarded


def back_address(lid: str, address: str) -> str:
    """``address`` where it is a page of this launch, else the panel: nobody is sent elsewhere."""
    home = url_for("panel.show", lid=lid)
    odd = "\\" in address or "//" in address or not (address.isascii() and address.isprintable())
    return address if address.startswith(home) and not odd else home


def bind_pin_form(lid: str) -> None:
    """For a patient's page that ends in "enter the PIN": its form is posted to the locked launch ``lid``."""
    csrf.bind_forms(_pin_binding(lid))


def _pin_binding(lid: str) -> str:
    return f"{lid}|locked|{cookies.secret_of(cookies.launch_cookie(lid))}"


def _load() -> None:
    """Puts the launch or hand-over of this address into ``g``, or raises NoAccess."""
    ids = request.view_args or {}
    if not all(str(each).isprintable() for each in ids.values()):
        raise NoAccess  # PostgreSQL takes no NUL, and it is no id's
    if "lid" in ids:
        _load_launch(ids["lid"])
    elif "hid" in ids:
        _load_handover(ids["hid"])


def _load_launch(lid: str) -> None:
    store = state().store
    secret = cookies.secret_of(cookies.launch_cookie(lid))
    try:
        record = store.launches.access(lid, secret, now())
    except NoAccess:
        if site := state().config.sites.get(store.launches.site_of(lid, secret)):
            may_be_framed_by(site)  # one's own launch that is over says so in its frame
        g.locked = store.handovers.locked(lid, secret, now())
        _require_site(g.locked.owner.site)
        g.covered = _ALL_LAUNCHES
        bind_pin_form(lid)
        return
    _require_site(record.context.site)
    g.launch = launch = opened(record, secret)
    may_be_framed_by(launch.site)
    csrf.bind_forms(f"{lid}|{launch.role}|{secret}")
    use_language(launch.language)
    g.header = header(
        words(),
        name=launch.patient_name,
        birth_date=launch.birth_date,
        organization=launch.site.organization,
        today=launch.today,
        lid=lid,
    )


def _require_site(name: str) -> None:
    """What was opened before its site was renamed or taken out of the settings is over. Raises NoAccess."""
    if name not in state().config.sites:
        raise NoAccess


def _load_handover(hid: str) -> None:
    secret = cookies.secret_of(cookies.handover_cookie(hid))
    handover: Handover = state().store.handovers.access(hid, secret, now())
    _require_site(handover.owner.site)
    g.handover = handover
    g.covered = _ALL_LAUNCHES
    # with the draft, since another may be begun in its place: a page of the one before posts nothing into that
    csrf.bind_forms(f"{hid}|{handover.draft_id}|patient|{secret}")


def check_size() -> None:
    """Raises RequestEntityTooLarge."""
    # Werkzeug counts the parts of multipart forms only
    if sum(len(values) for _, values in request.form.lists()) > current_app.config["MAX_FORM_PARTS"]:
        raise RequestEntityTooLarge


def _check_form() -> None:
    check_size()
    csrf.check_origin()
    if "csrf_binding" in g:
        csrf.check_token()


def covered_after() -> int:
    """Minutes after which this page covers itself; 0 for one that does not."""
    return (IDLE - LOCK_BEFORE) // timedelta(minutes=1) if "launch" in g else 0


def _lock_when_idle(response: Response) -> BaseResponse:
    """A page that nobody uses covers itself: its launch is alive for two minutes more, to be gone on with."""
    is_page = response.location is None and response.mimetype == "text/html"  # an error's page names the patient too
    if is_page and "launch" in g and "Refresh" not in response.headers:
        back = request.full_path.rstrip("?") if request.method == "GET" else None
        seconds = int((IDLE - LOCK_BEFORE).total_seconds())
        response.headers["Refresh"] = f"{seconds}; url={url_for('launch.idle', lid=g.launch.id, back=back)}"
    return response


def init_access(app: Flask) -> None:
    app.before_request(_load)
    app.before_request(_check_form)
    app.after_request(_lock_when_idle)
    app.add_template_global(csrf.csrf_field)
    app.add_template_global(covered_after)
