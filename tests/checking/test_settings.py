"""The settings that `check` prints pass the app's own `check-config`, and keep things where they can be kept."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from joserfc.jwk import ECKey

from imr_fhir.checking import smart
from imr_fhir.checking.hosts import hosts
from imr_fhir.checking.settings import Known, scopes_to_ask, site_name, site_table
from imr_fhir.checking.smart import configuration
from imr_fhir.ehr.capability import write_plan
from imr_fhir.ehr.discovery import SmartConfiguration
from imr_fhir.ehr.ladder import reasons
from imr_fhir.ehr.transport import Transport
from smart_app.cli import main
from smart_app.config import SiteConfig
from smart_app.config_file import read_config
from smart_app.plan import limits_of
from smart_app.ready_sites import ready_settings
from smart_app.sandbox import EHRS
from tests.checking.hospital import PATIENT, VISIT, hospital
from tests.wire_server import pages, serve

APP = '[app]\ndemo = true\npublic_url = "http://127.0.0.1:8081"\nstore = "store/imr.sqlite"\nkeys = "keys/imr.keys"\n\n'
FAR = SmartConfiguration(
    "https://fhir.hospital.example/r4",
    issuer="https://login.example",
    authorization_endpoint="https://login.example/authorize",
    token_endpoint="https://login.example/token",
    jwks_uri="https://keys.example/jwks",
    token_endpoint_auth_methods=("client_secret_basic",),
)


def read(folder: Path, table: str) -> SiteConfig:
    path = folder / "imr-app.toml"
    path.write_text(APP + table, encoding="utf-8")
    secrets = {"imr.pem": ECKey.generate_key("P-384").as_pem(private=True), "imr.secret": b"secret"}
    for name, content in secrets.items():
        (folder / name).write_bytes(content)
        (folder / name).chmod(0o600)
    (site,) = read_config(path).sites.values()
    return site


def kept(site: SiteConfig, statement: dict[str, Any], scopes: tuple[str, ...]) -> dict[str, str]:
    """As the app will do it at a launch, answers and goals."""
    found = reasons(write_plan(statement, scopes), limits_of(site, encounter=True))
    return {name: next(rung for rung, why in found[name].items() if not why) for name in ("answers", "score", "goal")}  # type: ignore[index]


@pytest.mark.parametrize("ehr", EHRS)
def test_the_app_takes_them_and_keeps_things_as_with_the_ready_ones(tmp_path: Path, ehr: str) -> None:
    with hospital(tmp_path / "hospital", ehr) as running:
        report = running.check(patient=PATIENT, encounter=VISIT, write=True)
        statement = running.client().capabilities()
    site = read(tmp_path, report.settings)
    assert (site.iss, site.authentication) == (running.running.fhir_base, "private_key_jwt")
    assert set(site.extra_headers) == set(EHRS[ehr].headers)
    mine = kept(site, statement, report.scopes)
    assert mine == {one.artefact: one.rung for one in report.kept if one.artefact in mine}
    if ehr != "epic":  # its flowsheet rows are known to the hospital alone
        ready = SiteConfig(
            name="ready", organization="o", phone="p", iss=site.iss, client_id="c", **ready_settings(ehr)
        )
        assert mine == kept(ready, statement, report.scopes)


def test_check_config_itself(tmp_path: Path) -> None:
    with hospital(tmp_path / "hospital", "generic") as running:
        table = running.check().settings
    read(tmp_path, table)
    for folder in ("store", "keys"):
        (tmp_path / folder).mkdir(mode=0o700)
    made = CliRunner().invoke(main, ["keys", "make", str(tmp_path / "keys" / "imr.keys")])
    assert made.exit_code == 0, made.output
    done = CliRunner().invoke(main, ["check-config", "--config", str(tmp_path / "imr-app.toml")])
    assert done.exit_code == 0, done.output


def test_of_what_a_server_lists_no_more_is_asked_for_than_the_app_uses() -> None:
    """As OpenEMR lists them, in SMART 1 and 2, each kind of record that it has."""
    types = ("AllergyIntolerance", "Coverage", "Goal", "MedicationRequest", "Patient", "Questionnaire")
    reading = [f"{level}/{each}.{how}" for how in ("read", "rs") for each in types for level in ("user", "patient")]
    listed = (*reading, "user/Coverage.write", "user/QuestionnaireResponse.write", "patient/*.read", "user/*.read")
    config = replace(FAR, scopes_supported=("openid", "launch", *listed))
    assert [scope for scope in scopes_to_ask(config) if "/" in scope] == [
        "patient/Patient.read", "user/QuestionnaireResponse.write", "patient/*.read", "patient/Goal.read",
        "user/Questionnaire.read", "user/*.read",
    ]  # fmt: skip


def test_other_hosts_stand_in_the_settings_and_in_the_firewall_s_list(tmp_path: Path) -> None:
    site = read(tmp_path, site_table(Known(FAR, headers=("X-Key",), ca="", profiles=True)))
    assert site.allowed_hosts == ("https://login.example", "https://keys.example")
    assert (site.authentication, site.profiles_loaded) == ("client_secret_basic", True)
    assert [(host.caller, host.host, host.why) for host in hosts(FAR)] == [
        ("app", "https://fhir.hospital.example", "FHIR"),
        ("app", "https://keys.example", "keys of id_tokens"),
        ("app", "https://login.example", "tokens"),
        ("browser", "https://login.example", "log-in"),
        ("browser", "<public_url>", "the app"),
        ("EHR", "<public_url>/.well-known/jwks.json", "the app's key"),
    ]


def test_endpoints_on_hosts_that_were_not_named_are_told_and_not_called() -> None:
    with serve(pages({})) as other:
        said = {
            "token_endpoint": f"{other.origin}/token", "authorization_endpoint": f"{other.origin}/authorize",
            "jwks_uri": f"{other.origin}/jwks", "issuer": other.origin, "capabilities": ["launch-ehr"],
        }  # fmt: skip
        with serve(pages({"GET /fhir/.well-known/smart-configuration": said})) as server:
            transport = Transport([server.origin], allow_loopback_http=True, to_allow="add --allow-host {host}")
            config = configuration(transport, f"{server.origin}/fhir")
            assert isinstance(config, SmartConfiguration)
            found = {each.what: each for each in smart.findings(transport, config, datetime.now(UTC))}
        assert not other.requests
    keys = found["keys and issuer of id_tokens"]
    assert (keys.verdict, f"add --allow-host {other.origin}" in keys.evidence) == ("unknown", True)


@pytest.mark.parametrize(
    ("base", "name"),
    [
        ("https://fhir.epic.example/api", "epic"),
        ("https://ehr.hospital.example/fhir", "ehr"),
        ("http://127.0.0.1:8080/fhir", "hospital"),
        ("https://1st.example", "example"),
    ],
)
def test_a_site_has_a_name_that_can_stand_in_an_address(base: str, name: str) -> None:
    assert site_name(base) == name
