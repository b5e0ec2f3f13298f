"""A backend service's token: had once, renewed before it ends and when refused; on the sandbox and oidc-provider."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from joserfc.jwk import ECKey, RSAKey

from imr_fhir.ehr.address import parse
from imr_fhir.ehr.backend_services import BackendServices
from imr_fhir.ehr.token import PrivateKeyJwt, private_key_jwt, public_jwks
from imr_fhir.ehr.transport import Transport
from imr_fhir.errors import AuthorizationError, RefusedUrl, Unauthorized
from smart_app.sandbox import BACKEND_GRANTS, Client, HospitalConfig, RunningHospital, running_hospital
from tests import parts
from tests.servers.oidc_provider import oidc_provider
from tests.wire_server import pages, serve

EC = private_key_jwt("loader", ECKey.generate_key("P-384").as_pem(private=True))
RSA = private_key_jwt("loader-rsa", RSAKey.generate_key(2048).as_pem(private=True), kid="rsa-1")


class Clock:
    def __init__(self) -> None:
        self.now = datetime.now(UTC)

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def asked() -> list[str]:
    return []


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def hospital(tmp_path: Path, asked: list[str], clock: Clock) -> Iterator[RunningHospital]:
    clients = tuple(
        Client(each.client_id, "L", ("system/*.cruds",), grant_types=BACKEND_GRANTS, jwks=public_jwks([each]))
        for each in (EC, RSA)
    )
    with running_hospital(HospitalConfig(tmp_path / "hospital.sqlite", clients, seed=(), clock=clock)) as running:
        application = running.app.wsgi_app

        def listening(environ: Any, start_response: Any) -> Any:
            asked.append(f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']}")
            return application(environ, start_response)

        running.app.wsgi_app = listening  # type: ignore[method-assign]
        yield running


def service(base: str, key: PrivateKeyJwt, clock: Callable[[], datetime], **more: Any) -> BackendServices:
    transport = Transport([parse(base).origin], allow_loopback_http=True, to_allow="add --allow-host {host}")
    return BackendServices(transport, base, key, clock=clock, **more)


@pytest.mark.parametrize("key", [EC, RSA], ids=["ES384", "RS384"])
def test_one_token_for_many_requests(hospital: RunningHospital, asked: list[str], key: PrivateKeyJwt) -> None:
    login = service(hospital.fhir_base, key, Clock())
    client = login.client()
    for each in [client.beside(lambda: client.search("Patient", [])) for _ in range(4)]:
        each.result()
    assert asked.count("POST /oauth2/token") == 1
    assert login.granted() == ("system/*.cruds",)


def test_it_is_renewed_before_it_ends(hospital: RunningHospital, asked: list[str], clock: Clock) -> None:
    login = service(hospital.fhir_base, EC, clock, rights="rs")
    first = login.current()
    clock.now += timedelta(seconds=3600 - 61)
    assert login.current() == first
    clock.now += timedelta(seconds=2)
    assert login.current() != first
    assert asked.count("POST /oauth2/token") == 2
    assert login.granted() == ("system/*.rs",)


def test_a_token_that_lives_for_seconds_is_used_half_of_them() -> None:
    answers = iter([{"access_token": f"t{number}", "token_type": "bearer", "expires_in": 20} for number in range(9)])
    with serve(lambda exchange: exchange.answer(200, next(answers))) as server:
        clock = Clock()
        login = service(f"{server.origin}/fhir", EC, clock, token_url=f"{server.origin}/token")
        said = []
        for _ in range(4):
            said.append(login.current())
            clock.now += timedelta(seconds=6)
    assert said == ["t0", "t0", "t1", "t1"]


def test_it_is_renewed_when_it_is_refused(hospital: RunningHospital, asked: list[str]) -> None:
    login = service(hospital.fhir_base, EC, Clock())
    client = login.client()
    client.search("Patient", [])
    hospital.hospital.vault.revoke(hospital.hospital.vault.look("access", login.current()).family)  # type: ignore[union-attr]
    client.search("Patient", [])
    assert asked.count("POST /oauth2/token") == 2


def test_a_second_refusal_is_told(hospital: RunningHospital) -> None:
    tokens = iter("abc")
    token = {"token_type": "bearer", "expires_in": 600}

    def script(exchange: Any) -> None:
        whole = (200, token | {"access_token": next(tokens)}) if exchange.request.path == "/token" else (401,)
        exchange.answer(*whole)

    with serve(script) as server:
        login = service(f"{server.origin}/fhir", EC, Clock(), token_url=f"{server.origin}/token")
        with pytest.raises(Unauthorized):
            login.client().search("Patient", [])
    assert [each.headers.get("authorization") for each in server.requests] == [None, "Bearer a", None, "Bearer b"]


def test_what_the_server_says_no_to_is_told_with_its_next_step(hospital: RunningHospital) -> None:
    stranger = private_key_jwt("loader", ECKey.generate_key("P-384").as_pem(private=True))
    with pytest.raises(AuthorizationError, match="public half of this key"):
        service(hospital.fhir_base, stranger, Clock()).current()
    with pytest.raises(AuthorizationError, match="registered with"):
        service(hospital.fhir_base, EC, Clock(), scopes="patient/*.rs").current()


def test_a_token_endpoint_elsewhere_is_called_only_if_it_is_named() -> None:
    with serve(lambda exchange: exchange.answer(200, {"access_token": "t", "token_type": "bearer"})) as other:
        said = {"token_endpoint": f"{other.origin}/token", "jwks_uri": "https://keys.example/jwks"}
        with serve(pages({"GET /fhir/.well-known/smart-configuration": said})) as server:
            base = f"{server.origin}/fhir"
            with pytest.raises(RefusedUrl, match=f"add --allow-host {other.origin}"):
                service(base, EC, Clock()).current()
            assert not other.requests
            named = Transport([server.origin, other.origin], allow_loopback_http=True)
            assert BackendServices(named, base, EC, clock=Clock()).current() == "t"


def test_scopes_of_smart_1_where_the_server_speaks_no_other() -> None:
    scopes = []

    def script(exchange: Any) -> None:
        if exchange.request.method == "GET":
            exchange.answer(200, {"token_endpoint": f"{server.origin}/token", "capabilities": ["permission-user"]})
        else:
            scopes.append(exchange.request.body.decode())
            exchange.answer(200, {"access_token": "t", "token_type": "bearer"})

    with serve(script) as server:
        service(f"{server.origin}/fhir", EC, Clock()).current()
    assert "scope=system%2F%2A.read+system%2F%2A.write" in scopes[0]


def test_nothing_of_it_is_shown() -> None:
    assert "t0ken" not in repr(service("http://127.0.0.1:1/fhir", EC, Clock()))


def test_oidc_provider_takes_our_assertions() -> None:
    """An authorization server that nobody here wrote; its issuer is its own address."""
    parts.need(parts.NODE)
    scopes = ("system/*.rs", "system/*.cruds")
    with oidc_provider(
        issuer="http://127.0.0.1", fhir="", client="app", redirect="https://app.example/cb", scopes=scopes,
        services={each.client_id: each.alg for each in (RSA, EC)}, keys=public_jwks([RSA, EC]),
    ) as provider:  # fmt: skip
        for key in (RSA, EC):
            login = service(
                f"{provider.url}/fhir", key, Clock(), token_url=f"{provider.url}/token", scopes="system/*.rs"
            )
            assert login.granted() == ("system/*.rs",)
            assert login.current()
        stranger = private_key_jwt("loader-rsa", RSAKey.generate_key(2048).as_pem(private=True), kid="rsa-1")
        with pytest.raises(AuthorizationError, match="invalid_client"):
            service(f"{provider.url}/fhir", stranger, Clock(), token_url=f"{provider.url}/token").current()
