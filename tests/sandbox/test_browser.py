"""Launches in Chromium: inside the chart, where third-party cookies are blocked, and in a tab."""

from collections.abc import Iterator
from pathlib import Path
from threading import Thread
from urllib.parse import urlencode

import pytest
from flask import Flask, redirect, request
from playwright.sync_api import Browser, Page
from werkzeug.serving import make_server
from werkzeug.wrappers import Response

from smart_app.sandbox import Client, HospitalConfig, RunningHospital, running_hospital

from .conftest import APP_SCOPES
from .launching import VERIFIER, s256

pytestmark = pytest.mark.browser


def application() -> Flask:
    """An application of two pages: to the hospital, and back."""
    app = Flask(__name__)

    @app.get("/launch")
    def launch() -> Response:
        iss = request.args["iss"]
        asked = {
            "response_type": "code",
            "client_id": "imr-app",
            "redirect_uri": f"{request.host_url}callback",
            "scope": "launch openid patient/*.rs",
            "state": "state-1",
            "aud": iss,
            "launch": request.args["launch"],
            "code_challenge": s256(VERIFIER),
            "code_challenge_method": "S256",
        }
        return redirect(f"{iss.removesuffix('/fhir')}/oauth2/authorize?{urlencode(asked)}")

    @app.get("/callback")
    def callback() -> str:
        return f"<p>{'let in' if 'code' in request.args else request.args['error_description']}</p>"

    return app


@pytest.fixture(scope="module")
def hospital(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHospital]:
    server = make_server("127.0.0.1", 0, application(), threaded=True)
    Thread(target=server.serve_forever, daemon=True).start()
    origin = f"http://127.0.0.1:{server.server_port}"
    client = Client("imr-app", "Stub", APP_SCOPES, (f"{origin}/callback",))
    path: Path = tmp_path_factory.mktemp("browser") / "hospital.sqlite"
    config = HospitalConfig(path, clients=(client,), app_launch_url=f"{origin}/launch", seed=("north.json",))
    with running_hospital(config) as running:
        yield running
    server.shutdown()


@pytest.fixture
def page(chromium: Browser, hospital: RunningHospital) -> Iterator[Page]:
    context = chromium.new_context(base_url=hospital.base_url, locale="en-GB")
    yield context.new_page()
    context.close()


def test_from_the_list_into_the_frame(page: Page) -> None:
    blocked: list[str] = []
    page.on("console", lambda message: blocked.append(message.text) if message.type == "error" else None)
    page.goto("/")
    page.get_by_role("link", name="Eva Berg").click()
    page.get_by_label("Logged in as").select_option("Ola Hansen")
    page.get_by_role("button", name="Open IMR in the chart").click()
    page.frame_locator("iframe").get_by_text("let in").wait_for()
    assert page.get_by_label("Logged in as").input_value() == "ola"
    assert page.context.cookies() == []
    assert blocked == []


def test_into_a_tab_of_its_own(page: Page) -> None:
    page.goto("/chart/tor-haugen?lang=nb")
    with page.expect_popup() as opened:
        page.get_by_role("button", name="Åpne IMR i egen fane").click()
    opened.value.get_by_text("let in").wait_for()
    assert opened.value.evaluate("window.opener") is None


def test_a_refusal_is_a_page_for_people(page: Page, hospital: RunningHospital) -> None:
    page.goto("/oauth2/authorize?client_id=unknown&response_type=code")
    assert "refused" in page.get_by_role("heading").inner_text()
    assert "does not exist" in page.inner_text("main")


@pytest.mark.parametrize("path", ["/", "/chart/tor-haugen?fault=slow", "/chart/tor-haugen/resource/Patient/tor-haugen"])
def test_pages_fit_a_narrow_screen(page: Page, path: str) -> None:
    page.set_viewport_size({"width": 400, "height": 800})
    page.goto(path)
    assert page.evaluate("document.documentElement.scrollWidth") <= 400
