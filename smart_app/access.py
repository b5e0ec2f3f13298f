"""Who may see a page: the id in its address, that id's own cookie, and a live launch or hand-over behind them.

A wrong, a missing and an unknown id all give the same 404 page. It is checked before any view runs, for each address
with a launch id or a hand-over id, so that no view can forget it.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from functools import wraps
from typing import Any, Concatenate, ParamSpec

from flask import Flask, Response, current_app, g, redirect, request, url_for
from werkzeug.exceptions import Forbidden, RequestEntityTooLarge
from werkzeug.wrappers import Response as BaseResponse

from imr_fhir.ehr.client import FhirClient
from imr_fhir.errors import ResourceError
from imr_fhir.fhir_time import parse_date
from smart_app import cookies, csrf
from smart_app.config import SiteConfig
from smart_app.headers import may_be_framed_by
from smart_app.language import use_language, words
from smart_app.places import place_among
from smart_app.presenters.header import header
from smart_app.state import State, now, state
from smart_app.store.audit import Entry, Outcome
from smart_app.store.errors import NoAccess
from smart_app.store.handovers import Handover
from smart_app.store.launch import Launch as LaunchRecord
from smart_app.store.launch import Role
from smart_app.store.launches import IDLE
from smart_app.tokens import client_of

P = ParamSpec("P")
View = Callable[Concatenate["Launch", P], Any]

# A page locks itself so long before the store ends the launch: time to say "go on" (WCAG 2.2.1 asks for 20 seconds).
LOCK_BEFORE = timedelta(minutes=2)
_TOUCH_AFTER = timedelta(seconds=10)  # a write a page is enough, a page of ten quick requests needs one
_RIGHT_AFTER = timedelta(hours=6)  # answering
_ALL_LAUNCHES = ""  # of g.covered, whose pages app.js covers in other tabs: a launch id, or all
EVERYONE: tuple[Role, ...] = ("clinician", "patient", "reader")


class RoleRefused(Forbidden):
    """The page exists and is not for this role."""


@dataclass(frozen=True)
class Launch:
    """An open launch: what views and presenters may know of it. ``patient`` is the id of the launch's patient."""

    record: LaunchRecord
    site: SiteConfig
    today: date
    secret: str = field(repr=False)
    _state: State = field(repr=False)

    @property
    def id(self) -> str:
        return self.record.id

    @property
    def role(self) -> Role:
        return self.record.context.role

    @property
    def patient(self) -> str:
        return self.record.context.patient

    @property
    def patient_name(self) -> str:
        return self.record.context.patient_name

    @property
    def birth_date(self) -> date | None:
        return full_date(self.record.context.birth_date)

    @property
    def encounter(self) -> str:
        return self.record.context.encounter

    @property
    def user_key(self) -> str:
        return self.record.user_key

    @property
    def user_name(self) -> str:
        return self.record.context.user_name

    @property
    def fhir_user(self) -> str:
        return self.record.context.fhir_user

    @property
    def language(self) -> str:
        return self.record.context.language

    @property
    def framed(self) -> bool:
        return self.record.context.framed

    @property
    def scopes(self) -> tuple[str, ...]:
        return self.record.tokens.scopes

    @property
    def without_figures(self) -> bool:
        """A patient whose own answers, given alone, are the latest rating of today (the site's day): scores, change and
        gaps wait until a clinician has rated too, or until tomorrow, in whichever browser the app is opened. To who
        answers late in the evening, the minutes after midnight are "right after answering" all the same (rule 20)."""
        if self.role != "patient":
            return False
        morning = datetime.combine(self.today, time.min, self.site.zone)
        since = min(morning, now() - _RIGHT_AFTER)
        saved = self._state.store.filings.of_patient(self.record.owner, since=since)
        ratings = [each.details for each in saved if each.details["kind"] == "response"]
        return bool(ratings) and ratings[-1]["author"] == f"Patient/{self.patient}"

    def client(self) -> FhirClient:
        """The EHR as this user, for this patient; for this request, which has a place among those that wait for it."""
        hospital = self._state.hospitals[self.site.name]
        return client_of(self.record, hospital, self._state.store, self._state.clock, place_among(hospital.places).take)


def full_date(text: str) -> date | None:
    """A FHIR date with year, month and day; None where the record knows less."""
    try:
        return parse_date(text) if len(text) == len("1986-03-12") else None
    except ResourceError:
        return None


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


def audit(
    action: str,
    launch: Launch,
    *,
    resources: tuple[str, ...] = (),
    outcome: Outcome = "success",
    purpose: str = "",
) -> None:
    """Commits the audit row; to be called before data is shown or sent. ``resources`` are references."""
    _record(action, launch.record, resources, outcome, purpose)


def audit_ended(ended: LaunchRecord, why: str) -> None:
    """The same of a launch that was ended by what is done in another, of whatever site."""
    _record("session-ended", ended, (), "success", why)


def _record(action: str, of: LaunchRecord, resources: tuple[str, ...], outcome: Outcome, purpose: str) -> None:
    entry = Entry(
        action=action,
        outcome=outcome,
        who=of.who,
        site=of.context.site,
        patient=f"Patient/{of.context.patient}",
        patient_key=of.patient_key,
        purpose=purpose,
        objects=resources,
    )
    state().store.audit.record(entry, now())


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


def opened(record: LaunchRecord, secret: str) -> Launch:
    """The open launch behind ``record``."""
    site = state().config.sites[record.context.site]
    return Launch(record, site, now().astimezone(site.zone).date(), secret, state())


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
