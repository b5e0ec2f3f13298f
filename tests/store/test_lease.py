"""SECURITY F: what is being sent is never taken for dead, however slow the hospital: a send ends before its lease."""

import time
import uuid
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from imr_fhir.ehr.client import FhirClient
from imr_fhir.ehr.transport import Transport
from imr_fhir.errors import Unauthorized
from smart_app.delivery import Courier, deliver
from smart_app.store import Store
from smart_app.store.filing import Filing, NewPart
from smart_app.store.filing_states import State
from smart_app.store.launch import Launch
from smart_app.store.who import Who
from tests.store.make import NOW, entry, sealing
from tests.wire_server import Exchange, Server, serve

LEASE, STEP, LONGER = timedelta(seconds=1), timedelta(seconds=0.5), 1.2
BODY = (
    b'{"resourceType":"Observation","subject":{"reference":"Patient/anna"},'
    b'"identifier":[{"system":"urn:ietf:rfc:3986","value":"urn:uuid:1"}]}'
)


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("smart_app.store.filing_steps.LEASE", LEASE)
    monkeypatch.setattr("smart_app.delivery.STEP", STEP)


def sealed(store: Store, launch: Launch) -> Filing:
    part = NewPart("Observation", BODY, {"full_url": f"urn:uuid:{uuid.uuid4()}", "if_match": ""})
    one = replace(sealing(launch, in_transaction=False), parts=(part,))
    return store.filings.seal(one, entry(launch), NOW)


def courier(store: Store, launch: Launch, server: Server, token: Callable[[], str]) -> Courier:
    transport = Transport([server.origin], allow_loopback_http=True)
    client = FhirClient(transport, server.origin, token=token, renew=lambda _: slow_token(), patient="anna")
    return Courier(store, client, launch.owner, Who(launch.user_key), "Patient/anna", lambda: NOW)


def slow_token() -> str:
    time.sleep(LONGER)
    return "token"


@pytest.mark.parametrize("slow", ["the token", "the reply", "the read-back"])
def test_send_is_over_before_its_lease(store: Store, launch: Launch, slow: str) -> None:
    taken_for_dead: list[Filing] = []

    def script(exchange: Exchange) -> None:
        posted = exchange.request.method == "POST"
        if slow == ("the reply" if posted else "the read-back"):
            time.sleep(LONGER)
        taken_for_dead.extend(store.filings.recover())
        location = {"Location": "Observation/1"} if posted else None
        exchange.answer(201 if posted else 200, b"" if posted else BODY, location)

    with serve(script) as server:
        deliver(sealed(store, launch), courier(store, launch, server, slow_token if slow == "the token" else str))
        time.sleep(LONGER)  # until the server has ended its last answer
    assert "POST" in [each.method for each in server.requests]
    assert taken_for_dead == []


def test_refused_token_that_is_renewed_too_slowly_sends_nothing_more(store: Store, launch: Launch) -> None:
    with serve(lambda exchange: exchange.answer(401)) as server:
        filing = deliver(sealed(store, launch), courier(store, launch, server, lambda: "old"))
    assert [each.method for each in server.requests if each.method != "GET"] == ["POST"]
    assert filing.state is State.WAITING


def test_log_in_that_is_over_waits_and_says_so(store: Store, launch: Launch) -> None:
    def over() -> str:
        raise Unauthorized("The log-in at the EHR is over.", status=401, next_step="Open the app again.")

    with serve(lambda exchange: exchange.answer(500)) as server:
        filing = deliver(sealed(store, launch), courier(store, launch, server, over))
    assert server.requests == []
    assert (filing.state, filing.attempt) == (State.WAITING, 1)
    assert "The log-in at the EHR is over." in filing.reason
