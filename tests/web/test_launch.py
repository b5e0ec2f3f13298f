"""From the chart to the hospital's log-in, and every way in which it must not get there."""

import html
import re
import secrets
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, unquote, urlencode, urljoin, urlsplit

import pytest
import requests
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from imr_fhir.ehr.authorization import as_form, authorization_request
from smart_app.plan import plan_from
from smart_app.sandbox import Client, start_hospital
from smart_app.serving import Server, listen
from smart_app.state import state_of
from smart_app.store.code_tries import SHARE
from smart_app.store.codes import ALPHABET, LAUNCHES
from tests.flows.steps import say
from tests.running import Browser, Running, log_in, running
from tests.web.steps import TOKEN, end_unused, record_of, rows, stop_before_callback, titled


def test_a_launch_in_a_tab_reaches_the_panel_of_its_patient(run: Running) -> None:
    chart = log_in(run)
    assert "Eva Berg" in chart.page.text
    assert "born 12 April 1988" in chart.page.text


def test_launch_writes_nothing_to_the_store(run: Running) -> None:
    tables = ("used_state", "ticket", "launch", "draft", "audit")
    before = [rows(run, table) for table in tables]
    browser = Browser()
    assert browser.get(run.launch_url("eva-berg")).status_code == 302
    browser.get(f"{run.url}/launch?iss=https://elsewhere.example&launch=x")
    assert [rows(run, table) for table in tables] == before


@pytest.mark.parametrize("twist", ["{iss}/", "{iss}?x=1", "{other}", "{other}#{iss}", "", "file:///etc/passwd"])
def test_an_unknown_issuer_is_never_called(run: Running, twist: str) -> None:
    calls: list[str] = []

    def listening(environ: Any, start_response: Any) -> list[bytes]:
        calls.append(environ["PATH_INFO"])
        start_response("200 OK", [])
        return [b"{}"]

    server = Server(listening, listen("127.0.0.1", 0))
    server.start()
    iss = twist.format(iss=run.site.iss, other=f"http://localhost:{server.port}/fhir")
    run.asked.clear()
    response = Browser().get(f"{run.url}/launch?{urlencode({'iss': iss, 'launch': 'x'})}")
    server.stop(1)
    assert response.status_code == 400
    assert response.headers["Content-Security-Policy"].endswith("frame-ancestors 'none'")
    assert (calls, run.asked) == ([], [])


def test_a_parameter_that_comes_twice_is_refused(run: Running) -> None:
    url = run.launch_url("eva-berg") + "&iss=https://elsewhere.example"
    assert Browser().get(url).status_code == 403


@pytest.mark.parametrize("sent", ["a+b/c=", "a%2Bb%2Fc%3D", "a%20b", "%C3%A5"])
def test_a_launch_token_reaches_the_hospital_as_it_was_sent(run: Running, sent: str) -> None:
    browser = Browser()
    bounce = browser.get(f"{run.url}/launch?iss={quote(run.site.iss, safe='')}&launch={sent}")
    authorize = browser.get(urljoin(bounce.url, bounce.headers["Location"]))
    assert parse_qs(urlsplit(authorize.headers["Location"]).query)["launch"] == [unquote(sent)]


def test_a_launch_token_of_1500_characters_goes_as_a_form(run: Running) -> None:
    """Its address would be too long for some servers, and this hospital offers authorize-post."""
    token = secrets.token_urlsafe(1_125)
    page = Browser().open(f"{run.url}/launch?{urlencode({'iss': run.site.iss, 'launch': token})}")
    assert page.url.startswith(f"{run.url}/launch/go?")
    assert f'name="launch" value="{token}"' in page.text


def test_where_the_hospital_takes_no_form_a_long_address_is_tried(tmp_path: Path) -> None:
    token = secrets.token_urlsafe(1_125)
    with running(tmp_path, start=lambda config: start_hospital(replace(config, smart_1=True))) as run:
        browser = Browser()
        bounce = browser.get(f"{run.url}/launch?{urlencode({'iss': run.site.iss, 'launch': token})}")
        to_ehr = browser.get(urljoin(bounce.url, bounce.headers["Location"]))
        assert token in to_ehr.headers["Location"]


def test_a_site_may_have_the_request_posted(tmp_path: Path) -> None:
    with running(tmp_path, authorize_by_post=True, allowed_hosts=("https://login.example:8443",)) as run:
        browser = Browser()
        page = browser.open(run.launch_url("eva-berg"))
        policy = page.headers["Content-Security-Policy"]
        assert f"form-action 'self' {run.hospital.base_url} https://login.example:8443;" in policy
        assert f"frame-ancestors {run.hospital.base_url}" in policy
        found = re.search(r'<form method="post" action="([^"]+)" data-submit>', page.text)
        assert found, page.text
        assert found[1] == f"{run.hospital.base_url}/oauth2/authorize"
        fields = {name: html.unescape(value) for name, value in re.findall(r'name="(\w+)" value="([^"]*)"', page.text)}
        assert fields["redirect_uri"] == f"{run.url}/callback/sandbox"
        assert {"state", "nonce", "launch", "code_challenge", "aud", "scope", "client_id"} <= set(fields)
        panel = browser.follow(browser.post(found[1], data=fields))
        assert "Eva Berg" in panel.text
        assert panel.headers["Content-Security-Policy"].count("form-action 'self';") == 1


def test_what_the_authorization_endpoint_has_in_its_address_stays_there(run: Running) -> None:
    """Azure AD B2C names its policy there."""
    configuration = state_of(run.app).hospitals["sandbox"].configuration(run.clock())
    configuration = replace(configuration, authorization_endpoint="https://login.example/authorize?p=b2c&x=")
    asked = authorization_request(configuration, client_id="imr", redirect_uri="https://a/b", scopes=("a", "b"))
    address, fields = as_form(asked.url, configuration)
    assert address == "https://login.example/authorize?p=b2c&x="
    assert dict(fields)["scope"] == "a b"
    assert {"p", "x", "launch"}.isdisjoint(dict(fields))


@pytest.mark.parametrize("length", [100, 4_000])
def test_a_launch_token_longer_than_a_cookie_reaches_the_hospital(run: Running, length: int) -> None:
    token = secrets.token_urlsafe(length)
    browser = Browser()
    bounce = browser.get(f"{run.url}/launch?{urlencode({'iss': run.site.iss, 'launch': token})}")
    sent = browser.get(urljoin(bounce.url, bounce.headers["Location"]))
    if length == 100:
        assert parse_qs(urlsplit(sent.headers["Location"]).query)["launch"] == [token]
    else:
        assert f'name="launch" value="{token}"' in sent.text, "as a form: no address is as long"
    assert all(len(value) < 2_000 for value in browser.jar["127.0.0.1"].values())


def test_one_that_no_proxy_would_take_is_told(run: Running) -> None:
    url = f"{run.url}/launch?{urlencode({'iss': run.site.iss, 'launch': secrets.token_urlsafe(7_000)})}"
    response = Browser().get(url)
    assert response.status_code == 400
    assert "too long" in response.text


def test_the_request_of_one_log_in_is_not_sent_with_the_cookie_of_another(run: Running) -> None:
    browser = Browser()
    one, other = (browser.get(run.launch_url("eva-berg")).headers["Location"] for _ in range(2))
    mixed = parse_qs(urlsplit(one).query) | {"p": parse_qs(urlsplit(other).query)["p"]}
    run.asked.clear()
    page = browser.get(f"{run.url}/launch/go", params={name: values[0] for name, values in mixed.items()})
    assert titled(page) == "Open IMR in a window of its own"
    assert run.asked == []


def test_the_authorization_request_is_what_smart_asks_for(run: Running) -> None:
    browser = Browser()
    bounce = browser.get(run.launch_url("eva-berg"))
    authorize = browser.get(urljoin(bounce.url, bounce.headers["Location"]))
    sent = {name: values[0] for name, values in parse_qs(urlsplit(authorize.headers["Location"]).query).items()}
    assert sent["redirect_uri"] == f"{run.url}/callback/sandbox"
    assert (sent["code_challenge_method"], sent["aud"]) == ("S256", run.site.iss)
    assert {"launch", "openid", "fhirUser"} <= set(sent["scope"].split())
    assert min(len(sent["state"]), len(sent["nonce"])) >= 43


def test_without_a_cookie_a_window_of_its_own_is_offered_and_the_token_is_unspent(run: Running) -> None:
    framed = Browser(framed=True)
    bounce = framed.get(run.launch_url("eva-berg"))
    framed.jar.clear()  # the browser keeps no cookie in this frame
    run.asked.clear()
    page = framed.get(urljoin(bounce.url, bounce.headers["Location"]))
    assert titled(page) == "Open IMR in a window of its own"
    assert 'target="_blank"' in page.text
    assert page.headers["Content-Security-Policy"].endswith(f"frame-ancestors {run.hospital.base_url}")
    assert run.asked == [], "the hospital has not seen the launch token"
    sealed = re.search(r'name="sealed" value="([^"]+)"', page.text)
    assert sealed
    window = Browser()
    opened = window.post(f"{run.url}/launch/open", data={"sealed": sealed[1]})
    link = re.search(r'<a href="(/launch/go[^"]+)"', opened.text)
    assert link, "a link leads on: a redirect from a POST to the hospital is blocked by form-action"
    assert opened.headers["Refresh"].startswith("0; url=/launch/go?")
    panel = window.open(urljoin(opened.url, link[1].replace("&amp;", "&")))
    assert "Eva Berg" in panel.text
    assert all("Partitioned" not in line for line in window.set)


def blocked_in_its_frame(run: Running) -> tuple[Browser, requests.Response]:
    framed = Browser(framed=True)
    bounce = framed.get(run.launch_url("eva-berg"))
    framed.jar.clear()
    return framed, framed.get(urljoin(bounce.url, bounce.headers["Location"]))


def code_in(page: requests.Response) -> str:
    found = re.search(f"[{ALPHABET}]{{4}} [{ALPHABET}]{{4}}", page.text)
    assert found, page.text
    return found[0]


def sealed_in(page: requests.Response) -> str:
    found = re.search(r'name="sealed" value="([^"]+)"', page.text)
    assert found
    return found[1]


def test_where_no_window_opens_a_code_leads_into_one(run: Running) -> None:
    framed, page = blocked_in_its_frame(run)
    run.asked.clear()
    shown = framed.post(f"{run.url}/open/code", data={"sealed": sealed_in(page)})
    assert shown.headers["Content-Security-Policy"].endswith(f"frame-ancestors {run.hospital.base_url}")
    assert f"{run.url.partition('://')[2]}/open" in shown.text
    assert run.asked == [], "the hospital has not seen the launch token"
    window = Browser()
    assert "Eva" not in window.get(f"{run.url}/open").text
    opened = window.post(f"{run.url}/open", data={"code": code_in(shown).lower()})
    link = re.search(r'<a href="(/launch/go[^"]+)"', opened.text)
    assert link
    assert "Eva Berg" in window.open(urljoin(opened.url, link[1].replace("&amp;", "&"))).text
    again = window.post(f"{run.url}/open", data={"code": code_in(shown)})
    assert (again.status_code, say("launch.code.wrong") in again.text) == (400, True)


def test_a_code_of_a_launch_opens_no_hand_over_and_none_is_given_for_what_was_not_sealed_here(run: Running) -> None:
    framed, page = blocked_in_its_frame(run)
    shown = framed.post(f"{run.url}/open/code", data={"sealed": sealed_in(page)})
    assert Browser().post(f"{run.url}/p/", data={"code": code_in(shown)}).status_code == 400
    assert Browser().post(f"{run.url}/open", data={"code": code_in(shown)}).status_code == 200, "it is not spent"
    assert framed.post(f"{run.url}/open/code", data={"sealed": "x"}).status_code == 400
    foreign = {"Origin": run.hospital.base_url}
    assert framed.post(f"{run.url}/open/code", data={"sealed": sealed_in(page)}, headers=foreign).status_code == 403


def test_so_many_codes_and_so_many_wrong_ones(run: Running) -> None:
    framed, page = blocked_in_its_frame(run)
    given = [run.store.codes.issue_launch({}, "127.0.0.1", run.clock()) for _ in range(LAUNCHES.one)]
    none = framed.post(f"{run.url}/open/code", data={"sealed": sealed_in(page)})
    assert (none.status_code, say("launch.code.none") in none.text) == (429, True)
    for _ in range(SHARE.one):
        run.store.code_tries.wrong("127.0.0.1", run.clock())
    assert Browser().post(f"{run.url}/open", data={"code": given[0]}).status_code == 429
    with run.store.writing() as connection:
        for table in ("ticket", "wrong_code"):
            connection.exec_driver_sql(f"DELETE FROM {table}")


def test_a_browser_that_keeps_no_cookie_at_all_is_told_so(run: Running) -> None:
    browser = Browser()
    bounce = browser.get(run.launch_url("eva-berg"))
    browser.jar.clear()
    page = browser.get(urljoin(bounce.url, bounce.headers["Location"]))
    sealed = re.search(r'name="sealed" value="([^"]+)"', page.text)
    assert sealed
    opened = browser.post(f"{run.url}/launch/open", data={"sealed": sealed[1]})
    browser.jar.clear()
    link = re.search(r'<a href="(/launch/go[^"]+)"', opened.text)
    assert link
    page = browser.get(urljoin(opened.url, link[1].replace("&amp;", "&")))
    assert titled(page) == "This browser keeps no cookies for IMR"
    assert "<form" not in page.text


@pytest.mark.parametrize("sealed", ["", "x", "AQ", "é"])
def test_launch_parameters_that_were_not_sealed_here_open_nothing(run: Running, sealed: str) -> None:
    assert Browser().post(f"{run.url}/launch/open", data={"sealed": sealed}).status_code == 400
    assert Browser().get(f"{run.url}/launch/go", params={"s": "12345678", "p": sealed}).status_code == 400


def test_a_hospital_that_does_not_answer(run: Running, tmp_path: Path) -> None:
    with running(tmp_path, iss="http://localhost:1/fhir", frame_ancestors=()) as dead:
        response = Browser().get(f"{dead.url}/launch?{urlencode({'iss': 'http://localhost:1/fhir', 'launch': 'x'})}")
        assert (response.status_code, titled(response)) == (503, "The EHR does not answer right now")


def test_discovery_is_asked_once_an_hour(tmp_path: Path) -> None:
    with running(tmp_path) as run:
        for minutes in (0, 59, 61):
            run.clock.ahead = timedelta(minutes=minutes)
            Browser().get(run.launch_url("eva-berg"))
        assert run.asked.count("GET /fhir/.well-known/smart-configuration") == 2


def test_at_most_five_log_ins_are_under_way_in_a_browser(run: Running) -> None:
    browser = Browser()
    callbacks = []
    for second in range(7):
        run.clock.ahead = timedelta(seconds=second)
        callbacks.append(stop_before_callback(run, browser, run.launch_url("eva-berg")))
    kept = set(browser.jar["127.0.0.1"])
    newest = {f"__Host-s-{parse_qs(urlsplit(callback).query)['state'][0][:8]}" for callback in callbacks[2:]}
    assert kept == newest


def test_a_signing_client_logs_in_and_publishes_its_public_key(tmp_path: Path) -> None:
    pem = tmp_path / "client.pem"
    key = ec.generate_private_key(ec.SECP384R1())
    pem.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))

    def client(*given: Any, **settings: Any) -> Any:
        app = settings["redirect_uris"][0].partition("/callback/")[0]
        return Client(*given, **settings, jwks_uri=f"{app}/.well-known/jwks.json")

    with running(tmp_path, authentication="private_key_jwt", key_file=pem, client=client) as run:
        assert "Eva Berg" in log_in(run).page.text
        (published,) = requests.get(f"{run.url}/.well-known/jwks.json", timeout=5).json()["keys"]
    assert (published["alg"], published["use"]) == ("ES384", "sig")
    assert "d" not in published


@pytest.mark.parametrize(("secret", "status"), [("a b+c/%:&=", 200), ("another", 403)])
def test_a_client_with_a_secret_logs_in_renews_and_logs_out(tmp_path: Path, secret: str, status: int) -> None:
    file = tmp_path / "client.secret"
    file.write_text("a b+c/%:&=\n")

    def client(*given: Any, **settings: Any) -> Any:
        return Client(*given, **settings, secret=secret)

    with running(tmp_path, authentication="client_secret_basic", client_secret_file=file, client=client) as run:
        browser = Browser()
        page = browser.open(run.launch_url("eva-berg", faults=("token-expired",)))
        assert page.status_code == status, page.text
        if status == 200:
            browser.submit(page, urlsplit(page.url).path + "log-out")
            end_unused(run)
            assert [asked for asked in run.asked if asked.startswith("POST /oauth2")] == [
                *[TOKEN] * 2,
                *["POST /oauth2/revoke"] * 2,
            ]


def test_a_hospital_of_smart_1_lets_a_clinician_in(tmp_path: Path) -> None:
    with running(tmp_path, start=lambda config: start_hospital(replace(config, smart_1=True))) as run:
        chart = log_in(run)
        record = record_of(run, chart)
        assert (record.context.role, record.context.issuer) == ("clinician", run.hospital.base_url)
        assert {scope.rpartition(".")[2] for scope in record.tokens.scopes if "/" in scope} == {"read", "write"}
        assert plan_from(record.context.plan).may_file("client")


def test_where_nobody_can_be_identified_one_may_read_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("smart_app.sandbox.oauth.openid_configuration", lambda _: {"issuer": "https://x.example"})
    with running(tmp_path, start=lambda config: start_hospital(replace(config, smart_1=True))) as run:
        record = record_of(run, log_in(run))
        assert (record.context.role, record.context.sub) == ("reader", "")
