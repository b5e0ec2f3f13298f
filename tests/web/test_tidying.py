"""What the app does by itself holds nobody up: a hospital that is silent, the signal to stop, a fault of its own."""

import gc
import signal
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests

from imr_fhir.ehr.discovery import SmartConfiguration
from imr_fhir.ehr.json_writer import write_json
from imr_fhir.ehr.resource_cache import CachedResource
from imr_fhir.goal import Goal
from imr_fhir.record import DueOutcome, Note
from imr_fhir.response import Response
from smart_app import cli, tidying, tokens
from smart_app.config import SiteConfig
from smart_app.hospital import Hospital
from smart_app.state import state_of
from smart_app.tidying import tidied, tidy
from smart_app.tokens import end_later, leave_unused, revoke_unused
from tests import shared_resources
from tests.filed import FILING, GOAL, NOTES, RESPONSES, goal_resource, note_resource, response_resource
from tests.running import Running, log_in, running
from tests.web.steps import end_unused, record_of
from tests.wire_server import Exchange, Server, serve


@pytest.fixture
def silent() -> Iterator[Server]:
    """A hospital that says where tokens are ended, and then no more."""

    def script(exchange: Exchange) -> None:
        if exchange.request.method == "POST":
            server.ended.wait(20)
        exchange.answer(200, {"token_endpoint": f"{server.origin}/token", "revocation_endpoint": server.origin})

    with serve(script) as server:
        yield server


def revocations(server: Server) -> int:
    return sum(request.method == "POST" for request in server.requests)


@pytest.fixture
def run(tmp_path: Path, silent: Server) -> Iterator[Running]:
    site = SiteConfig(name="silent", organization="S", phone="1", iss=f"{silent.origin}/fhir", client_id="x")
    with running(tmp_path, more_sites=(site,)) as run:
        yield run


@pytest.fixture
def ended(run: Running) -> None:
    """Two of the silent hospital and one of the other."""
    launch = record_of(run, log_in(run))
    run.asked.clear()
    of_silent = replace(launch, context=replace(launch.context, site="silent"))
    end_later([of_silent, of_silent, launch], state_of(run.app).hospitals)


@pytest.mark.usefixtures("ended")
def test_a_silent_hospital_takes_no_time_from_the_others(
    run: Running, silent: Server, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(tokens, "_ONE_SECONDS", 0.2)
    end_unused(run)
    assert sum("A token of silent was not revoked" in message for message in caplog.messages) == 4
    assert revocations(silent) == 1
    assert run.asked == ["POST /oauth2/revoke"] * 2, "refresh token and access token"


@pytest.mark.usefixtures("ended")
def test_nor_does_one_that_is_silent_when_asked_where_tokens_are_ended(
    run: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[float | None] = []
    real = Hospital.configuration

    def asked(self: Hospital, now: datetime, *, seconds: float | None = None) -> SmartConfiguration:
        given.append(seconds)
        return real(self, now, seconds=seconds)

    monkeypatch.setattr(Hospital, "configuration", asked)
    monkeypatch.setattr(tokens, "_ONE_SECONDS", 0.2)
    end_unused(run)
    assert [seconds is not None and seconds <= 0.2 for seconds in given] == [True] * 3


@pytest.mark.usefixtures("ended")
def test_what_there_is_no_time_for_waits_for_the_next_time(run: Running) -> None:
    revoke_unused(state_of(run.app).hospitals, run.clock(), seconds=0)
    assert run.asked == []
    end_unused(run)
    assert run.asked == ["POST /oauth2/revoke"] * 2


def test_the_app_stops_while_a_hospital_is_silent(
    run: Running, silent: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    log_in(run)
    run.clock.ahead = timedelta(minutes=16)
    monkeypatch.setattr(tidying, "_EVERY", 0.01)
    monkeypatch.setattr(tidying, "_LAST", 0.05)
    state = state_of(run.app)
    state = replace(state, hospitals={"sandbox": state.hospitals["silent"]})
    with tidied(state) as thread:
        while not revocations(silent):
            assert thread.is_alive()
    assert thread.is_alive(), "the block ended before the hospital answered"


@pytest.mark.usefixtures("ended")
def test_once_it_stops_no_further_token_is_ended_by_what_it_does_by_itself(run: Running) -> None:
    stopping = threading.Event()
    stopping.set()
    revoke_unused(state_of(run.app).hospitals, run.clock(), stopping=stopping)
    assert run.asked == []
    leave_unused(state_of(run.app).hospitals)


def test_what_the_ehr_said_is_in_memory_no_more_once_it_is_old(run: Running) -> None:
    eva: dict[str, Any] = {"patient": "eva-berg"}
    of_eva = replace(RESPONSES["client"], source="Patient/eva-berg", author="Patient/eva-berg", **eva)
    put(run, response_resource(of_eva, filing=FILING))
    put(run, goal_resource(replace(GOAL, **eva), filing=FILING))
    put(run, note_resource(replace(NOTES["due outcome"], performer="Patient/eva-berg", **eva), filing=FILING))
    chart = log_in(run)
    assert chart.browser.get(chart.url).status_code == 200
    cache = state_of(run.app).hospitals["sandbox"].cache
    kept = [resource for _, resource, *_ in cache._kept.values()]
    said = {id(each) for resource in kept for each in (resource, *resource._worked_out.values())}
    assert {type(each) for each in in_memory(said)} == {CachedResource, Goal, Response, DueOutcome}
    del kept
    cache._seconds = state_of(run.app).panels._seconds = 0
    tidy(state_of(run.app))
    shared_resources.forget()
    assert in_memory(said) == []


def put(run: Running, resource: dict[str, Any]) -> None:
    token = run.hospital.hospital.access_token("system/*.cruds")
    at = f"{run.site.iss}/{resource['resourceType']}"
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/fhir+json"}
    answer = requests.post(at, data=write_json(resource), headers=headers, timeout=5)
    assert answer.status_code == 201, answer.text


def in_memory(said: set[int]) -> list[object]:
    gc.collect()
    kinds = CachedResource | Goal | Response | Note
    return [each for each in gc.get_objects() if id(each) in said and isinstance(each, kinds)]


def test_a_key_file_that_is_away_for_a_moment_is_told_and_looked_for_again(
    run: Running, caplog: pytest.LogCaptureFixture
) -> None:
    away = run.config.keys.rename(run.config.keys.with_name("away"))
    tidy(state_of(run.app))
    assert "The store was not tidied: KeyFileError" in caplog.text
    away.rename(run.config.keys)
    caplog.clear()
    tidy(state_of(run.app))
    assert "not tidied" not in caplog.text


def test_an_app_whose_tidying_broke_ends(run: Running) -> None:
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        with pytest.raises(RuntimeError, match="no longer tidied"):
            cli._until_stopped([], state_of(run.app), threading.Thread())
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
