"""`imr-fhir validate` as its user meets it: what it says, on which line, and its exit codes."""

import json
import re
import tarfile
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from imr_fhir import artefacts
from imr_fhir.cli import main
from imr_fhir.ehr.json_writer import write_json
from imr_fhir.response import to_resource
from tests.changed import GONE, changed
from tests.filed import FILING, GOAL, RESPONSES, goal_resource
from tests.validation.mutations import MUTATIONS

RESPONSE = to_resource(RESPONSES["client"], filing=FILING)
WRONG = changed(RESPONSE, "item.2.item.0.answer.0.valueInteger", 46)
PATIENT = {"resourceType": "Patient", "id": "anna"}


def line(resource: dict[str, Any]) -> str:
    return write_json(resource).decode()


def pretty(resource: dict[str, Any]) -> str:
    return json.dumps(resource, indent=2, ensure_ascii=False, default=float)


def run(*arguments: object, given: bytes = b"") -> Result:
    return CliRunner().invoke(main, ["validate", *map(str, arguments)], input=given)


def findings(*arguments: object, given: bytes = b"") -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(run("--json", *arguments, given=given).stdout)["findings"]
    return found


def test_good_is_counted_and_exits_0(tmp_path: Path) -> None:
    file = tmp_path / "a.json"
    file.write_text(pretty(RESPONSE), encoding="utf-8")
    said = run(file)
    assert (said.exit_code, said.output) == (0, "1 good: QuestionnaireResponse 1.\n")


def test_a_finding_says_where_what_and_what_next(tmp_path: Path) -> None:
    file = tmp_path / "a.json"
    text = pretty(WRONG | {"id": "7"})
    file.write_text(text, encoding="utf-8")
    number = 1 + next(place for place, each in enumerate(text.split("\n")) if '"valueInteger": 46' in each)
    said = run(file)
    assert said.exit_code == 3
    assert said.output == (
        f"{file}:{number}:15: error [wrong-score] QuestionnaireResponse/7\n"
        "    QuestionnaireResponse.item[2].item[0].answer[0].valueInteger\n"
        "    sum is 46, and the answers give 45.\n"
        "    Correct the figure, or find out which answer was changed after it.\n"
        "\n"
        "1 with errors: QuestionnaireResponse 1.\n"
        "1 finding: wrong-score 1.\n"
    )


def test_what_is_not_ours_is_never_called_good(tmp_path: Path) -> None:
    file = tmp_path / "a.json"
    file.write_text(line(PATIENT))
    said = run(file)
    assert said.exit_code == 0
    assert said.output == (
        "1 not checked, being none of ours: Patient 1.\nNothing of ours was in it, so nothing was checked.\n"
    )


@pytest.mark.parametrize(
    "resource",
    [
        {"resourceType": "Observation", "status": "final", "code": {"text": "Weight"}},
        {"resourceType": "QuestionnaireResponse", "status": "completed", "questionnaire": "http://x.example/phq9"},
        {"resourceType": "Goal", "lifecycleStatus": "active", "description": {"text": "x"}, "subject": {}},
        {"resourceType": "Questionnaire", "status": "draft", "url": "http://x.example/phq9"},
        {"resourceType": "Provenance"},
    ],
)
def test_other_resources_of_our_types_are_not_judged(resource: dict[str, Any]) -> None:
    found = json.loads(run("--json", "-", given=write_json(resource)).stdout)
    assert (found["notChecked"], found["findings"]) == ({resource["resourceType"]: 1}, [])


def test_another_s_profile_is_named_as_not_checked() -> None:
    resource = RESPONSE | {"meta": {"profile": ["http://hl7.org/fhir/us/core/StructureDefinition/x|6.1.0"]}}
    said = run("-", given=write_json(resource))
    assert said.exit_code == 0
    assert (
        "Not checked against others' profiles that they claim: http://hl7.org/fhir/us/core/StructureDefinition/x 1."
        in (said.output)
    )


def test_ndjson_goes_on_after_a_line_that_is_no_json(tmp_path: Path) -> None:
    file = tmp_path / "a.ndjson"
    file.write_text("\n".join([line(RESPONSE), '{"resourceType":', "", line(WRONG), line(PATIENT)]) + "\n")
    said = run("--json", file)
    found = json.loads(said.stdout)
    assert said.exit_code == 1
    assert [(each["line"], each["code"]) for each in found["findings"]] == [(2, "half-a-file"), (4, "wrong-score")]
    assert (found["good"], found["broken"]) == ({"QuestionnaireResponse": 1}, {"QuestionnaireResponse": 1})
    assert (found["notChecked"], found["unreadable"]) == ({"Patient": 1}, 1)


def test_lines_are_told_by_what_is_in_them_too() -> None:
    given = (line(RESPONSE) + "\n" + line(WRONG) + "\n").encode()
    (found,) = findings("-", given=given)
    assert (found["file"], found["line"]) == ("standard input", 2)


def test_a_bundle_is_judged_entry_by_entry(tmp_path: Path) -> None:
    entries = [{"resource": each} for each in (RESPONSE, WRONG, PATIENT)] + [{"request": {}}, {"resource": {"a": 1}}]
    bundle = {"resourceType": "Bundle", "type": "collection", "entry": entries}
    file = tmp_path / "a.json"
    file.write_text(pretty(bundle), encoding="utf-8")
    found = findings(file)
    text = file.read_text(encoding="utf-8").split("\n")
    assert [(each["code"], each["path"]) for each in found] == [
        ("empty", "Bundle.entry[3].request"),
        ("wrong-score", "Bundle.entry[1].resource.item[2].item[0].answer[0].valueInteger"),
        ("no-resource", "Bundle.entry[4].resource"),
    ]
    assert '"valueInteger": 46' in text[found[1]["line"] - 1]
    assert '"resource": {' in text[found[2]["line"] - 1]


def test_a_folder_is_read_whole_and_its_other_json_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "package").mkdir()
    (tmp_path / "package" / "package.json").write_text('{"name": "imr"}')
    (tmp_path / "package" / "b.json").write_text(line(WRONG))
    (tmp_path / "a.ndjson").write_text(line(goal_resource(GOAL, filing=FILING)))
    (tmp_path / "notes.txt").write_text("not JSON")
    found = json.loads(run("--json", tmp_path).stdout)
    assert (found["good"], found["broken"]) == ({"Goal": 1}, {"QuestionnaireResponse": 1})
    assert found["notChecked"] == {"JSON that is no resource": 1}


def test_our_own_artefacts_are_good() -> None:
    root = Path(__file__).parents[2]
    said = run(root / "questionnaires", root / "tests/data/examples")
    assert said.exit_code == 0, said.output


def test_json_is_one_value_and_nothing_else(tmp_path: Path) -> None:
    (found,) = findings("-", given=write_json(WRONG))
    assert found == {
        "file": "standard input",
        "line": 1,
        "column": write_json(WRONG).decode().index('"valueInteger":46') + 1,
        "resource": "QuestionnaireResponse",
        "path": "QuestionnaireResponse.item[2].item[0].answer[0].valueInteger",
        "severity": "error",
        "code": "wrong-score",
        "message": "sum is 46, and the answers give 45.",
        "nextStep": "Correct the figure, or find out which answer was changed after it.",
    }


def test_no_person_s_words_are_told() -> None:
    secret = "My neighbour's name"
    wrong = changed(RESPONSE, "item.1.answer.0", {"valueString": secret * 400, "valueInteger": 3})
    assert secret not in run("-", given=write_json(wrong)).output


# ---- bad input: a sentence and a next step each

_GOAL = b'{"resourceType": "Goal",\n '

BAD: dict[str, tuple[bytes, str, int, str, str]] = {
    # name: content, code, line, sentence, next step
    "half a file": (_GOAL + b'"id": "a', "half-a-file", 2, "ends in the middle of its JSON, in line 2", "to its end"),
    "half a file of lines": (pretty(RESPONSE).encode()[:2000], "half-a-file", 72, "ends in the middle", "to its end"),
    "no JSON": (b"resourceType: Goal", "not-json", 1, "is not JSON: expecting value in line 1, column 1", "Correct it"),
    "a comma too many": (_GOAL + b'"id": "a",}', "not-json", 2, "is not JSON", "Correct it there"),
    "two resources": (b'{\n"a": 1}\n{"a": 1}', "not-json", 3, "goes on after the end", "one resource a line"),
    "binary": (b"\x00\x01\x02\x03", "not-json", 1, "is no text: it holds NUL bytes", "as JSON in UTF-8"),
    "gzip": (b"\x1f\x8b\x08\x00", "not-json", 1, "is packed with gzip", "Unpack it first"),
    "zip": (b"PK\x03\x04abc", "not-json", 1, "is a zip file", "Unpack it first"),
    "XML": (b"<Goal xmlns='http://hl7.org/fhir'/>", "not-json", 1, "looks like XML", "Give the resource as JSON"),
    "UTF-16": ('{"resourceType": "Goal"}'.encode("utf-16"), "not-json", 1, "is text in UTF-16", "Save it as UTF-8"),
    "Latin-1": (_GOAL + '"text": "å"}'.encode("latin-1"), "not-utf-8", 2, "byte 0xe5 in line 2", "Save it as UTF-8"),
    "a name twice": (_GOAL + b'"id": "a",\n "id": "b"}', "name-twice", 3, "has 'id' twice", "Keep the right one"),
    "nested deep": (b'{"a":' * 100 + b"1" + b"}" * 100, "too-deep", 1, "more than 64 levels", "what wrote it"),
    "nested very deep": (b"[" * 200_000, "too-deep", 1, "more than 64 levels", "what wrote it"),
    "NaN": (_GOAL + b'"a": NaN}', "not-json", 1, "NaN is no JSON number", "Correct it"),
    "a huge number": (_GOAL + b'"a": 1e999}', "not-json", 1, "more than 18 digits", "Correct it"),
    "no resourceType": (b'{"id": "a"}', "no-resource", 1, "without resourceType", "Add it"),
    "resourceType that is no text": (b'{"resourceType": 3}', "no-resource", 1, "without resourceType", "Add it"),
    "a list": (b'[\n{"resourceType": "Goal"}]', "no-resource", 1, "holds a list", "one resource a line"),
    "a number": (b"3", "no-resource", 1, "a single value", "Give a resource"),
    "empty": (b"", "empty-file", 0, "is empty", "Export it again"),
    "blanks": (b" \n\n\t\n", "empty-file", 0, "is empty", "Export it again"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_bad_input_gets_a_sentence_and_a_next_step(name: str, tmp_path: Path) -> None:
    content, code, number, sentence, next_step = BAD[name]
    file = tmp_path / "a.json"
    file.write_bytes(content)
    (found,) = findings(file)
    assert (found["code"], found["line"], found["severity"]) == (code, number, "fatal")
    assert sentence in found["message"]
    assert next_step in found["nextStep"]
    assert run(file).exit_code == 1


def test_a_byte_order_mark_is_no_harm(tmp_path: Path) -> None:
    file = tmp_path / "a.json"
    file.write_bytes(b"\xef\xbb\xbf" + pretty(RESPONSE).encode())
    assert run(file).exit_code == 0


def test_a_file_that_is_not_there_any_more_and_an_empty_folder(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    gone, nothing = findings(tmp_path / "gone.json", tmp_path / "empty")
    assert "is not there" in gone["message"]
    assert "holds no .json" in nothing["message"]
    assert run(tmp_path / "gone.json").exit_code == 1


def test_a_resource_type_that_r4_has_not() -> None:
    (found,) = findings("-", given=b'{"resourceType": "ActorDefinition"}')
    assert (found["severity"], found["code"]) == ("error", "not-a-code")


def test_files_must_be_named() -> None:
    assert run().exit_code == 2


# ---- Questionnaires

FORM = artefacts.questionnaire("client")
MEAN = "item.3.item.2.extension.0.valueExpression.expression"


REFUSED: list[tuple[str, Any, str]] = [
    (MEAN, "iif(%resource.item.exists(", "broken-expression"),
    (MEAN, "%resource.item.where(linkId='imr", "broken-expression"),
    (MEAN, "%resource.item)", "broken-expression"),
    (MEAN, "%resource.item.", "broken-expression"),
    (MEAN, "%resource.item.answer.value.sum()", "other-expression"),
    ("item.3.item.2.extension", GONE, "missing-expression"),
    ("item.1.item.3.answerOption.2.extension", GONE, "missing-weight"),
    ("item.1.item.3.answerOption.2.valueCoding.extension", GONE, "missing-weight"),
    ("item.1.item.3.answerOption.2.extension.0.valueDecimal", 4, "wrong-weight"),
    ("item.1.item.3.text", "How often do you talk?", "edited"),
    ("item.1.item.3", GONE, "not-whole"),
    ("item.1.item.3.answerOption.2.valueCoding.code", "04-9", "not-whole"),
    ("url", f"{artefacts.BASE}/Questionnaire/imr-family", "unknown-form"),
    ("item.1.item.3.linkId", "05", "que-2"),
    ("item.1.item.3.type", "slider", "not-a-code"),
]


@pytest.mark.parametrize(("path", "to", "code"), REFUSED)
def test_a_questionnaire_that_would_render_or_score_otherwise_is_refused(path: str, to: Any, code: str) -> None:
    said = run("--json", "-", given=write_json(changed(FORM, path, to)))
    assert said.exit_code == 3
    assert code in [each["code"] for each in json.loads(said.stdout)["findings"]]


def test_an_edited_one_names_its_places_and_a_new_version_is_not_compared() -> None:
    edited = changed(changed(FORM, "item.1.item.0.text", "x"), "title", "y")
    assert [each["path"] for each in findings("-", given=write_json(edited))] == [
        "Questionnaire.title",
        "Questionnaire.item[1].item[0].text",
    ]
    said = run("-", given=write_json(changed(edited, "version", "0.2.0")))
    assert said.exit_code == 0
    assert "warning [unknown-version]" in said.output


def test_each_code_is_explained_and_each_explained_one_is_there() -> None:
    root = Path(__file__).parents[2]
    page = (root / "docs/integration.md").read_text(encoding="utf-8")
    rows = page.partition("| code | what it means |")[2].partition("\n\n")[0].splitlines()
    explained = {code for row in rows for code in re.findall(r"`([a-z0-9-]+)`", row.split("|")[1:2][0] if row else "")}
    found = (
        {code for code, _ in MUTATIONS.values()} | {code for _, _, code in REFUSED} | {row[1] for row in BAD.values()}
    )
    assert {code for code in found if not code[-1].isdigit()} <= explained
    source = "".join(file.read_text(encoding="utf-8") for file in (root / "imr_fhir/validation").glob("*.py"))
    assert {code for code in explained if f'"{code}"' not in source} <= {"imr-qr-1", "obs-7"}


def test_what_we_build_and_load_is_good(tmp_path: Path) -> None:
    """Our tag on what is loaded, and the package's ViewDefinitions, which are of no R4 type."""
    assert CliRunner().invoke(main, ["package", "-o", str(tmp_path)]).exit_code == 0
    with tarfile.open(tmp_path / "imr.fhir-0.1.0-draft.tgz") as package:
        package.extractall(tmp_path, filter="data")
    said = run(tmp_path / "Bundle-transaction.json", tmp_path / "package")
    assert said.exit_code == 0, said.output
    assert "Questionnaire 4" in said.output
    assert "ViewDefinition 20" in said.output


def test_a_version_that_is_not_known_is_told_once(tmp_path: Path) -> None:
    """A form with a new translation, before it stands where we look, has it on each code."""
    form = next(each for each in artefacts.questionnaires() if each["url"].endswith("/imr-client"))
    codes = f'"{form["url"].replace("Questionnaire", "CodeSystem")}"'
    text = json.dumps(form | {"version": "0.9.0"}).replace(
        f'{codes}, "version": "0.1.0"', f'{codes}, "version": "0.9.0"'
    )
    file = tmp_path / "form.json"
    file.write_text(text, encoding="utf-8")
    said = [each["path"] for each in findings(file) if each["code"] == "unknown-version"]
    assert said == ["Questionnaire.version", "Questionnaire.item[1].item[0].code[0].version"]
