"""A hospital and the app that run in this process, and a browser that is no more than HTTP: for flows of any screen.

    with running() as run:
        chart = log_in(run, patient="eva-berg")
        page = chart.session.get(chart.url)

The hospital is on localhost and the app on 127.0.0.1, so that to a browser the one is a foreign site to the other.
"""

import itertools
import re
import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.cookiejar import DefaultCookiePolicy
from pathlib import Path
from types import MappingProxyType
from typing import Any
from urllib.parse import urlencode, urljoin, urlsplit

import requests
from flask import Flask
from sqlalchemy.engine import URL

from smart_app import create_app
from smart_app.config import AppConfig, SiteConfig
from smart_app.ready_sites import ready_settings
from smart_app.sandbox import EHRS, Client, HospitalConfig, Launch, RunningHospital, start_hospital
from smart_app.serving import Server, WsgiApp, listen
from smart_app.store import Store
from smart_app.store.keys import load_keys

CLIENT_ID = "imr"
SITE = "sandbox"
SCOPES = ("launch", "launch/patient", "openid", "fhirUser", "online_access", "patient/*.cruds", "user/*.cruds")


class Clock:
    """The app's clock: the real one, some time ahead where a test says so."""

    def __init__(self) -> None:
        self.ahead = timedelta()
        self.hospital_ahead = timedelta()  # of the app's

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead

    def right(self) -> None:
        self.ahead = self.hospital_ahead = timedelta()


@dataclass(frozen=True)
class Running:
    hospital: RunningHospital
    app: Flask
    store: Store
    config: AppConfig
    clock: Clock
    folder: Path
    asked: list[str]
    """What the hospital was asked, as "POST /oauth2/token"; a test empties it where it begins to count."""
    twin: Flask | None = None
    """The other app, where two share a database."""

    @property
    def url(self) -> str:
        return self.config.public_url

    @property
    def site(self) -> SiteConfig:
        return self.config.sites[SITE]

    def launch_url(self, patient: str, user: str = "Practitioner/kari", **told: Any) -> str:
        """The address that a click in the chart opens."""
        launch = self.hospital.hospital.launch(Launch(user=user, patient=patient, **told))
        return f"{self.url}/launch?{urlencode({'iss': self.site.iss, 'launch': launch})}"


@contextmanager
def running(
    folder: Path,
    *,
    seed: tuple[str, ...] | None = ("north.json",),
    client: Callable[..., Client] = Client,
    start: Callable[[HospitalConfig], RunningHospital] = start_hospital,
    more_sites: tuple[SiteConfig, ...] = (),
    ehr: str = "generic",
    database: URL | None = None,
    **settings: Any,
) -> Iterator[Running]:
    """Both servers on free ports of loopback, all files below ``folder``.

    ``settings`` go to the site's SiteConfig; ``client`` makes the registration at the hospital, ``start`` starts that.
    ``database`` is where two apps keep their store, instead of one in a file; requests take turns between them.
    ``ehr``: a name of the sandbox's EHRS, with the settings of ``sites.toml`` for it; what it refuses can still be put
    in its record by a token of the hospital's own, ``run.hospital.hospital.access_token("system/*.cruds")``.
    """
    listener = listen("127.0.0.1", 0)
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    registered = client(CLIENT_ID, "IMR", SCOPES, redirect_uris=(f"{url}/callback/{SITE}",))
    hospital = start(
        HospitalConfig(folder / "hospital.sqlite", (registered,), app_launch_url=f"{url}/launch", seed=seed, ehr=ehr)
    )
    asked: list[str] = []
    clock = Clock()
    hospital.app.wsgi_app = _listening(hospital.app.wsgi_app, asked, clock)  # type: ignore[method-assign]
    site = SiteConfig(
        **{
            "name": SITE,
            "organization": "Nordlys DPS",
            "phone": "+47 00 00 00 00",
            "iss": hospital.fhir_base,
            "client_id": CLIENT_ID,
            "frame_ancestors": (hospital.base_url,),
            "allow_unverified_clinician_scale": True,
            "record_link": f"{hospital.base_url}/record/{{type}}/{{id}}",
            "extra_headers": EHRS[ehr].headers,
            **ready_settings(ehr),
            **settings,
        }
    )
    private = folder / "private"
    private.mkdir(mode=0o700, parents=True, exist_ok=True)
    config = AppConfig(
        sites=MappingProxyType({each.name: each for each in (site, *more_sites)}),
        demo=True,
        public_url=url,
        store=database or private / "imr.sqlite",
        keys=private / "imr.keys",
    )
    store = Store.open(config.store, load_keys(config.keys, create=True))
    stores = [store] if database is None else [store, Store.open(database, load_keys(config.keys))]
    apps = [create_app(config, store=each, clock=clock) for each in stores]
    server = Server(_in_turns(apps), listener, threads=config.threads)
    server.start()
    try:
        yield Running(hospital, apps[0], store, config, clock, folder, asked, *apps[1:])
    finally:
        server.stop(5)
        for each in stores:
            each.close()
        hospital.stop()


def _in_turns(applications: Sequence[WsgiApp]) -> WsgiApp:
    turns = itertools.cycle(applications)
    return lambda environ, start_response: next(turns)(environ, start_response)


def _listening(application: WsgiApp, asked: list[str], clock: Clock) -> WsgiApp:
    """Time that passes in a test passes at the hospital too: what it says in ``Date`` goes with the app's clock."""

    def listening(environ: Any, start_response: Any) -> Any:
        asked.append(f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']}")
        date = format_datetime(clock() + clock.hospital_ahead, usegmt=True)

        def dated(status: str, headers: list[tuple[str, str]], *more: Any) -> Any:
            return start_response(status, [*headers, ("Date", date)], *more)

        return application(environ, dated)

    return listening


class Browser(requests.Session):
    """Keeps cookies by host, follows no redirect by itself, and says where its forms come from.

    ``framed``: what it loads is loaded by a frame. ``jar[host][name]`` is a cookie's value, ``set`` all that was set,
    as it was sent. requests itself would never give a Secure cookie back to http://127.0.0.1, as Chromium does.
    """

    def __init__(self, *, framed: bool = False) -> None:
        super().__init__()
        self.trust_env = False
        self.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        self.headers["Sec-Fetch-Dest"] = "iframe" if framed else "document"
        self.headers["Accept-Language"] = "en"
        self.jar: dict[str, dict[str, str]] = {}
        self.set: list[str] = []
        self.visited: list[requests.Response] = []

    def request(self, method: str, url: str, **options: Any) -> requests.Response:  # type: ignore[override]
        options = {"timeout": 30, **options, "allow_redirects": False}
        parts = urlsplit(url)
        jar = self.jar.setdefault(parts.hostname or "", {})
        headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in jar.items())} if jar else {}
        if method.upper() == "POST":
            headers["Origin"] = f"{parts.scheme}://{parts.netloc}"
        response = super().request(method, url, **{**options, "headers": headers | (options.get("headers") or {})})
        for line in response.raw.headers.getlist("Set-Cookie"):
            self.set.append(line)
            name, _, value = line.partition(";")[0].partition("=")
            if "max-age=0" in line.lower():
                jar.pop(name, None)
            else:
                jar[name] = value
        self.visited.append(response)
        return response

    def follow(self, response: requests.Response) -> requests.Response:
        """The page that the redirects lead to."""
        while response.is_redirect:
            response = self.get(urljoin(response.url, response.headers["Location"]))
        return response

    def open(self, url: str) -> requests.Response:
        return self.follow(self.get(url))

    def submit(self, page: requests.Response, path: str, **fields: str) -> requests.Response:
        """Posts ``fields`` with the page's token to ``path`` of the same host; no redirect is followed."""
        return self.post(urljoin(page.url, path), data={"csrf": token_in(page.text), **fields})


@dataclass
class Chart:
    """An open launch. ``url`` is its panel, ``page`` what the browser shows first."""

    browser: Browser
    url: str
    page: requests.Response = field(repr=False)

    @property
    def id(self) -> str:
        return urlsplit(self.url).path.split("/")[2]

    def at(self, path: str) -> str:
        """An address below this launch."""
        return urljoin(self.url, path)


def log_in(
    run: Running,
    *,
    patient: str = "eva-berg",
    user: str = "Practitioner/kari",
    framed: bool = False,
    browser: Browser | None = None,
    **told: Any,
) -> Chart:
    """Walks the real redirects from the chart to the panel. ``told`` goes to the hospital's Launch (faults, intent)."""
    browser = browser or Browser(framed=framed)
    page = browser.open(run.launch_url(patient, user, **told))
    assert page.status_code == 200, page.text
    assert urlsplit(page.url).path.startswith("/l/"), page.url
    return Chart(browser, page.url, page)


def token_in(html: str) -> str:
    found = re.search(r'name="csrf" value="([^"]+)"', html)
    assert found, "the page has no form"
    return found[1]


def marked(what: str) -> str:
    """A value that stands nowhere else, to be looked for in logs and files."""
    return f"canary-{what}-{secrets.token_hex(8)}"
