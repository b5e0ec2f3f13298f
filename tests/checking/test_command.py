"""`imr-fhir check` as it is typed: its table, its JSON, its exit codes, and a sentence for each wrong address."""

import json
import logging
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from joserfc.jwk import ECKey

from imr_fhir.checking.finding import WORDS
from imr_fhir.checking.kept import ARTEFACTS, REASONS, RUNGS
from imr_fhir.cli import main
from imr_fhir.commands.credentials import FOR
from imr_fhir.commands.server import TOKEN
from imr_fhir.ehr.ladder import LADDERS
from smart_app.sandbox import HospitalConfig, running_hospital
from tests.checking.hospital import PATIENT, VISIT, Hospital, hospital
from tests.wire_server import pages, serve

PAGE = (200, b"<html>Welcome</html>", {"Content-Type": "text/html"})


def run(base: str, *words: str, token: str | None = None) -> Result:
    return CliRunner().invoke(main, ["check", base, *words], env={TOKEN: token, FOR: base})


def at(running: Hospital, *words: str, scopes: str = "user/*.cruds") -> Result:
    token = running.running.hospital.access_token(scopes, user="Practitioner/kari")
    return run(running.running.fhir_base, *words, token=token)


@pytest.fixture(scope="module")
def generic(tmp_path_factory: pytest.TempPathFactory) -> Any:
    with hospital(tmp_path_factory.mktemp("generic"), "generic") as running:
        yield running


def test_all_that_was_tried_works(generic: Hospital) -> None:
    done = at(generic, "--patient", PATIENT)
    assert done.exit_code == 0, done.output
    lines = done.stdout.splitlines()
    assert lines[0] == f"{generic.running.fhir_base}: IMR on FHIR sandbox hospital, FHIR 4.0.1"
    assert lines[-1] == "Of what the app uses, all that was tried works."
    assert "  answers            QuestionnaireResponse" in lines
    assert "[sites.hospital]" in lines
    assert max(map(len, lines)) <= 140


def test_json_is_the_whole_of_standard_output(generic: Hospital) -> None:
    done = at(generic, "--patient", PATIENT, "--json")
    said = json.loads(done.stdout)
    assert done.exit_code == 0
    assert said["good"] is True
    assert {each["verdict"] for each in said["findings"]} <= set(WORDS.values())
    assert said["kept"]["answers"] == {"rung": "form", "closed": {}}
    assert said["hosts"][0]["to"] == generic.origin
    assert said["scopes"][:2] == ["openid", "fhirUser"]
    assert "… searches" in done.stderr


def test_something_is_no(tmp_path: Path) -> None:
    with hospital(tmp_path, "meditech") as running:
        done = at(running, "--patient", PATIENT, "--encounter", VISIT.partition("/")[2], "--write")
    assert done.exit_code == 3
    assert "could not be taken back: they are named above." in done.stdout
    assert "Of what the app uses, this does not work here:" in done.stdout


def test_nothing_of_the_record_and_no_token_is_shown(generic: Hospital, caplog: pytest.LogCaptureFixture) -> None:
    token = generic.running.hospital.access_token("user/*.cruds", user="Practitioner/kari")
    with caplog.at_level(logging.DEBUG):
        done = run(generic.running.fhir_base, "--patient", PATIENT, "--write", token=token)
    assert done.exit_code == 3
    record = ("Berg", "1988-04-12", "N-1001", token)
    assert not [each for each in record for text in (done.output, caplog.text) if each in text]


def test_a_token_without_the_scope(generic: Hospital) -> None:
    done = at(generic, "--patient", PATIENT, scopes="user/Patient.rs")
    assert done.exit_code == 3
    said = " ".join(done.stdout.split())
    assert "(403). The EHR says:" in said
    assert "→ Either the EHR refuses it or this log-in lacks the scope: try with one that has it." in said


def test_without_a_patient_what_was_refused_was_not_seen_to_work(generic: Hospital) -> None:
    """Of nobody a server may refuse what it gives of a patient; that all that was tried works is not so either."""
    done = at(generic, scopes="user/Patient.rs")
    said = " ".join(done.stdout.split())
    assert (done.exit_code, "all that was tried works" in said) == (4, False)
    assert "this was tried and could not be seen: QuestionnaireResponse?identifier&patient;" in said
    assert "→ Give --patient with the id of a test patient." in said


def test_without_a_log_in_or_with_an_old_one(generic: Hospital) -> None:
    for token in (None, "old"):
        done = run(generic.running.fhir_base, "--patient", PATIENT, token=token)
        said = " ".join(done.stdout.split())
        assert done.exit_code == 4
        assert "this was tried and could not be seen: Patient/[id];" in said
        assert "can't tell Observation?patient&code" in said
        assert "Log in, or with a token that has not ended." in said


def test_without_a_patient_a_log_in_is_still_what_is_wanting(generic: Hospital) -> None:
    done = run(generic.running.fhir_base)
    assert (done.exit_code, "Log in, or with a token" in " ".join(done.stdout.split())) == (4, True)


def test_a_server_of_smart_1(tmp_path: Path) -> None:
    with running_hospital(HospitalConfig(tmp_path / "h.sqlite", seed=("north.json",), smart_1=True)) as running:
        token = running.hospital.access_token("user/*.cruds", user="Practitioner/kari")
        done = run(running.fhir_base, "--patient", PATIENT, token=token)
    assert done.exit_code == 0, done.output
    assert "SMART 1.0, without capabilities" in done.stdout
    assert "patient/Goal.read patient/Goal.write" in done.stdout


def test_a_patient_that_is_not_there_is_told_and_nothing_written(generic: Hospital) -> None:
    generic.asked.clear()
    done = at(generic, "--patient", "nobody", "--write")
    assert (done.exit_code, done.stdout) == (1, "")
    assert "Patient/nobody can't be read, so nothing was written." in done.stderr
    assert {method for method, _, _ in generic.asked} == {"GET"}


@pytest.mark.parametrize(("visit", "said"), [("none", "can't be read"), ("of-another", "is of another patient")])
def test_a_visit_that_is_none_of_the_patient_s_is_told_and_nothing_written(visit: str, said: str) -> None:
    statement = {"resourceType": "CapabilityStatement", "fhirVersion": "4.0.1", "rest": []}
    other = {"resourceType": "Encounter", "id": "of-another", "subject": {"reference": "Patient/nils"}}
    answers = {
        "GET /fhir/metadata": statement,
        "GET /fhir/Patient/anna": {"resourceType": "Patient", "id": "anna"},
        "GET /fhir/Encounter/of-another": other,
    }
    with serve(pages(answers)) as server:
        done = run(f"{server.origin}/fhir", "--patient", "anna", "--encounter", visit, "--write")
    assert (done.exit_code, done.stdout) == (1, "")
    assert f"Encounter/{visit} {said}, so nothing was written." in done.stderr
    assert "a visit of Patient/anna" in done.stderr
    assert {request.method for request in server.requests} == {"GET"}


def test_without_a_patient_a_scope_that_is_missing_is_told_of_what_is_no_patients() -> None:
    statement = {"resourceType": "CapabilityStatement", "fhirVersion": "4.0.1", "rest": []}

    def script(exchange: Any) -> None:
        exchange.answer(*((200, statement) if exchange.request.path == "/fhir/metadata" else (403,)))

    with serve(script) as server:
        told = json.loads(run(f"{server.origin}/fhir", "--json").stdout)["findings"]
    steps = {each["what"]: each["next"] for each in told}
    assert "lacks the scope" in steps["CodeSystem?url"]
    assert "Give --patient" in steps["Goal?patient"]


@pytest.mark.parametrize("answer", [(404,), PAGE, (302, b"", {"Location": "/login"})])
def test_a_token_endpoint_that_is_none_is_told_as_that(tmp_path: Path, answer: Any) -> None:
    """It was told of /metadata, which had not been asked for."""
    key = tmp_path / "key.pem"
    key.write_bytes(ECKey.generate_key("P-384").as_pem(private=True))
    with serve(pages({"POST /token": answer})) as server:
        login = ("--client-id", "c", "--key-file", str(key), "--token-url", f"{server.origin}/token")
        done = run(f"{server.origin}/fhir", *login)
    assert (done.exit_code, done.stdout) == (1, "")
    assert f"{server.origin}/token gave no token" in done.stderr
    assert "--token-url" in done.stderr
    assert "/metadata" not in done.stderr


def test_a_patient_is_an_id(generic: Hospital) -> None:
    """``--patient $ID --write`` with an empty ID would look for a patient named --write, and write nothing."""
    wrong = run(generic.running.fhir_base, "--patient", "--write")
    assert wrong.exit_code == 2
    assert "'--write' is no id; give it as in --patient 12" in " ".join(wrong.output.split())
    assert at(generic, "--patient", f"Patient/{PATIENT}").exit_code == 0


def test_writes_need_a_patient() -> None:
    done = run("https://ehr.example/fhir", "--write")
    assert done.exit_code == 2
    assert "never a real one" in done.output


@pytest.mark.parametrize(
    ("answers", "said", "step"),
    [
        ({}, "gave no CapabilityStatement, so this is no FHIR server's address", "Give the FHIR base"),
        ({"GET /fhir/metadata": PAGE}, "The EHR answered with text/html", "Give the FHIR base"),
        ({"GET /fhir/metadata": (302, b"", {"Location": "/login"})}, "no redirect is followed", "Give the FHIR base"),
        ({"GET /fhir/metadata": (401,)}, "(401)", "--token-file, --user or --client-id"),
        ({"GET /fhir/metadata": (500,)}, "(500)", "try again later"),
        ({"GET /fhir/metadata": {"resourceType": "Patient"}}, "did not answer with a CapabilityStatement", "FHIR base"),
        (
            {"GET /fhir/metadata": {"resourceType": "CapabilityStatement", "fhirVersion": "5.0.0"}},
            "speaks FHIR 5.0.0", "Ask the EHR's administrator for the R4 address",
        ),
        (
            {"GET /fhir/metadata": {"resourceType": "CapabilityStatement"}},
            "of a release that it does not tell", "R4 address",
        ),
    ],
)  # fmt: skip
def test_a_wrong_address_ends_in_a_sentence_and_a_next_step(answers: dict[str, Any], said: str, step: str) -> None:
    with serve(pages(answers)) as server:
        done = run(f"{server.origin}/fhir")
    assert (done.exit_code, done.stdout) == (1, "")
    error = done.stderr.splitlines()[-1]
    assert error.startswith("Error: ")
    assert said in error
    assert step in error


def test_a_server_that_answers_200_with_a_page_to_all_else() -> None:
    statement = {"resourceType": "CapabilityStatement", "fhirVersion": "4.0.1", "rest": []}

    def script(exchange: Any) -> None:
        exchange.answer(*((200, statement) if exchange.request.path == "/fhir/metadata" else PAGE))

    with serve(script) as server:
        done = run(f"{server.origin}/fhir", "--patient", "anna")
    assert done.exit_code == 3
    assert "The EHR answered with text/html where FHIR's JSON was asked for." in " ".join(done.stdout.split())
    assert "No scopes and no table for imr-app.toml" in done.stdout
    assert "keep things, if what is advertised works" in done.stdout


def test_each_word_of_the_plan_is_there() -> None:
    assert set(ARTEFACTS) == set(LADDERS)
    assert {rung.name for ladder in LADDERS.values() for rung in ladder} == set(RUNGS)
    assert "" in REASONS
