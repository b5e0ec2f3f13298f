"""Who logged in, for which patient, and what they may do."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from joserfc.jwk import RSAKey

from imr_fhir.ehr.ladder import LADDERS
from smart_app.plan import plan_from
from smart_app.sandbox import id_token as hospital_id_token
from smart_app.sandbox import token as hospital_token
from tests.flows.steps import put
from tests.running import Browser, Running, log_in, running
from tests.web.steps import TOKEN, record_of, rows, titled


def _not_the_hospital_s(claims: dict[str, Any]) -> dict[str, Any]:
    key = RSAKey.generate_key(2048, {"kid": "hospital-rs256", "alg": "RS256"})
    return {"keys": SimpleNamespace(signing=lambda _alg: key)}


FORGERIES: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "foreign key": _not_the_hospital_s,
    "iss": lambda claims: {"issuer": "https://evil.example"},
    "aud": lambda claims: {"client_id": "another-app"},
    "nonce": lambda claims: {"nonce": "another-nonce"},
    "no nonce": lambda claims: {"nonce": ""},
    "old": lambda claims: {"now": claims["now"] - timedelta(minutes=2)},
    "from the future": lambda claims: {"now": claims["now"] + timedelta(minutes=2)},
}


@pytest.mark.parametrize("forgery", FORGERIES)
def test_an_id_token_that_does_not_verify_logs_nobody_in(
    run: Running, monkeypatch: pytest.MonkeyPatch, forgery: str
) -> None:
    real = hospital_token.id_token

    def forged(keys: Any, **claims: Any) -> str:
        changed = FORGERIES[forgery](claims)
        return real(changed.pop("keys", keys), **(claims | changed))

    monkeypatch.setattr(hospital_token, "id_token", forged)
    nobody_is_logged_in(run)


def test_an_expired_id_token_logs_nobody_in(run: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hospital_id_token, "SECONDS", -61)  # joserfc's decode alone accepts it
    nobody_is_logged_in(run)


def test_an_algorithm_that_the_site_does_not_name_logs_nobody_in(tmp_path: Path) -> None:
    with running(tmp_path, id_token_algorithms=("ES384",)) as run:  # the hospital signs with RS256
        nobody_is_logged_in(run)


def nobody_is_logged_in(run: Running) -> None:
    browser = Browser()
    before = rows(run, "launch")
    response = browser.open(run.launch_url("eva-berg"))
    assert (response.status_code, titled(response)) == (403, "Who you are could not be verified")
    assert rows(run, "launch") == before
    assert browser.jar["127.0.0.1"] == {}


def test_without_a_patient_there_is_no_launch(run: Running) -> None:
    response = Browser().open(run.launch_url(""))
    assert (response.status_code, titled(response)) == (400, "The EHR did not say which patient this is about")


@pytest.mark.parametrize(
    ("user", "patient", "role"),
    [
        ("Practitioner/kari", "eva-berg", "clinician"),
        ("Patient/eva-berg", "eva-berg", "patient"),
        ("Patient/jonas-lie", "eva-berg", "reader"),
        ("RelatedPerson/x", "eva-berg", "reader"),
    ],
)
def test_the_role_comes_from_the_verified_user(run: Running, user: str, patient: str, role: str) -> None:
    chart = log_in(run, patient=patient, user=user)
    record = record_of(run, chart)
    assert record.context.role == role


@pytest.mark.parametrize(
    ("role", "name"),
    [
        ({"practitioner": {"reference": "Practitioner/kari"}}, "Kari Nilsen"),
        ({"practitioner": {"reference": "Practitioner/kari", "display": "Dr. K. Nilsen\u202e"}}, "Dr. K. Nilsen"),
        ({"practitioner": {"reference": "https://elsewhere.example/fhir/Practitioner/kari"}}, ""),
        ({"practitioner": {"reference": "PractitionerRole/kari-role"}}, ""),
        ({}, ""),
    ],
)
def test_a_role_s_name_is_its_practitioner_s(run: Running, role: dict[str, Any], name: str) -> None:
    put(run, {"resourceType": "PractitionerRole", "id": "kari-role", **role})
    record = record_of(run, log_in(run, user="PractitionerRole/kari-role"))
    assert (record.context.role, record.context.user_name) == ("clinician", name)


def test_a_patient_whom_the_id_token_does_not_name_has_the_record_s_name(
    run: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = hospital_token.id_token
    monkeypatch.setattr(hospital_token, "id_token", lambda *a, **k: real(*a, **{**k, "name": ""}))
    assert record_of(run, log_in(run, user="Patient/eva-berg")).context.user_name == "Eva Berg"
    assert record_of(run, log_in(run, user="Patient/jonas-lie")).context.user_name == "", "nobody else's is read"


def test_a_user_of_another_server_may_read_only_and_is_not_fetched(
    run: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = hospital_token.id_token
    monkeypatch.setattr(
        hospital_token,
        "id_token",
        lambda *a, **k: real(*a, **{**k, "fhir_base": "http://localhost:1/fhir", "name": ""}),
    )
    chart = log_in(run)
    record = record_of(run, chart)
    assert (record.context.role, record.context.user_name) == ("reader", "")
    assert not any("Practitioner" in asked for asked in run.asked)


def test_without_an_id_token_one_may_read_only(tmp_path: Path) -> None:
    with running(tmp_path, scopes="launch patient/*.cruds") as run:
        chart = log_in(run)
        record = record_of(run, chart)
        assert (record.context.role, record.context.sub) == ("reader", "")
        assert chart.browser.get(chart.at("give")).status_code == 403


def test_fewer_scopes_than_asked_for_still_open_the_panel(run: Running) -> None:
    chart = log_in(run, faults=("cut-scopes",))
    record = record_of(run, chart)
    assert "patient/Observation.rs" in record.tokens.scopes
    plan = plan_from(record.context.plan)
    assert {plan.rung(artefact) for artefact in LADDERS} == {"print", "app"}
    assert {reason for rungs in plan.ladders.values() for reason in rungs.values()} == {"", "no-scope"}


def test_a_launch_that_may_not_read_the_patient_s_name_ends(tmp_path: Path) -> None:
    with running(tmp_path, scopes="launch openid fhirUser patient/Goal.rs") as run:
        response = Browser().open(run.launch_url("eva-berg"))
        assert (response.status_code, titled(response)) == (403, "The EHR does not allow this")
        assert rows(run, "launch") == 0


def test_a_token_that_the_hospital_ended_is_renewed_while_logging_in(run: Running) -> None:
    log_in(run, faults=("token-expired",))
    assert run.asked.count(TOKEN) == 2
