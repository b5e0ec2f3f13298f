"""The log-in by Keycloak, from the launch to the log-out, where one runs (see tests/servers/keycloak.py)."""

import html
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from imr_fhir.ehr.scopes import to_ask
from tests.flows import steps
from tests.flows.steps import SAVED, heading
from tests.oidc_front import CAPABILITIES, OidcFront
from tests.running import CLIENT_ID, SITE, Browser, Chart, Running, running
from tests.servers.keycloak import ADDRESS, PASSWORD, PATHS, REALM, USER, realm
from tests.web.steps import end_unused, record_of, titled, token_ends_now, with_parameter

pytestmark = pytest.mark.skipif(not ADDRESS, reason="IMR_KEYCLOAK names no Keycloak that runs")


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Running, OidcFront]]:
    with running(tmp_path_factory.mktemp("keycloak")) as run:
        sandbox = run.hospital.app.wsgi_app

        def fhir(environ: dict[str, Any], start_response: Any) -> Any:
            """The front has asked Keycloak about the bearer; the sandbox takes its own only."""
            house = run.hospital.hospital.access_token("system/*.cruds")
            return sandbox(environ | {"HTTP_AUTHORIZATION": f"Bearer {house}"}, start_response)

        redirect = f"{run.url}/callback/{SITE}"
        with realm(client=CLIENT_ID, redirect=redirect, scopes=to_ask(CAPABILITIES)) as keycloak:
            front = OidcFront(sandbox, run.hospital.hospital, fhir, keycloak.url, keycloak.secret, PATHS)
            run.hospital.app.wsgi_app = front  # type: ignore[method-assign]
            yield run, front


@pytest.fixture
def run(world: tuple[Running, OidcFront]) -> Iterator[Running]:
    yield world[0]
    world[0].store.launches.end_all("end of the test", world[0].clock())


def logged_in(browser: Browser, page: requests.Response) -> requests.Response:
    """Keycloak's own page, filled in, and where it sends the browser: the callback, not yet opened."""
    action = re.search(r'action="([^"]+/login-actions/authenticate[^"]+)"', page.text)
    assert action, page.text
    return browser.post(html.unescape(action[1]), data={"username": USER, "password": PASSWORD})


def launched(run: Running) -> tuple[Browser, requests.Response]:
    browser = Browser()
    return browser, logged_in(browser, browser.open(run.launch_url("per-olsen")))


def chart_of(run: Running) -> Chart:
    browser, sent = launched(run)
    page = browser.follow(sent)
    assert urlsplit(page.url).path.startswith("/l/"), page.text
    return Chart(browser, page.url, page)


def test_from_the_launch_to_the_record_and_out(run: Running) -> None:
    chart = chart_of(run)
    record = record_of(run, chart)
    assert (record.context.role, record.context.fhir_user) == ("clinician", "Practitioner/kari")
    assert record.context.issuer == f"{run.hospital.base_url}/realms/{REALM}"
    assert heading(steps.rate(chart)) == SAVED
    assert steps.say("ratings.title", n=1) in steps.text(chart.browser.get(chart.url))
    chart.browser.submit(chart.browser.get(chart.url), "log-out")
    end_unused(run)
    bearer = {"Authorization": f"Bearer {record.tokens.access_token}"}
    url = f"{run.hospital.fhir_base}/Patient/per-olsen"
    assert requests.get(url, headers=bearer, timeout=30).status_code == 401


def test_refresh_rotates(world: tuple[Running, OidcFront], run: Running) -> None:
    chart = chart_of(run)
    first = record_of(run, chart).tokens
    token_ends_now(run, chart)
    assert chart.browser.get(chart.url).status_code == 200
    second = record_of(run, chart).tokens
    assert first.access_token != second.access_token
    assert first.refresh_token != second.refresh_token


def test_the_callback_names_the_issuer_and_another_is_refused(run: Running) -> None:
    browser, sent = launched(run)
    location = sent.headers["Location"]
    assert parse_qs(urlsplit(location).query)["iss"] == [f"{run.hospital.base_url}/realms/{REALM}"]
    refused = browser.get(with_parameter(location, iss=run.hospital.fhir_base))
    assert titled(refused) == steps.say("error.authorization.title")


def test_pkce_is_enforced(run: Running) -> None:
    browser = Browser()
    page = browser.get(run.launch_url("per-olsen"))
    while not urlsplit(page.headers["Location"]).path.startswith("/realms/"):
        page = browser.get(requests.compat.urljoin(page.url, page.headers["Location"]))
    ended = browser.open(with_parameter(page.headers["Location"], code_challenge_method="plain"))
    assert titled(ended) == steps.say("error.authorization.title")
