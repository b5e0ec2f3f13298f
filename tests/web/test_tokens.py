"""A launch's tokens between several processes of the app, and their end where the hospital does not play along."""

import io
import json
import multiprocessing
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Barrier
from types import MappingProxyType
from typing import Any

import pytest

from imr_fhir.errors import Unauthorized
from smart_app.config import AppConfig, SiteConfig
from smart_app.hospital import Hospital
from smart_app.sandbox import Client
from smart_app.sandbox import id_token as hospital_id_token
from smart_app.state import state_of
from smart_app.store import Store
from smart_app.store.keys import load_keys
from smart_app.store.launch import Launch
from smart_app.tokens import LiveToken
from tests.flows.wrong import in_front
from tests.running import Running, log_in, running
from tests.web.steps import TOKEN, end_unused, record_of

REVOKE = "POST /oauth2/revoke"


@dataclass(frozen=True)
class Place:
    """What another process of the same app is started with."""

    store: Path
    keys: Path
    iss: str
    client_id: str
    public_url: str

    def hospital(self) -> Hospital:
        site = SiteConfig(name="sandbox", organization="N", phone="1", iss=self.iss, client_id=self.client_id)
        config = AppConfig(
            sites=MappingProxyType({}), demo=True, public_url=self.public_url, store=self.store, keys=self.keys
        )
        return Hospital(site, config)


def place_of(run: Running) -> Place:
    return Place(run.config.store, run.config.keys, run.site.iss, run.site.client_id, run.config.public_url)


def refreshed(place: Place, launch: Launch, wait: Callable[[], object], now: datetime) -> tuple[str, str]:
    """The tokens that one process has after it found those of ``launch`` about to end."""
    with closing(Store.open(place.store, load_keys(place.keys))) as store:
        live = LiveToken(launch, place.hospital(), store, lambda: now)
        wait()
        return live.current(), live._launch.tokens.refresh_token


_together: Any = None


def in_a_process(place: Place, launch: Launch, now: datetime) -> tuple[str, str]:
    return refreshed(place, launch, _together.wait, now)


def _started(barrier: Any) -> None:
    """How the processes of a pool come to share a barrier."""
    global _together
    _together = barrier


def test_two_stores_on_one_database_renew_once(run: Running) -> None:
    launch, soon = about_to_end(run)
    together = Barrier(2)
    with ThreadPoolExecutor(2) as pool:
        got = list(pool.map(lambda _: refreshed(place_of(run), launch, together.wait, soon), range(2)))
    assert_one_renewal(run, launch, got)


def test_two_processes_renew_once(run: Running) -> None:
    launch, soon = about_to_end(run)
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(2, context, initializer=_started, initargs=(context.Barrier(2),)) as pool:
        got = [each.result(60) for each in [pool.submit(in_a_process, place_of(run), launch, soon) for _ in range(2)]]
    assert_one_renewal(run, launch, got)


def about_to_end(run: Running) -> tuple[Launch, datetime]:
    launch = record_of(run, log_in(run))
    run.asked.clear()
    assert launch.tokens.expires_at
    return launch, launch.tokens.expires_at - timedelta(seconds=30)


def assert_one_renewal(run: Running, launch: Launch, got: list[tuple[str, str]]) -> None:
    assert run.asked.count(TOKEN) == 1, "the hospital ends a log-in whose refresh token comes twice"
    assert len(set(got)) == 1
    access, refresh = got[0]
    assert launch.tokens.access_token != access
    assert launch.tokens.refresh_token != refresh, "it is rotated"
    vault = run.hospital.hospital.vault
    assert vault.look("access", access)
    assert vault.look("refresh", refresh)


def test_a_stolen_old_refresh_token_ends_the_log_in_and_the_next_page_says_so(run: Running) -> None:
    chart = log_in(run)
    old = record_of(run, chart)
    hospital = state_of(run.app).hospitals["sandbox"]
    soon = datetime.now(UTC) + timedelta(hours=1)
    LiveToken(old, hospital, run.store, lambda: soon).current()
    thief = LiveToken(old, hospital, Forgetful(run.store, old), lambda: soon)  # type: ignore[arg-type]
    with pytest.raises(Unauthorized):
        thief.current()
    assert chart.browser.get(chart.url).status_code == 403


def test_tokens_that_come_when_the_launch_is_over_are_taken_back(run: Running) -> None:
    """Logged out while they were renewed: the log-out knew of the old ones alone."""
    launch, soon = about_to_end(run)
    given: list[dict[str, Any]] = []

    def logging_out(hospital: Callable[..., Any]) -> Callable[..., Any]:
        def answering(environ: dict[str, Any], start_response: Any) -> Any:
            answer = hospital(environ, start_response)
            if environ["PATH_INFO"] == "/oauth2/token":
                answer = [b"".join(answer)]
                given.append(json.loads(answer[0]))
                assert run.store.launches.end(launch.id, "log-out", soon)
            return answer

        return answering

    live = LiveToken(launch, state_of(run.app).hospitals["sandbox"], run.store, lambda: soon)
    with in_front(run, logging_out), pytest.raises(Unauthorized):
        live.current()
    end_unused(run)
    (new,), vault = given, run.hospital.hospital.vault
    assert new["access_token"] != launch.tokens.access_token
    assert [vault.look("access", new["access_token"]), vault.look("refresh", new["refresh_token"])] == [None, None]
    assert run.asked.count(TOKEN) == 1


@pytest.mark.parametrize(
    ("user", "left_out", "over"),
    [
        ("Practitioner/kari", (), False),
        ("Practitioner/kari", ("aud",), False),  # some servers leave it out of an id_token on refresh
        ("Practitioner/kari", ("sub",), True),
        ("Practitioner/ola", (), True),
    ],
)
def test_an_id_token_on_refresh_is_the_same_user_s(
    run: Running, monkeypatch: pytest.MonkeyPatch, user: str, left_out: tuple[str, ...], over: bool
) -> None:
    launch, soon = about_to_end(run)
    server = run.hospital.app.extensions["authorization_server"]
    save, encode = server._save_token, hospital_id_token.jwt.encode

    def with_id_token(token: dict[str, Any], request: Any) -> None:
        save(token, request)
        token["id_token"] = hospital_id_token.id_token(
            server.hospital.keys,
            issuer=run.hospital.base_url,
            fhir_base=run.site.iss,
            client_id=run.site.client_id,
            user=user,
            name="",
            nonce="",
            access_token=token["access_token"],
            alg="RS256",
            now=datetime.now(UTC),
            fhir_user="absolute",
        )

    def without(header: Any, claims: dict[str, Any], *more: Any, **named: Any) -> str:
        kept = {name: value for name, value in claims.items() if name not in left_out}
        return encode(header, kept, *more, **named)

    monkeypatch.setattr(server, "_save_token", with_id_token)
    monkeypatch.setattr(hospital_id_token.jwt, "encode", without)
    live = LiveToken(launch, state_of(run.app).hospitals["sandbox"], run.store, lambda: soon)
    # the id_token's own times are by the real clock
    monkeypatch.setattr(live, "_clock", Ticking(soon, datetime.now(UTC)))
    if over:
        with pytest.raises(Unauthorized):
            live.current()
    else:
        assert live.current() != launch.tokens.access_token


class Ticking:
    """A clock that says first that it is late, then what it is."""

    def __init__(self, *times: datetime) -> None:
        self._times = list(times)

    def __call__(self) -> datetime:
        return self._times.pop(0) if len(self._times) > 1 else self._times[0]


class Forgetful:
    """A store that knows nothing of a renewal: whoever copied the tokens before it."""

    def __init__(self, store: Store, launch: Launch) -> None:
        self.tokens = self
        self._launch = launch

    def refresh(self, stale: Launch, renew: Callable[[Launch], object]) -> Launch:
        renew(self._launch)
        return self._launch


@pytest.fixture
def public(tmp_path: Path) -> Iterator[Running]:
    with running(tmp_path, client=Client) as run:
        yield run


def test_a_public_client_names_itself_when_it_renews_and_sends_no_state(public: Running) -> None:
    """Keycloak wants client_id on refresh; some token endpoints answer 400 to a state."""
    sent: list[str] = []
    launch, soon = about_to_end(public)

    def listening(hospital: Callable[..., object]) -> Callable[..., object]:
        def answering(environ: dict[str, object], start_response: object) -> object:
            if environ["PATH_INFO"] == "/oauth2/token":
                stream = environ["wsgi.input"]
                content = stream.read(int(str(environ["CONTENT_LENGTH"])))  # type: ignore[attr-defined]
                sent.append(content.decode())
                environ["wsgi.input"] = io.BytesIO(content)
            return hospital(environ, start_response)

        return answering

    with in_front(public, listening):
        LiveToken(launch, state_of(public.app).hospitals["sandbox"], public.store, lambda: soon).current()
    (body,) = sent
    assert {pair.partition("=")[0] for pair in body.split("&")} == {"grant_type", "refresh_token", "client_id"}


@pytest.mark.parametrize("status", ["500 Oops", "400 Bad Request", "503 Service Unavailable"])
def test_a_log_out_works_where_the_hospital_does_not_take_the_tokens_back(
    run: Running, status: str, caplog: pytest.LogCaptureFixture
) -> None:
    chart = log_in(run)
    tokens = record_of(run, chart).tokens

    def failing(hospital: Callable[..., object]) -> Callable[..., object]:
        def answering(environ: dict[str, object], start_response: Callable[..., object]) -> object:
            if environ["PATH_INFO"] != "/oauth2/revoke":
                return hospital(environ, start_response)
            run.asked.append(REVOKE)
            start_response(status, [("Content-Length", "0")])
            return [b""]

        return answering

    with in_front(run, failing):
        page = chart.browser.submit(chart.page, chart.at("log-out"))
        end_unused(run)
    assert page.status_code == 200
    assert chart.browser.get(chart.url).status_code == 404
    assert run.asked.count(REVOKE) == 2, "each token by itself"
    assert sum("was not revoked" in message for message in caplog.messages) == 2
    assert not any(token in caplog.text for token in (tokens.access_token, tokens.refresh_token))


def test_where_only_the_refresh_token_is_ended_by_the_first_call_the_second_ends_the_access_token(
    run: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    launch = record_of(run, log_in(run))
    vault = run.hospital.hospital.vault
    real = vault.revoke
    monkeypatch.setattr(
        type(vault), "revoke", lambda _, family, kind=None: real(family, kind or "refresh"), raising=True
    )
    state_of(run.app).hospitals["sandbox"].end_later(launch.tokens)
    end_unused(run)
    assert vault.look("refresh", launch.tokens.refresh_token) is None
    assert vault.look("access", launch.tokens.access_token) is None
