"""Tokens that nobody uses, since the launch is over or the log-in came to nothing: they are ended, no page waits for
it."""

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, NoReturn

import pytest

from imr_fhir.ehr.token import refresh
from imr_fhir.errors import AuthorizationError, IdentityError, NotConnected
from smart_app import tidying, tokens
from smart_app.hospital import Hospital
from smart_app.sandbox import token as hospital_token
from smart_app.state import state_of
from smart_app.store.errors import StoreBusy
from smart_app.store.launch import Launch, Tokens
from smart_app.tidying import tidied
from tests.flows.wrong import Wsgi, in_front
from tests.running import SITE, Browser, Running, log_in
from tests.web.steps import end_unused, record_of
from tests.web.test_renewal import UNKNOWN

REVOKE = "POST /oauth2/revoke"
Json = dict[str, Any]


@pytest.fixture
def given(run: Running) -> Iterator[list[Json]]:
    """What the hospital's token endpoint gives."""
    found: list[Json] = []

    def listening(hospital: Wsgi) -> Wsgi:
        def answering(environ: Any, start_response: Any) -> Any:
            answer = hospital(environ, start_response)
            if environ["PATH_INFO"] == "/oauth2/token":
                answer = [b"".join(answer)]
                found.append(json.loads(answer[0]))
            return answer

        return answering

    with in_front(run, listening):
        yield found


def live(run: Running, given: Json) -> tuple[bool, bool]:
    """Whether its two tokens are good."""
    vault = run.hospital.hospital.vault
    return bool(vault.look("access", given["access_token"])), bool(vault.look("refresh", given["refresh_token"]))


def hospital_of(run: Running) -> Hospital:
    return state_of(run.app).hospitals[SITE]


def left(run: Running) -> list[Tokens]:
    """Those that are still to be ended."""
    return list(iter(hospital_of(run).unused, None))


Fail = Callable[[Running, pytest.MonkeyPatch], None]


def forged(run: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    real = hospital_token.id_token
    monkeypatch.setattr(
        hospital_token, "id_token", lambda *keys, **claims: real(*keys, **claims | {"nonce": "another"})
    )


def refuses_the_patient(run: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> NoReturn:
        raise NotConnected("The EHR does not answer.")

    monkeypatch.setattr("smart_app.log_in.from_resource", refuse)


def store_is_busy(run: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    def busy(*_: object, **__: object) -> NoReturn:
        raise StoreBusy("Another writer holds the store.")

    monkeypatch.setattr(run.store.launches, "start", busy)


FAILURES: list[tuple[str, str, Fail, int]] = [
    ("an id_token that does not verify", "eva-berg", forged, 403),
    ("no patient", "", lambda *_: None, 400),
    ("the patient can't be read", "eva-berg", refuses_the_patient, 503),
    ("the store is busy", "eva-berg", store_is_busy, 503),
]


@pytest.mark.parametrize(("case", "patient", "fail", "status"), FAILURES, ids=[case for case, *_ in FAILURES])
def test_of_a_log_in_that_fails(
    run: Running, given: list[Json], monkeypatch: pytest.MonkeyPatch, case: str, patient: str, fail: Fail, status: int
) -> None:
    fail(run, monkeypatch)
    assert Browser().open(run.launch_url(patient)).status_code == status
    (tokens_,) = given
    assert (REVOKE in run.asked, live(run, tokens_)) == (False, (True, True)), "the page did not wait for it"
    end_unused(run)
    assert (run.asked.count(REVOKE), live(run, tokens_)) == (2, (False, False))
    end_unused(run)
    assert run.asked.count(REVOKE) == 2, "each once"


def test_of_a_log_in_that_does_not_fail_none(run: Running, given: list[Json]) -> None:
    log_in(run)
    end_unused(run)
    assert [live(run, each) for each in given] == [(True, True)]


@pytest.fixture
def launch(run: Running, given: list[Json]) -> Launch:
    found = record_of(run, log_in(run))
    given.clear()
    return found


def test_of_a_renewal_whose_id_token_does_not_verify(
    run: Running, launch: Launch, given: list[Json], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tokens, "refresh", lambda *said, **more: replace(refresh(*said, **more), id_token=UNKNOWN))
    with pytest.raises(IdentityError):
        tokens.renewed(launch, hospital_of(run), run.clock())
    end_unused(run)
    assert [live(run, each) for each in given] == [(False, False)]


def test_of_a_renewal_for_another_patient(run: Running, launch: Launch, given: list[Json]) -> None:
    other = replace(launch, context=replace(launch.context, patient="jonas-lie"))
    with pytest.raises(AuthorizationError, match="another patient"):
        tokens.renewed(other, hospital_of(run), run.clock())
    end_unused(run)
    assert [live(run, each) for each in given] == [(False, False)]


@pytest.mark.parametrize(("rotated", "ended"), [(True, 1), (False, 0)])
def test_of_a_renewal_whose_keys_can_t_be_had(
    run: Running, launch: Launch, monkeypatch: pytest.MonkeyPatch, rotated: bool, ended: int
) -> None:
    """Where the refresh token stays what it was, the next request may renew with it."""
    kept = {} if rotated else {"refresh_token": launch.tokens.refresh_token}

    def away(*_: object, **__: object) -> NoReturn:
        raise NotConnected("The keys can't be had.")

    monkeypatch.setattr(
        tokens, "refresh", lambda *said, **more: replace(refresh(*said, **more), id_token=UNKNOWN, **kept)
    )
    monkeypatch.setattr(Hospital, "identity", away)
    with pytest.raises(NotConnected):
        tokens.renewed(launch, hospital_of(run), run.clock())
    assert len(left(run)) == ended


def test_the_running_app_ends_them(run: Running, launch: Launch, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tidying, "_TELL", 0.01)
    hospital_of(run).end_later(launch.tokens)
    with tidied(state_of(run.app)) as thread:
        ends = time.monotonic() + 20
        while run.asked.count(REVOKE) < 2 and time.monotonic() < ends:
            thread.join(0.02)
    vault = run.hospital.hospital.vault
    assert vault.look("access", launch.tokens.access_token) is None


def test_what_is_left_when_the_app_stops_is_ended_too(run: Running, launch: Launch) -> None:
    """Who logs out while the last pages are given does so after the last turn of what the app does by itself."""
    with tidied(state_of(run.app)) as thread:
        state_of(run.app).draining.set()
        thread.join(20)
        hospital_of(run).end_later(launch.tokens)
    vault = run.hospital.hospital.vault
    assert vault.look("access", launch.tokens.access_token) is None


def test_an_app_that_stops_says_which_it_did_not_end(
    run: Running, launch: Launch, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tidying, "_LAST", 0)
    state_of(run.app).draining.set()
    hospital_of(run).end_later(launch.tokens)
    with tidied(state_of(run.app)):
        pass
    assert caplog.messages.count(f"A token of {SITE} was not revoked: no time") == 2
    assert (REVOKE in run.asked, launch.tokens.access_token in caplog.text) == (False, False)


@pytest.mark.usefixtures("given")
def test_there_are_never_more_than_a_thousand(run: Running, caplog: pytest.LogCaptureFixture) -> None:
    """Whoever makes the EHR give tokens without end takes no memory by it."""
    later = datetime.now(UTC) + timedelta(hours=1)
    for number in range(1002):
        hospital_of(run).end_later(Tokens(f"a{number}", later, (), f"r{number}"))
    assert caplog.messages.count(f"The tokens of a log-in at {SITE} were not revoked: too many wait") == 2
    assert [each.access_token for each in left(run)] == [f"a{number}" for number in range(2, 1002)]
