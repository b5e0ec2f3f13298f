"""`imr-app audit print | export`: a table for a person, AuditEvents for an auditor's program."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner
from fhir.resources.R4B.auditevent import AuditEvent

from smart_app.cli import main
from smart_app.config_file import read_config
from smart_app.store import Store
from smart_app.store.audit import Entry
from smart_app.store.keys import load_keys
from smart_app.store.who import Who
from tests.web.test_config import written

KARI = Who("k", "Kari\x1b[2J Nordmann", "clinician", "Practitioner/kari", "https://ehr.hospital.example", "sub-kari")
OLA = replace(KARI, user_key="o", display="Ola", fhir_user="https://other.example/Person/ola", sub="sub-ola")


@pytest.fixture
def settings(tmp_path: Path) -> Path:
    path = written(tmp_path)
    config = read_config(path)
    store = Store.open(config.store, load_keys(config.keys, create=True))

    def record(day: int, action: str, who: Who, patient: str, outcome: str = "success", *objects: str) -> None:
        key = store.launches.patient_key("nordlys", patient) if patient else ""
        entry = Entry(action, outcome, who, "nordlys", f"Patient/{patient}" if patient else "", key, "why", objects)  # type: ignore[arg-type]
        store.audit.record(entry, datetime(2026, 11, day, 12, tzinfo=UTC))

    record(1, "log-in", Who(""), "", "failed")
    record(2, "log-in", KARI, "anna")
    record(3, "view", KARI, "anna", "success", "Goal/1", "urn:uuid:8a7b5c70-0000-4000-8000-000000000001", "06-3 is bad")
    record(3, "discard", KARI, "anna")
    record(4, "send", OLA, "bjorn")
    record(5, "foreign-dropped", OLA, "anna", "refused")
    store.close()
    return path


def said(settings: Path, *arguments: str) -> list[str]:
    result = CliRunner().invoke(main, ["audit", *arguments, "--config", str(settings)])
    assert result.exit_code == 0, result.output
    return result.output.splitlines()


def numbers(lines: list[str]) -> list[int]:
    return [int(line.split()[0]) for line in lines[1:]]


def test_rows_as_a_table(settings: Path) -> None:
    lines = said(settings, "print")
    assert numbers(lines) == [1, 2, 3, 4, 5, 6]
    assert lines[3].split() == [
        "3", "2026-11-03", "12:00:00", "Kari[2J", "Nordmann", "clinician", "view", "success", "nordlys", "Patient/anna",
        "why",
    ]  # fmt: skip
    assert "\x1b" not in "".join(lines), "a name can do nothing to the terminal"


@pytest.mark.parametrize(
    ("filters", "rows"),
    [
        (("--patient", "anna"), [2, 3, 4, 6]),
        (("--patient", "nobody"), []),
        (("--user", "Practitioner/kari"), [2, 3, 4]),
        (("--user", "sub-ola"), [5, 6]),
        (("--from", "2026-11-04"), [5, 6]),
        (("--to", "2026-11-03"), [1, 2, 3, 4]),
        (("--from", "2026-11-03", "--to", "2026-11-05", "--user", "sub-ola", "--patient", "anna"), [6]),
    ],
)
def test_some_of_them(settings: Path, filters: tuple[str, ...], rows: list[int]) -> None:
    assert numbers(said(settings, "print", *filters)) == rows


def test_rows_as_fhir(settings: Path) -> None:
    lines = said(settings, "export")
    events = [json.loads(line) for line in lines]
    for line in lines:
        AuditEvent.model_validate_json(line)
    assert [(event["action"], event["outcome"]) for event in events] == [
        ("E", "4"), ("E", "0"), ("R", "0"), ("C", "0"), ("E", "4"),
    ]  # fmt: skip
    failed, _, view, sent, refused = events
    assert (failed["agent"], "entity" in failed) == ([{"requestor": True}], False)
    assert view["agent"][0]["who"]["reference"] == "Practitioner/kari"
    assert [entity["what"] for entity in view["entity"]] == [
        {"reference": "Patient/anna"},
        {"reference": "Goal/1"},
        {"identifier": {"system": "urn:ietf:rfc:3986", "value": "urn:uuid:8a7b5c70-0000-4000-8000-000000000001"}},
    ]
    assert sent["agent"][0]["who"]["identifier"] == {"system": "https://ehr.hospital.example", "value": "sub-ola"}
    assert refused["outcomeDesc"] == "foreign-dropped"
    assert "is bad" not in "".join(lines), "what is no reference is left out"
    assert "why" not in "".join(lines)
    assert len({event["meta"]["tag"][0]["code"] for event in events}) == 5


def test_one_patients_rows_as_fhir(settings: Path) -> None:
    assert len(said(settings, "export", "--patient", "bjorn")) == 1
