"""The app opened without a chart: the hospital asks who it is and which patient."""

import html
import re
from dataclasses import replace
from pathlib import Path
from urllib.parse import parse_qs, urljoin, urlsplit

import pytest
import requests

from smart_app.plan import plan_from
from smart_app.sandbox import Client, capability, start_hospital
from smart_app.sandbox.config import HospitalConfig
from smart_app.store.launch import Launch
from tests.running import SITE, Browser, Chart, Running, running
from tests.web.steps import record_of, rows, titled


def asked_by_the_hospital(run: Running, browser: Browser) -> requests.Response:
    page = browser.open(f"{run.url}/launch/standalone/{SITE}")
    assert page.url.startswith(f"{run.hospital.base_url}/oauth2/authorize?"), page.url
    return page


def chosen(browser: Browser, page: requests.Response, **choice: str) -> requests.Response:
    fields = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', page.text)
    data = {name: html.unescape(value) for name, value in fields} | choice
    return browser.follow(browser.post(urljoin(page.url, "/oauth2/chosen"), data=data))


def logged_in(run: Running, user: str, patient: str = "jonas-lie") -> Launch:
    browser = Browser()
    panel = chosen(browser, asked_by_the_hospital(run, browser), user=user, patient=patient)
    assert panel.status_code == 200, panel.text
    assert "Jonas Lie" in panel.text
    return record_of(run, Chart(browser, panel.url, panel))


def test_a_clinician_chooses_the_patient_at_the_hospital(run: Running) -> None:
    launch = logged_in(run, "kari")
    assert (launch.context.role, launch.context.patient, launch.context.encounter) == ("clinician", "jonas-lie", "")
    assert plan_from(launch.context.plan).may_file("client")


def test_a_patient_logs_in_to_the_own_record(run: Running) -> None:
    assert logged_in(run, "patient").context.role == "patient"


def test_the_request_asks_for_a_patient_and_names_no_launch(run: Running) -> None:
    sent = parse_qs(urlsplit(asked_by_the_hospital(run, Browser()).url).query)
    scopes = sent["scope"][0].split()
    assert "launch/patient" in scopes
    assert "launch" not in scopes
    assert "launch" not in sent
    assert sent["code_challenge_method"] == ["S256"]


def test_it_writes_nothing_to_the_store_before_the_callback(run: Running) -> None:
    tables = ("used_state", "ticket", "launch", "draft", "audit")
    before = [rows(run, table) for table in tables]
    asked_by_the_hospital(run, Browser())
    assert [rows(run, table) for table in tables] == before


def test_an_unknown_site_is_a_page_that_is_not_there(run: Running) -> None:
    assert Browser().get(f"{run.url}/launch/standalone/elsewhere").status_code == 404
    assert run.asked == []


def test_without_a_cookie_a_window_of_its_own_goes_on_standalone(run: Running) -> None:
    browser = Browser(framed=True)
    bounce = browser.get(f"{run.url}/launch/standalone/{SITE}")
    browser.jar.clear()
    page = browser.get(urljoin(bounce.url, bounce.headers["Location"]))
    sealed = re.search(r'name="sealed" value="([^"]+)"', page.text)
    assert sealed
    window = Browser()
    opened = window.post(f"{run.url}/launch/open", data={"sealed": sealed[1]})
    link = re.search(r'<a href="(/launch/go[^"]+)"', opened.text)
    assert link
    page = window.open(urljoin(opened.url, html.unescape(link[1])))
    assert "launch/patient" in parse_qs(urlsplit(page.url).query)["scope"][0]


def test_where_the_hospital_names_no_patient_there_is_no_launch(run: Running) -> None:
    browser = Browser()
    page = chosen(browser, asked_by_the_hospital(run, browser), user="kari", patient="")
    assert (page.status_code, titled(page)) == (400, "The EHR did not say which patient this is about")


def test_a_hospital_that_lets_nobody_choose_is_not_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = capability.smart_configuration

    def without(config: HospitalConfig) -> dict[str, object]:
        told = real(config)
        return told | {"capabilities": [each for each in told["capabilities"] if "standalone" not in each]}

    monkeypatch.setattr("smart_app.sandbox.fhir_api.smart_configuration", without)
    with running(tmp_path) as run:
        page = Browser().open(f"{run.url}/launch/standalone/{SITE}")
        assert page.status_code == 400
        assert "from within a patient&#39;s chart" in page.text
        assert not any("authorize" in asked for asked in run.asked)


def test_a_hospital_of_smart_1_is_asked(tmp_path: Path) -> None:
    with running(tmp_path, start=lambda config: start_hospital(replace(config, smart_1=True))) as run:
        assert logged_in(run, "kari").context.role == "clinician"


def test_a_registration_without_the_scope_is_told(tmp_path: Path) -> None:
    def client(*given: object, **settings: object) -> Client:
        made = Client(*given, **settings)  # type: ignore[arg-type]
        return replace(made, scopes=tuple(scope for scope in made.scopes if scope != "launch/patient"))

    with running(tmp_path, client=client) as run:
        browser = Browser()
        page = chosen(browser, asked_by_the_hospital(run, browser), user="kari", patient="eva-berg")
        assert (page.status_code, rows(run, "launch")) == (400, 0)
