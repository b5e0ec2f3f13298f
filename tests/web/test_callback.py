"""Back from the hospital's log-in: one code, one state, one browser, one server."""

from datetime import timedelta
from pathlib import Path
from typing import NoReturn
from urllib.parse import parse_qs, urljoin, urlsplit

import pytest

from imr_fhir.errors import NotConnected
from smart_app import launch
from smart_app.config import SiteConfig
from tests.flows.steps import say, text
from tests.running import Browser, Running, running
from tests.web.steps import TOKEN, stop_before_callback, titled, with_parameter


@pytest.mark.parametrize(
    "tampered",
    [
        {"state": None},
        {"state": "x"},
        {"state": "{state}x"},
        {"state": "{first8}" + "x" * 35},
    ],
    ids=["missing", "foreign", "longer", "same beginning"],
)
def test_a_tampered_state_spends_no_code(run: Running, tampered: dict[str, str | None]) -> None:
    browser = Browser()
    callback = stop_before_callback(run, browser, run.launch_url("eva-berg"))
    state = parse_qs(urlsplit(callback).query)["state"][0]
    changed = {key: value and value.format(state=state, first8=state[:8]) for key, value in tampered.items()}
    response = browser.get(with_parameter(callback, **changed))
    assert (response.status_code, run.asked) == (400, [])
    assert titled(response) == "This log-in can't be gone on with"
    assert "Eva Berg" in browser.open(callback).text, "the right callback still works"


def test_a_changed_state_cookie_spends_no_code(run: Running) -> None:
    browser = Browser()
    callback = stop_before_callback(run, browser, run.launch_url("eva-berg"))
    ((name, value),) = browser.jar["127.0.0.1"].items()
    browser.jar["127.0.0.1"][name] = value[:-8] + ("A" * 8)
    assert (browser.get(callback).status_code, run.asked) == (400, [])


def test_a_state_cookie_under_another_name_spends_no_code(run: Running) -> None:
    """A cookie of another log-in of the same browser can't stand in for this one."""
    browser = Browser()
    callback = stop_before_callback(run, browser, run.launch_url("eva-berg"))
    other = stop_before_callback(run, browser, run.launch_url("jonas-lie"))
    jar = browser.jar["127.0.0.1"]
    mine, its = (f"__Host-s-{parse_qs(urlsplit(url).query)['state'][0][:8]}" for url in (callback, other))
    jar[mine] = jar[its]
    assert (browser.get(callback).status_code, run.asked) == (400, [])


def test_another_browser_s_callback_is_refused(run: Running) -> None:
    """Log-in CSRF: an attacker's own code and state, sent to a victim's browser."""
    callback = stop_before_callback(run, Browser(), run.launch_url("eva-berg"))
    victim = Browser()
    assert (victim.get(callback).status_code, run.asked) == (400, [])
    assert victim.jar["127.0.0.1"] == {}


def test_a_callback_after_ten_minutes_is_refused(run: Running) -> None:
    browser = Browser()
    callback = stop_before_callback(run, browser, run.launch_url("eva-berg"))
    run.clock.ahead = timedelta(minutes=10, seconds=1)
    assert (browser.get(callback).status_code, run.asked) == (400, [])


def test_a_replayed_callback_goes_to_the_panel_and_sends_no_code(run: Running) -> None:
    browser = Browser()
    callback = stop_before_callback(run, browser, run.launch_url("eva-berg"))
    panel = browser.open(callback)
    assert run.asked.count(TOKEN) == 1
    run.asked.clear()
    again = browser.get(callback)
    assert (again.status_code, urljoin(again.url, again.headers["Location"])) == (303, panel.url)
    assert run.asked == []


def test_a_replayed_callback_without_the_launch_s_cookie_is_refused(run: Running) -> None:
    browser = Browser()
    callback = stop_before_callback(run, browser, run.launch_url("eva-berg"))
    state_cookies = dict(browser.jar["127.0.0.1"])
    browser.open(callback)
    run.asked.clear()
    thief = Browser()
    thief.jar["127.0.0.1"] = state_cookies
    assert (thief.get(callback).status_code, run.asked) == (400, [])


def test_a_code_is_sent_once_even_where_the_token_is_refused(run: Running) -> None:
    browser = Browser()
    callback = stop_before_callback(run, browser, run.launch_url("eva-berg"))
    state_cookies = dict(browser.jar["127.0.0.1"])
    first = browser.get(with_parameter(callback, code="wrong"))
    browser.jar["127.0.0.1"] = state_cookies
    again = browser.get(callback)
    assert (first.status_code, again.status_code) == (403, 400)
    assert run.asked == [TOKEN]


def test_a_log_in_that_failed_on_the_way_says_to_open_the_app_again(
    run: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its code is spent, so that its own address leads nowhere any more."""

    def down(*_: object) -> NoReturn:
        raise NotConnected("no way")

    browser = Browser()
    callback = stop_before_callback(run, browser, run.launch_url("eva-berg"))
    monkeypatch.setattr(launch, "log_in", down)
    failed = browser.get(callback)
    assert (failed.status_code, titled(failed)) == (503, "The EHR does not answer right now")
    assert say("error.authorization.next") in text(failed)
    assert say("error.unreachable.next") not in text(failed)
    assert 'href=""' not in failed.text


def test_the_hospital_says_no(run: Running) -> None:
    browser = Browser()
    callback = stop_before_callback(run, browser, run.launch_url("eva-berg"))
    said = {"code": None, "error": "access_denied", "error_description": "not <b>today</b>\u202e"}
    response = browser.get(with_parameter(callback, **said))
    assert (response.status_code, run.asked) == (403, [])
    assert "The EHR says: not &lt;b&gt;today&lt;/b&gt;" in response.text
    assert "\u202e" not in response.text
    assert response.headers["Content-Security-Policy"].endswith(f"frame-ancestors {run.hospital.base_url}")


@pytest.mark.parametrize("issuer", [None, "{fhir}", "https://evil.example"])
def test_an_answer_of_another_server_is_refused(run: Running, issuer: str | None) -> None:
    """RFC 9207: iss is there, and is the issuer; the FHIR base is another thing."""
    browser = Browser()
    callback = stop_before_callback(run, browser, run.launch_url("eva-berg"))
    response = browser.get(with_parameter(callback, iss=issuer and issuer.format(fhir=run.site.iss)))
    assert (response.status_code, run.asked) == (403, [])


def test_one_site_s_answer_is_refused_at_another_s_callback(tmp_path: Path) -> None:
    other = SiteConfig(name="other", organization="O", phone="1", iss="http://localhost:1/fhir", client_id="x")
    with running(tmp_path, more_sites=(other,)) as run:
        browser = Browser()
        callback = stop_before_callback(run, browser, run.launch_url("eva-berg"))
        assert browser.get(callback.replace("/callback/sandbox", "/callback/other")).status_code == 400
        assert browser.get(callback.replace("/callback/sandbox", "/callback/nowhere")).status_code == 400
        assert run.asked == []
