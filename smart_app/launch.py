"""SMART App Launch, from the EHR or standalone: from `/launch` to a launch of this app, and its end.

`GET /launch` writes nothing to the store: what must last until the callback stands in a sealed cookie (pending.py).
"""

import hmac
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

from flask import (
    Blueprint,
    Response,
    after_this_request,
    g,
    jsonify,
    make_response,
    redirect,
    render_template,
    request,
    url_for,
)
from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Response as BaseResponse

from imr_fhir.ehr.authorization import (
    as_form,
    authorization_request,
    by_post,
    launch_parameters,
    may_be_standalone,
    parse_callback,
)
from imr_fhir.ehr.outcome import plain
from imr_fhir.ehr.scopes import to_ask
from imr_fhir.ehr.token import PrivateKeyJwt, public_jwks
from imr_fhir.errors import EhrError, ImrError, LaunchError, StateError, UnknownIssuer
from smart_app import cookies
from smart_app import pending as under_way
from smart_app.access import EVERYONE, LOCK_BEFORE, back_address, with_launch
from smart_app.auditing import audit, audit_ended
from smart_app.headers import forms_may_go_to, may_be_framed_by
from smart_app.hospital import Hospital
from smart_app.landing import landing
from smart_app.language import LANGUAGES, first_language
from smart_app.log_in import log_in
from smart_app.open_launch import Launch, opened
from smart_app.pending import Pending
from smart_app.places import place_among
from smart_app.state import now, state
from smart_app.store.errors import NoAccess
from smart_app.store.launch import Context, Started, Tokens
from smart_app.tokens import end_later

launch = Blueprint("launch", __name__)
_AGAIN = "Open the app again from the patient's chart."
_WINDOW = "window"
_ADDRESS = 7_500  # proxies take 8 kB of request line and less


@launch.get("/launch")
def begin() -> BaseResponse:
    """Where the EHR opens the app: only a configured ``iss`` is answered with a way on."""
    asked = launch_parameters(request.query_string.decode("latin-1"))
    if not asked.get("iss") or not asked.get("launch"):
        raise LaunchError(
            "An EHR opens this app with iss and launch; one is missing.",
            next_step="Open the app from within a patient's chart.",
        )
    location, pending = _new_log_in(asked, in_window=False)
    response = redirect(location)
    under_way.keep(response, pending, state().seal, now())
    return response


@launch.get("/launch/standalone/<site>")
def standalone(site: str) -> BaseResponse:
    """Where a person opens the app without a chart: a bookmark, a portal's link. The EHR asks for the patient."""
    if site not in state().hospitals:
        raise NotFound
    asked = {"iss": state().hospitals[site].site.iss, "ui_locales": request.args.get("ui_locales", "")}
    location, pending = _new_log_in(asked, in_window=False)
    response = redirect(location)
    under_way.keep(response, pending, state().seal, now())
    return response


@launch.get("/launch/go")
def go() -> Any:
    """One bounce shows whether the browser brings our cookie back; only then does the EHR see its launch token."""
    pending = under_way.find(request.args.get("s", ""), state().seal, now())
    asked = asked_again(request.args.get("p", ""))
    if pending is not None and asked["of"] == pending.id:
        return _to_the_ehr(pending, asked["url"], by_post=asked["by_post"])
    return render_template("launch/no_cookie.html", sealed=request.args["p"], blocked=asked["in_window"])


@launch.post("/launch/open")
def open_window() -> Any:
    """The same launch in a window of its own, where a cookie holds. A link leads on: `form-action` would block a
    redirect from this POST to the EHR."""
    return in_window(asked_again(request.form.get("sealed", "")))


def asked_again(sealed: str) -> dict[str, Any]:
    """What the EHR opened the app with, as a page carried it on; the site's EHR may frame the answer. Raises
    StateError."""
    again = state().seal.open(_WINDOW, "", sealed, now(), lifetime=under_way.LIFETIME)
    if again is None:
        raise StateError("This log-in was begun too long ago, or elsewhere.", next_step=_AGAIN)
    may_be_framed_by(_hospital(again[0]["iss"]).site)
    return again[0]


def in_window(asked: dict[str, Any]) -> Response:
    """A log-in of this window."""
    location, pending = _new_log_in(asked, in_window=True)
    response = make_response(render_template("launch/go_on.html", location=location))
    under_way.keep(response, pending, state().seal, now())
    response.headers["Refresh"] = f"0; url={location}"
    return response


@launch.get("/callback/<site>")
def callback(site: str) -> BaseResponse:
    """Where the EHR's authorization server sends the browser back, with a code that is spent once."""
    given = request.args.get("state", "")
    pending = under_way.find(under_way.pending_id(given), state().seal, now())
    if pending is None or pending.site != site or not hmac.compare_digest(pending.state.encode(), given.encode()):
        return _panel_of_replayed(given)
    hospital = state().hospitals[site]
    may_be_framed_by(hospital.site)
    code = parse_callback(request.query_string.decode("latin-1"), state=pending.state, config=pending.configuration)
    place_among(hospital.places).take()  # before anything is spent: the same address works once there is one
    after_this_request(lambda response: _forget(response, pending))
    try:
        state().store.states.use(pending.state, now())
    except StateError:
        return _panel_of_replayed(given)
    g.spent = True  # what fails from here on can't be tried again at this address
    try:
        context, tokens = log_in(pending, code, hospital, g.language, now())
    except (LaunchError, EhrError) as error:
        state().failed.note(site, type(error).__name__, now())
        raise
    try:
        started = _started(pending, context, tokens)
    except ImrError:
        hospital.end_later(tokens)
        raise
    end_later(started.ended, state().hospitals)
    return _into(started)


@launch.get("/.well-known/jwks.json")
def jwks() -> Response:
    """Our public keys, for EHRs where the app signs."""
    ways = [hospital.authentication for hospital in state().hospitals.values()]
    return jsonify(public_jwks(way for way in ways if isinstance(way, PrivateKeyJwt)))


@launch.post("/l/<lid>/language")
@with_launch(*EVERYONE)
def language(launch: Launch) -> BaseResponse:
    """By hand, for the rest of the launch."""
    chosen = request.form.get("language", "")
    if chosen in LANGUAGES:
        state().store.launches.change(launch.id, lambda context: replace(context, language=chosen))
    return redirect(back_address(launch.id, urlsplit(request.referrer or "").path), 303)


@launch.post("/l/<lid>/log-out")
@with_launch(*EVERYONE)
def logout(launch: Launch) -> Response:
    """Ends the launch and its tokens; drafts are kept."""
    audit("log-out", launch)
    ended = state().store.launches.end(launch.id, "log-out", now())
    if ended is not None:
        end_later([ended], state().hospitals)
    g.pop("header")
    g.covered = launch.id
    response = make_response(render_template("launch/logged_out.html"))
    cookies.drop_cookie(response, cookies.launch_cookie(launch.id), framed=launch.framed)
    return response


@launch.get("/l/<lid>/idle")
@with_launch(*EVERYONE, touch=False)
def idle(launch: Launch) -> Response:
    """What an unused page turns into: nothing of the patient, and a way on for as long as the launch lives."""
    g.pop("header")
    back = back_address(launch.id, request.args.get("back", ""))
    minutes = int(LOCK_BEFORE.total_seconds()) // 60
    response = make_response(render_template("launch/idle.html", lid=launch.id, back=back, minutes=minutes))
    response.headers["Refresh"] = f"{minutes * 60 + 1}; url={url_for('launch.idle', lid=launch.id)}"
    return response


@launch.post("/l/<lid>/go-on")
@with_launch(*EVERYONE)
def go_on(launch: Launch) -> BaseResponse:
    """Back to the page that locked itself; the idle time begins again."""
    return redirect(back_address(launch.id, request.form.get("back", "")), 303)


def _new_log_in(asked: dict[str, Any], *, in_window: bool) -> tuple[str, Pending]:
    """A new log-in, and the address that shows whether its cookie came back. Without ``launch`` it is standalone."""
    hospital, launch_token = _hospital(asked["iss"]), asked.get("launch", "")
    may_be_framed_by(hospital.site)
    configuration = hospital.configuration(now(), anonymous=True)
    if not launch_token and not may_be_standalone(configuration):
        raise LaunchError("This EHR opens the app from within a patient's chart only.", next_step="Open the app there.")
    scopes = to_ask(
        configuration.capabilities,
        configured=hospital.site.scopes,
        standalone=not launch_token,
        documents="DocumentReference" not in hospital.site.never_write,
    )
    wanted = authorization_request(
        configuration,
        client_id=hospital.site.client_id,
        redirect_uri=hospital.redirect_uri,
        scopes=scopes,
        launch=launch_token,
    )
    pending = Pending(
        site=hospital.site.name,
        state=wanted.state,
        nonce=wanted.nonce,
        verifier=wanted.verifier,
        redirect_uri=hospital.redirect_uri,
        asked=scopes,
        framed=cookies.is_framed(),
        language=first_language(asked.get("ui_locales", "").split()) or "",
        configuration=configuration,
    )
    again: dict[str, Any] = {name: asked.get(name, "") for name in ("iss", "launch", "ui_locales")}
    again |= {"in_window": in_window, "of": pending.id, "url": wanted.url}
    again |= {"by_post": hospital.site.authorize_by_post or by_post(wanted.url, configuration)}
    location = url_for("launch.go", s=pending.id, p=state().seal.close(_WINDOW, "", again, now()))
    if len(location) > _ADDRESS:
        raise LaunchError("The EHR's launch token is too long.", next_step="Tell the EHR's administrator.")
    return location, pending


def _started(pending: Pending, context: Context, tokens: Tokens) -> Started:
    """In the store and the log, with what it ended. Raises StoreError."""
    presented = cookies.launch_secrets()
    with state().store.writing():
        started = state().store.launches.start(context, tokens, presented.values(), now())
        state().store.states.led_to(pending.state, started.launch.id)
        for each in started.ended:
            audit_ended(each, "by the next log-in")
        audit("log-in", opened(started.launch, started.secret))
    return started


def _to_the_ehr(pending: Pending, url: str, *, by_post: bool) -> Any:
    if not by_post:
        return redirect(url)
    action, fields = as_form(url, pending.configuration)
    forms_may_go_to(state().config.sites[pending.site], action)
    return render_template("launch/to_ehr.html", action=action, fields=fields)


def _panel_of_replayed(given: str) -> BaseResponse:
    """A callback that comes again (Back, reload) leads to its launch where that is still open in this browser."""
    lid = state().store.states.launch_of(given)
    secret = cookies.secret_of(cookies.launch_cookie(lid))
    try:
        found = state().store.launches.access(lid, secret, now())
    except NoAccess:
        raise StateError("This log-in is over, or was not begun in this browser.", next_step=_AGAIN) from None
    return redirect(landing(found), 303)


def _into(started: Started) -> BaseResponse:
    """To its first page with the launch's own cookie; cookies of launches that are over go."""
    context = started.launch.context
    response = redirect(landing(started.launch), 303)
    live = state().store.launches.of_browser(cookies.launch_secrets().values(), now())
    for name in cookies.launch_secrets().keys() - {cookies.launch_cookie(each.id) for each in live}:
        cookies.drop_cookie(response, name, framed=context.framed)
    name = cookies.launch_cookie(started.launch.id)
    cookies.set_cookie(response, name, started.secret, framed=context.framed)
    return response


def _forget(response: Response, pending: Pending) -> Response:
    under_way.drop(response, pending)
    return response


def _hospital(iss: str) -> Hospital:
    """By exact comparison. Raises UnknownIssuer; nothing is ever called there."""
    for hospital in state().hospitals.values():
        if hospital.site.iss == iss:
            return hospital
    raise UnknownIssuer(
        f"{plain(iss, 200)!r} is no EHR that the app was set up for.", next_step="Tell your IT department."
    )
