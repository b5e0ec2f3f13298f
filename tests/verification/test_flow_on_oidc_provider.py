"""The whole flow in Chromium on servers that nobody here wrote: oidc-provider lets in, HAPI FHIR keeps the record."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urljoin, urlsplit

import pytest
import requests
from joserfc import jwt
from joserfc.jwk import RSAKey
from joserfc.util import urlsafe_b64decode

from imr_fhir.ehr.scopes import to_ask
from tests import parts
from tests.browser.conftest import NewContext, new_context
from tests.browser.flow import Clinician, answer
from tests.flows import steps
from tests.flows.steps import SAVED, go, heading, of_code, say
from tests.hapi_front import of_hapi, put_behind
from tests.oidc_front import CAPABILITIES, OidcFront
from tests.running import CLIENT_ID, SITE, Browser, Chart, Running, log_in, running
from tests.servers.oidc_provider import oidc_provider
from tests.web.steps import end_unused, record_of, stop_before_callback, titled, token_ends_now, with_parameter

__all__ = ["new_context"]  # the fixture

pytestmark = pytest.mark.hapi


@dataclass(frozen=True)
class World:
    run: Running
    front: OidcFront
    hapi: str


@pytest.fixture(scope="module")
def world(hapi_base: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    parts.need(parts.NODE)
    with running(tmp_path_factory.mktemp("oidc")) as run:
        chart = run.hospital.app.wsgi_app
        put_behind(run, hapi_base)
        with oidc_provider(
            issuer=run.hospital.base_url,
            fhir=run.hospital.fhir_base,
            client=CLIENT_ID,
            redirect=f"{run.url}/callback/{SITE}",
            scopes=to_ask(CAPABILITIES),
        ) as provider:
            fhir = run.hospital.app.wsgi_app
            front = OidcFront(chart, run.hospital.hospital, fhir, provider.url, provider.secret)
            run.hospital.app.wsgi_app = front  # type: ignore[method-assign]
            yield World(run, front, hapi_base)


@pytest.fixture
def run(world: World) -> Iterator[Running]:
    yield world.run
    world.front.tamper = dict
    world.run.store.launches.end_all("end of the test", world.run.clock())


@pytest.mark.browser
def test_from_the_launch_to_the_record(world: World, run: Running, new_context: NewContext) -> None:
    visit = {"resourceType": "Encounter", "id": "visit-7", "status": "in-progress", "class": {"code": "AMB"}}
    assert requests.put(f"{world.hapi}/Encounter/visit-7", json=visit, timeout=30).status_code == 201
    context = new_context()
    page = context.new_page()
    page.goto(run.launch_url("nora-vik", encounter="visit-7"))
    page.wait_for_url(f"{run.url}/l/**")
    clinician = Clinician(context, page)
    assert clinician.rate() == SAVED
    clinician.panel()
    assert answer(clinician.give(), 2) == say("hand.done")
    assert clinician.take_back() == say("safety.today")
    assert clinician.set_goal() == SAVED
    assert clinician.review() == SAVED
    assert clinician.correct() == SAVED
    responses = of_hapi(world.hapi, "QuestionnaireResponse", patient="nora-vik")
    assert {one["source"]["reference"] for one in responses} == {"Practitioner/kari", "Patient/nora-vik"}
    assert sorted(one["status"] for one in responses) == ["amended", "completed"]
    assert all(one["encounter"] == {"reference": "Encounter/visit-7"} for one in responses)
    assert "Kept to the letter" in str(responses)
    notes = of_hapi(world.hapi, "Observation", patient="nora-vik")
    scores = of_code(notes, "score-clinician") + of_code(notes, "score-client")
    assert sorted(score["status"] for score in scores) == ["corrected", "final"]
    assert len(of_code(notes, "review")) == 1
    states = {goal["description"]["text"]: goal["lifecycleStatus"] for goal in of_hapi(world.hapi, "Goal")}
    assert states == {"Sing in a choir again": "active", "Ring the choir": "completed"}
    told = of_hapi(world.hapi, "Provenance", target=f"QuestionnaireResponse/{responses[0]['id']}")
    assert told[0]["agent"][0]["who"]["reference"] in ("Practitioner/kari", "Patient/nora-vik")
    assert run.store.audit.verify().broken == 0


def renewals(world: World) -> int:
    return world.front.asked.count("POST /token")


def test_refresh_rotates(world: World, run: Running) -> None:
    chart = log_in(run, patient="per-olsen")
    first = record_of(run, chart).tokens
    world.front.asked.clear()
    token_ends_now(run, chart)
    assert chart.browser.get(chart.url).status_code == 200
    second = record_of(run, chart).tokens
    assert renewals(world) == 1, "the panel's five requests renew it once"
    assert first.access_token != second.access_token
    assert first.refresh_token != second.refresh_token
    stolen = {"grant_type": "refresh_token", "refresh_token": first.refresh_token, "client_id": CLIENT_ID}
    refused = requests.post(f"{run.hospital.base_url}/token", data=stolen, timeout=10)
    assert refused.json()["error"] == "invalid_grant"
    page = chart.browser.get(chart.url)
    assert titled(page) == say("error.over.title"), "used twice, it ended all that came of this log-in"


def test_what_was_typed_outlives_the_log_in(world: World, run: Running) -> None:
    chart = log_in(run, patient="per-olsen")
    form = steps.begin(chart)
    tokens = record_of(run, chart).tokens
    revoked = {"token": tokens.refresh_token, "client_id": CLIENT_ID}
    assert requests.post(f"{run.hospital.base_url}/token/revocation", data=revoked, timeout=10).status_code == 200
    page = go(chart.browser, form, do="complete", **steps.answers())
    assert heading(page) == say("filing.waiting.title")
    again = log_in(run, patient="per-olsen")
    outbox = again.browser.get(again.at("outbox"))
    assert say("filing.outbox.empty") in steps.text(go(again.browser, outbox, again.at("outbox")))
    assert len(of_hapi(world.hapi, "QuestionnaireResponse", patient="per-olsen")) == 1


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"code_challenge": None, "code_challenge_method": None}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
    ],
)
def test_pkce_is_enforced(run: Running, changed: dict[str, Any], error: str) -> None:
    """The server takes S256 and nothing else; what it says no to opens nothing here."""
    browser = Browser()
    page = browser.get(run.launch_url("per-olsen"))
    while not urlsplit(page.headers["Location"]).path.startswith("/auth"):
        page = browser.get(urljoin(page.url, page.headers["Location"]))
    asked = parse_qs(urlsplit(page.headers["Location"]).query)
    assert asked["code_challenge_method"] == ["S256"]
    ended = browser.open(with_parameter(page.headers["Location"], **changed))
    assert ended.status_code == 403
    assert error in ended.text
    assert titled(ended) == say("error.authorization.title")


def test_a_code_needs_its_verifier(run: Running) -> None:
    location = stop_before_callback(run, Browser(), run.launch_url("per-olsen"))
    code = parse_qs(urlsplit(location).query)["code"][0]
    redirect = f"{run.url}/callback/{SITE}"
    sent = {"grant_type": "authorization_code", "code": code, "redirect_uri": redirect, "client_id": CLIENT_ID}
    refused = requests.post(f"{run.hospital.base_url}/token", data=sent | {"code_verifier": "x" * 43}, timeout=10)
    assert refused.json()["error"] == "invalid_grant"


def test_a_tampered_state_spends_no_code(world: World, run: Running) -> None:
    browser = Browser()
    location = stop_before_callback(run, browser, run.launch_url("per-olsen"))
    found = parse_qs(urlsplit(location).query)
    assert found["iss"] == [run.hospital.base_url], "RFC 9207: the authorization server, not the FHIR base"
    world.front.asked.clear()
    tampered = browser.get(with_parameter(location, state=found["state"][0][:-1] + "x"))
    assert titled(tampered) == say("error.state.title")
    assert renewals(world) == 0
    assert browser.follow(browser.get(location)).status_code == 200, "the code was not spent"


def test_an_issuer_that_is_not_this_server_s_is_refused(world: World, run: Running) -> None:
    browser = Browser()
    location = stop_before_callback(run, browser, run.launch_url("per-olsen"))
    world.front.asked.clear()
    refused = browser.get(with_parameter(location, iss=run.hospital.fhir_base))
    assert titled(refused) == say("error.authorization.title")
    assert renewals(world) == 0


def test_an_id_token_of_another_key_logs_nobody_in(world: World, run: Running) -> None:
    """The same claims under the same key id, signed by somebody else."""
    foreign = RSAKey.generate_key(2048)

    def resigned(tokens: dict[str, Any]) -> dict[str, Any]:
        header, claims = (json.loads(urlsafe_b64decode(part)) for part in tokens["id_token"].encode().split(b".")[:2])
        return tokens | {"id_token": jwt.encode(header, claims, foreign, algorithms=[header["alg"]])}

    world.front.tamper = resigned
    refused = Browser().open(run.launch_url("per-olsen"))
    assert (refused.status_code, titled(refused)) == (403, say("error.identity.title"))
    world.front.tamper = dict
    assert log_in(run, patient="per-olsen").page.status_code == 200


def test_log_out_revokes(world: World, run: Running) -> None:
    chart: Chart = log_in(run, patient="per-olsen")
    tokens = record_of(run, chart).tokens
    chart.browser.submit(chart.browser.get(chart.url), "log-out")
    end_unused(run)
    assert "POST /token/revocation" in world.front.asked
    url = f"{run.hospital.fhir_base}/Patient/per-olsen"
    bearer = {"Authorization": f"Bearer {tokens.access_token}"}
    assert requests.get(url, headers=bearer, timeout=10).status_code == 401
