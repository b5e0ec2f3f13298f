"""Marked values go through the whole flow at DEBUG; afterwards they stand in no log, no file and no temporary file.

To see it fail: print a name anywhere, or store a value without sealing it.
"""

import base64
import io
import logging
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
import requests

from imr_fhir.errors import Forbidden
from smart_app.logs import set_up_logging
from smart_app.sandbox import Client
from smart_app.store.errors import StoreBusy
from tests.running import Browser, Chart, Running, log_in, marked, running
from tests.web.steps import end_unused, record_of

PATIENT = "canary-patient"
NUMBER = "99019912345"
PIN = "739164"


class Logs:
    """All that is logged at DEBUG by the app, as it prints it, and as any other handler would."""

    def __init__(self) -> None:
        self.printed, self.raw = io.StringIO(), io.StringIO()

    def __enter__(self) -> "Logs":
        self._level = logging.getLogger().level
        self._ours = set_up_logging("DEBUG", self.printed)
        self._any = logging.StreamHandler(self.raw)
        # the hospital runs in the same process, and its authorization server logs the codes that it gives
        self._any.addFilter(lambda record: not record.name.startswith(("smart_app.sandbox", "authlib.")))
        logging.getLogger().addHandler(self._any)
        return self

    def __exit__(self, *_: object) -> None:
        logging.getLogger().removeHandler(self._ours)
        logging.getLogger().removeHandler(self._any)
        logging.getLogger().setLevel(self._level)


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Running]:
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    with running(tmp_path) as run:
        yield run


def put_patient(run: Running, given: str, family: str) -> None:
    patient = {
        "resourceType": "Patient",
        "id": PATIENT,
        "identifier": [{"system": "urn:oid:2.16.578.1.12.4.1.4.1", "value": NUMBER}],
        "name": [{"use": "official", "given": [given], "family": family}],
        "birthDate": "1999-01-09",
    }
    token = run.hospital.hospital.access_token("system/*.cruds")
    headers = {"Authorization": f"Bearer {token}"}
    answer = requests.put(f"{run.site.iss}/Patient/{PATIENT}", json=patient, headers=headers, timeout=5)
    assert answer.status_code in (200, 201), answer.text


def hidden(page: requests.Response) -> dict[str, str]:
    return dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', page.text))


def post(browser: Browser, page: requests.Response, **fields: str) -> requests.Response:
    """The form of ``page`` to its own address, and on to where that leads."""
    assert page.status_code == 200, page.text
    done = browser.follow(browser.post(page.url, data=hidden(page) | fields))
    assert done.status_code == 200, done.text
    return done


def whole_flow(chart: Chart, words: dict[str, str]) -> None:
    """A goal, the hand-over with answers and a comment, back by the PIN, an end; and what goes wrong on the way."""
    browser = chart.browser
    post(browser, browser.get(chart.at("goal/new")), text=words["goal"], theirs="yes", area="home", do="save")
    browser.post(chart.at("goal/new"), data={"text": words["goal"]}, headers={"Origin": "null"})
    start = post(browser, browser.get(chart.at("give")), pin=PIN)
    home = start.url
    assert urlsplit(home).path.startswith("/p/")
    for number in range(1, 16):
        post(browser, browser.get(f"{home}{number}"), **{f"{number:02}": f"{number:02}-2"}, go="next")
    post(browser, browser.get(f"{home}comment"), comment=words["comment"], go="next")
    check = browser.get(f"{home}check")
    browser.follow(browser.post(f"{home}send", data=hidden(check)))
    locked = browser.follow(browser.get(chart.url))
    browser.post(chart.at("back"), data=hidden(locked) | {"pin": "000000"})
    back = browser.follow(browser.post(chart.at("back"), data=hidden(locked) | {"pin": PIN}))
    assert back.status_code == 200, back.text
    browser.get(chart.url)


def test_no_patient_s_data_and_no_secret_is_logged_or_lies_about(run: Running) -> None:
    words = {name: marked(name) for name in ("given", "family", "goal", "comment", "fault")}
    put_patient(run, words["given"], words["family"])
    with Logs() as logs:
        chart = log_in(run, patient=PATIENT)
        tokens = record_of(run, chart).tokens
        whole_flow(chart, words)
        run.app.view_functions["health.livez"] = lambda: {}[words["fault"]]  # a fault whose message quotes a record
        chart.browser.get(f"{run.url}/livez")
        secrets = set(chart.browser.jar["127.0.0.1"].values()) | seen_in_addresses_and_cookies(chart.browser)
        chart.browser.submit(chart.browser.get(chart.url), "log-out")
        end_unused(run)
    canaries = {*words.values(), NUMBER, PIN, tokens.access_token, tokens.refresh_token, *secrets}
    assert len(canaries) > 12
    assert all(len(canary) >= 6 for canary in canaries)
    app_logs = logs.printed.getvalue()
    assert "GET /callback/<site> 303" in app_logs
    assert "smart_app.error_pages" in app_logs
    raw = re.sub(r"(?s)Traceback.*?\nKeyError: [^\n]*\n", "", logs.raw.getvalue())  # another handler prints messages
    assert found_in(canaries, {"log": app_logs.encode(), "any log": raw.encode()}) == []
    assert not re.search(r"\b\d\d-2\b", app_logs), "an answer's code"
    private, temporary = files(run.folder / "private"), files(run.folder / "temporary")
    assert any(name.endswith("imr.sqlite") for name in private)
    assert found_in(canaries, private) == []
    assert temporary == {}


def test_the_patient_s_own_launch_and_a_client_s_secret_leave_nothing_either(tmp_path: Path) -> None:
    words = {name: marked(name) for name in ("given", "family", "comment", "tenant", "secret")}
    file = tmp_path / "client.secret"
    file.write_text(words["secret"])

    def client(*given: Any, **settings: Any) -> Client:
        return Client(*given, **settings, secret=words["secret"])

    with running(
        tmp_path, authentication="client_secret_basic", client_secret_file=file, client=client
    ) as run, Logs() as logs:  # fmt: skip
        put_patient(run, words["given"], words["family"])
        chart = log_in(run, patient=PATIENT, user=f"Patient/{PATIENT}", tenant=words["tenant"])
        browser, tokens = chart.browser, record_of(run, chart).tokens
        start = browser.follow(browser.submit(chart.page, chart.at("answer/start")))
        for number in range(1, 16):
            post(browser, browser.get(f"{start.url}{number}"), **{f"{number:02}": f"{number:02}-2"}, go="next")
        post(browser, browser.get(f"{start.url}comment"), comment=words["comment"], go="next")
        check = browser.get(f"{start.url}check")
        receipt = browser.follow(browser.post(f"{start.url}send", data=hidden(check)))
        assert words["comment"] in receipt.text
        record = browser.get(chart.at("own/record"))
        assert words["comment"] in record.text
        assert browser.get(chart.at("own/opened")).status_code == 200
        secrets = set(browser.jar["127.0.0.1"].values()) | seen_in_addresses_and_cookies(browser)
        browser.submit(record, chart.at("log-out"))
        end_unused(run)
    basic = base64.b64encode(f"{run.site.client_id}:{words['secret']}".encode()).decode()
    canaries = {*words.values(), NUMBER, tokens.access_token, tokens.refresh_token, basic, *secrets}
    logged = {"log": logs.printed.getvalue().encode(), "any log": logs.raw.getvalue().encode()}
    assert found_in(canaries, logged | files(run.folder / "private")) == []
    assert not re.search(r"\b\d\d-2\b", logs.printed.getvalue()), "an answer's code"


def seen_in_addresses_and_cookies(browser: Browser) -> set[str]:
    """Code, state, launch token, nonce, challenge; and what cookies were set: the state's and the launch's secrets."""
    found = set()
    for response in browser.visited:
        for name, values in parse_qs(urlsplit(response.url).query).items():
            if name in ("code", "state", "launch", "nonce", "code_challenge", "p"):
                found |= {unquote(value) for value in values}
    return found | {line.partition("=")[2].partition(";")[0] for line in browser.set} - {""}


def files(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def found_in(canaries: set[str], places: dict[str, bytes]) -> list[tuple[str, str]]:
    """(place, canary) of each that is found, in UTF-8 or UTF-16, in any case."""
    return [
        (place, canary)
        for place, content in places.items()
        for canary in canaries
        if canary.lower().encode() in content.lower() or canary.encode("utf-16-le") in content
    ]


def test_the_canary_would_be_found(run: Running) -> None:
    secret = marked("seen")
    with Logs() as logs:
        logging.getLogger("smart_app.x").info("%s", secret)
    assert found_in({secret}, {"log": logs.printed.getvalue().encode()}) == [("log", secret)]


def test_a_method_that_nobody_knows_is_not_logged(run: Running) -> None:
    secret = marked("METHOD").upper()
    with Logs() as logs:
        requests.request(secret, f"{run.url}/livez", timeout=5)
    assert "other" in logs.printed.getvalue()
    assert found_in({secret}, {"log": logs.printed.getvalue().encode()}) == []


def test_what_libraries_log_comes_without_its_values() -> None:
    secret = marked("value")
    with Logs() as logs:
        logging.getLogger("urllib3.connectionpool").debug("GET %s", secret)
        logging.getLogger("waitress").warning("Exception while serving %s", secret)
    assert logs.printed.getvalue().endswith("WARNING waitress Exception while serving %s\n")
    assert logs.printed.getvalue().count("\n") == 1


def test_a_fault_while_a_fault_is_told_logs_no_address(run: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    """Flask itself then logs, under the app's own name, and its sentence has the path in it."""

    def refused(**_: str) -> None:
        raise Forbidden("No.", status=403, next_step="Ask.")

    def busy(*_: object, **__: object) -> None:
        raise StoreBusy(marked("message"), next_step="Wait.")

    chart = log_in(run)
    monkeypatch.setitem(run.app.view_functions, "launch.idle", refused)
    monkeypatch.setattr("smart_app.error_pages.audit", busy)
    with Logs() as logs:
        assert chart.browser.get(chart.at("idle")).status_code == 500
    assert "StoreBusy" in logs.printed.getvalue()
    assert chart.id not in logs.printed.getvalue()
