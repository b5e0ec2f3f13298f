"""`imr-fhir validate --engine hl7`: by the FHIR validator as a service, by HAPI's $validate, and by a jar."""

import json
import os
import stat
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from imr_fhir.artefacts import artefact_resources, questionnaire
from imr_fhir.cli import main
from imr_fhir.ehr.client import FhirClient
from imr_fhir.ehr.json_writer import write_json
from imr_fhir.ehr.transport import Transport
from imr_fhir.response import to_resource
from imr_fhir.validation.hl7 import path_of
from tests.changed import changed
from tests.filed import FILING, RESPONSES
from tests.validator import Validator
from tests.wire_server import pages, serve

RESPONSE = to_resource(RESPONSES["client"], filing=FILING)
BROKEN = changed(RESPONSE, "item.0.item.5.answer.0.valueCoding.code", "07-3")
UNKNOWN = changed(RESPONSE, "questionnaire", "https://w3id.org/imr-fhir/Questionnaire/imr-client|9.0.0")
PATIENT = {"resourceType": "Patient", "gender": "f"}
GOAL = {"resourceType": "Goal", "lifecycleStatus": "active", "description": {"text": "x"}, "subject": {"display": "A"}}


def run(*arguments: object, given: list[dict[str, Any]]) -> Result:
    lines = b"\n".join(map(write_json, given))
    return CliRunner().invoke(main, ["validate", "--engine", "hl7", *map(str, arguments), "-"], input=lines)


def judged(*arguments: object, given: list[dict[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(run("--json", *arguments, given=given).stdout)
    return found


@pytest.mark.parametrize(
    ("expression", "path"),
    [
        ("Observation.value.ofType(Quantity).code", ("valueQuantity", "code")),
        ("QuestionnaireResponse.item[0].answer[2]", ("item", 0, "answer", 2)),
        ("Bundle.entry[1].resource/*Goal/12*/.category[0]", ("entry", 1, "resource", "category", 0)),
        ("Goal", ()),
        ("", ()),
    ],
)
def test_where_it_says_that_something_is(expression: str, path: tuple[Any, ...]) -> None:
    assert path_of(expression) == path


def test_it_needs_a_server_or_a_jar() -> None:
    said = run(given=[GOAL])
    assert said.exit_code == 2
    assert "--engine hl7 needs --server or --validator-jar" in said.output
    said = CliRunner().invoke(main, ["validate", "--server", "http://127.0.0.1:1/fhir", "-"], input=b"{}")
    assert said.exit_code == 2
    assert "--server goes with --engine hl7" in said.output


def test_a_code_system_that_the_server_has_not_is_no_fault_to_correct() -> None:
    """HAPI 8.8, of our own Questionnaires: their version-algorithm is of R5."""
    issue = {"severity": "error", "diagnostics": "Unknown Code System 'http://hl7.org/fhir/version-algorithm'"}
    answer = {"resourceType": "OperationOutcome", "issue": [issue]}
    with serve(pages({"POST /fhir/Goal/$validate": answer})) as server:
        (found,) = judged("--server", f"{server.origin}/fhir", given=[GOAL])["findings"]
    assert found["severity"] == "error"
    assert "does not have that CodeSystem" in found["nextStep"]


def issue(said: str, at: str) -> dict[str, Any]:
    return {"severity": "error", "diagnostics": said, "expression": [at]}


@pytest.mark.parametrize(
    ("system", "code", "at", "judged_so"),
    [
        ("http://hl7.org/fhir/version-algorithm", "semver", "Questionnaire.extension[0].valueCoding", "not-judged"),
        (
            "http://hl7.org/fhir/version-algorithm",
            "semver",
            "Questionnaire.extension[0].value.ofType(Coding)",
            "not-judged",
        ),
        ("http://hl7.org/fhir/version-algorithm", "sember", "Questionnaire.extension[0].valueCoding", "hl7"),
        ("http://hl7.org/fhir/version-algorithms", "semver", "Questionnaire.extension[0].valueCoding", "hl7"),
        ("https://w3id.org/imr-fhir/CodeSystem/imrr", "semver", "Questionnaire.extension[0].valueCoding", "hl7"),
        ("http://hl7.org/fhir/version-algorithm", "semver", "Questionnaire.extension[7].valueCoding", "hl7"),
        ("http://hl7.org/fhir/version-algorithm", "semver", "Questionnaire", "hl7"),
    ],
)
def test_what_the_server_lacks_is_told_apart_from_what_is_wrong(
    system: str, code: str, at: str, judged_so: str
) -> None:
    """A system of HL7's with a code of its own; another address or code may be a slip of the pen."""
    form = changed(questionnaire("client"), "extension.0.valueCoding", {"system": system, "code": code})
    answer = {"resourceType": "OperationOutcome", "issue": [issue(f"Unknown Code System '{system}'", at)]}
    with serve(pages({"POST /fhir/Questionnaire/$validate": answer})) as server:
        said = run("--json", "--server", f"{server.origin}/fhir", given=[form])
    (found,) = json.loads(said.stdout)["findings"]
    assert found["code"] == judged_so
    assert (found["severity"], said.exit_code) == (("information", 0) if judged_so == "not-judged" else ("error", 3))


def test_a_server_that_does_not_answer_is_a_sentence() -> None:
    said = run("--server", "http://127.0.0.1:1/fhir", given=[GOAL])
    assert said.exit_code == 1
    assert "No connection to http://127.0.0.1:1" in said.output


def is_what_it_says(found: dict[str, Any]) -> None:
    """Of RESPONSE, BROKEN, UNKNOWN and PATIENT, a line each."""
    assert found["good"] == {"QuestionnaireResponse": 1}
    assert found["broken"] == {"QuestionnaireResponse": 2, "Patient": 1}
    errors = [each for each in found["findings"] if each["severity"] == "error"]
    assert {each["line"] for each in errors} == {2, 3, 4}
    assert all(each["code"].startswith("hl7") for each in errors)
    assert any("imr-qr-4" in each["message"] for each in errors if each["line"] == 2), errors
    (unchecked,) = [each for each in errors if each["line"] == 3 and "not checked" in each["message"]]
    assert "imr-fhir load" in unchecked["nextStep"]
    assert write_json(UNKNOWN).decode()[unchecked["column"] - 1 :].startswith('"questionnaire"')


@pytest.mark.validator
def test_by_the_validator_as_a_service(fhir_validator: Validator) -> None:
    is_what_it_says(judged("--server", fhir_validator.origin, given=[RESPONSE, BROKEN, UNKNOWN, PATIENT]))
    assert run("--server", fhir_validator.origin, given=[RESPONSE]).exit_code == 0
    assert run("--server", f"{fhir_validator.origin}/validateResource", given=[BROKEN]).exit_code == 3


@pytest.mark.hapi
def test_by_hapi_s_own_operation(hapi_base: str) -> None:
    client = FhirClient(Transport([hapi_base.removesuffix("/fhir")], allow_loopback_http=True), hapi_base)
    for artefact in artefact_resources():
        client.update(artefact)
    is_what_it_says(judged("--server", hapi_base, given=[RESPONSE, BROKEN, UNKNOWN, PATIENT]))
    ours = run("--server", hapi_base, given=artefact_resources())
    assert ours.exit_code == 0, ours.output
    assert "Unknown Code System 'http://hl7.org/fhir/version-algorithm'" in ours.output
    wrong = changed(questionnaire("client"), "extension.0.valueCoding.system", "http://hl7.org/fhir/version-algoritm")
    assert run("--server", hapi_base, given=[wrong]).exit_code == 3


# ---- HL7's jar: a stand-in that takes its arguments and answers in its form (ValidationEngine, EXT_OO_FILE)

_STAND_IN = """#!{python}
import json, sys
from pathlib import Path
jar, given, answer = sys.argv[2], Path(sys.argv[3]), Path(sys.argv[sys.argv.index("-output") + 1])
assert sys.argv[1:2] == ["-jar"] and "-tx" in sys.argv, sys.argv
ours = list(Path(sys.argv[sys.argv.index("-ig") + 1]).iterdir())
assert any(each.name.startswith("Questionnaire-imr-client") for each in ours)
if jar.endswith("broken.jar"):
    print("Error: Unable to access jarfile", file=sys.stderr)
    sys.exit(1)
entries = []
for file in sorted(given.iterdir()):
    wrong = json.loads(file.read_text())["lifecycleStatus"] != "active"
    issue = {{"severity": "error", "code": "invalid", "details": {{"text": "Unknown code"}}}}
    issue["expression"] = ["Goal.lifecycleStatus"]
    fine = {{"severity": "information", "code": "informational", "details": {{"text": "All OK"}}}}
    named = {{"url": "http://hl7.org/fhir/StructureDefinition/operationoutcome-file", "valueString": str(file)}}
    outcome = {{"resourceType": "OperationOutcome", "extension": [named], "issue": [issue if wrong else fine]}}
    entries.append({{"resource": outcome}})
if jar.endswith("lazy.jar"):
    entries.pop()
answer.write_text(json.dumps({{"resourceType": "Bundle", "entry": entries}}))
sys.exit(1)
"""


@pytest.fixture
def java(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    stand_in = tmp_path / "java"
    stand_in.write_text(_STAND_IN.format(python=sys.executable))
    stand_in.chmod(stand_in.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    for name in ("validator_cli.jar", "broken.jar", "lazy.jar"):
        (tmp_path / name).touch()
    return tmp_path


def test_by_a_jar_all_at_once(java: Path) -> None:
    found = judged("--validator-jar", java / "validator_cli.jar", given=[GOAL, GOAL | {"lifecycleStatus": "x"}, GOAL])
    assert (found["good"], found["broken"]) == ({"Goal": 2}, {"Goal": 1})
    (finding,) = found["findings"]
    assert (finding["line"], finding["path"], finding["message"]) == (2, "Goal.lifecycleStatus", "Unknown code")


@pytest.mark.parametrize(
    ("jar", "sentence"),
    [
        ("broken.jar", "gave no result: Error: Unable to access jarfile"),
        ("lazy.jar", "answered for 1 of 2 resources"),
    ],
)
def test_a_jar_that_does_not_do_it(java: Path, jar: str, sentence: str) -> None:
    said = run("--validator-jar", java / jar, given=[GOAL, GOAL])
    assert said.exit_code == 1
    assert sentence in said.output


def test_without_java(java: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    said = run("--validator-jar", java / "validator_cli.jar", given=[GOAL])
    assert said.exit_code == 1
    assert "java could not be run" in said.output
    assert "Install Java" in said.output
