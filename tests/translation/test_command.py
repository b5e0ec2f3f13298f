"""`imr-fhir translate` as its user meets it."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from imr_fhir.cli import main
from imr_fhir.translation.table import Row, read_table, write_table
from tests.test_artefacts import TOP
from tests.translation.build import KEYS, PRESENT, translated

SAID = ("--by", "Kari Nordmann", "--on", "2027-01-02", "--status", "draft")


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, ["translate", *map(str, arguments)])


def table_of(folder: Path, rows: tuple[Row, ...]) -> Path:
    path = folder / "table.csv"
    path.write_bytes(write_table(rows))
    return path


def test_bokmal_out_and_in_again_is_byte_for_byte_the_same(tmp_path: Path) -> None:
    out = run("export", "clinician", "--to", "nb", "-o", tmp_path / "nb.csv", "--semicolon")
    assert out.output.endswith("113 translated, 0 missing, 0 stale.\n")
    said = ("--by", PRESENT.by, "--on", PRESENT.on, "--status", PRESENT.status, "--note", PRESENT.note)
    back = run("import", tmp_path / "nb.csv", *said, "--into", tmp_path / "out")
    assert back.exit_code == 0, back.output
    assert "113 texts into nb, 0 of them new or changed" in back.output
    for file in ("questionnaires/Questionnaire-imr-clinician.json", "profiles/CodeSystem-imr-clinician.json"):
        assert (tmp_path / "out" / Path(file).name).read_bytes() == (TOP / file).read_bytes()
    assert len(list((tmp_path / "out").iterdir())) == 2


def test_a_table_that_translators_may_have_filled_in_is_not_written_over(tmp_path: Path) -> None:
    path = tmp_path / "nn.csv"
    assert run("export", "client", "--to", "nn", "-o", path).exit_code == 0
    path.write_bytes(path.read_bytes() + b"weeks of work")
    again = run("export", "client", "--to", "nn", "-o", path)
    assert again.exit_code == 1
    assert "nn.csv is there already, perhaps with what translators wrote in it. Nothing was written." in again.output
    assert path.read_bytes().endswith(b"weeks of work")


def test_a_new_language_then_a_second_round_from_the_files(tmp_path: Path) -> None:
    first = run("import", table_of(tmp_path, translated()), *SAID, "--into", tmp_path / "one")
    assert first.exit_code == 0, first.output
    assert "imr-client|0.2.0, made from" in first.output
    form, codes = tmp_path / "one/Questionnaire-imr-client.json", tmp_path / "one/CodeSystem-imr-client.json"
    assert run("export", form, "--to", "nn", "-o", tmp_path / "two.csv").exit_code == 0
    lines = read_table((tmp_path / "two.csv").read_bytes())
    assert lines[0].translation == "(nn) Illness Management and Recovery Scale: Client Self-Rating"
    files = ("--questionnaire", form, "--code-system", codes)
    second = run("import", tmp_path / "two.csv", *SAID, *files, "--into", tmp_path / "two")
    assert second.exit_code == 0, second.output
    assert (tmp_path / "two" / form.name).read_bytes() == form.read_bytes()


def test_nothing_is_written_unless_whole(tmp_path: Path) -> None:
    table = table_of(tmp_path, translated(but={"title": "", "item.01.label": ""}))
    refused = run("import", table, *SAID, "--into", tmp_path / "out")
    assert refused.exit_code == 1
    assert refused.stdout == ""
    assert [line[:7] for line in refused.stderr.splitlines()] == ["Line 2:", "Line 5:", "Nothing"]
    assert not (tmp_path / "out").exists()


def test_in_part_where_that_is_said(tmp_path: Path) -> None:
    table = table_of(tmp_path, translated(but={"title": ""}))
    done = run("import", table, *SAID, "--into", tmp_path / "out", "--partial", "--json")
    assert done.exit_code == 4
    told = json.loads(done.stdout)
    assert told["taken"] == told["changed"] == len(KEYS) - 1
    assert [(each["kind"], each["line"]) for each in told["findings"]] == [("missing", 2)]
    assert [Path(file).name for file in told["files"]] == [
        "Questionnaire-imr-client.json",
        "CodeSystem-imr-client.json",
    ]


def test_nothing_at_all_to_take(tmp_path: Path) -> None:
    table = table_of(tmp_path, tuple(replace(row, translation="") for row in translated()))
    assert run("import", table, *SAID, "--into", tmp_path / "out", "--partial").exit_code == 1
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("export", "nurse", "--to", "nn", "-o", "x.csv"), 1, "There is no Questionnaire 'nurse'"),
        (("export", "client", "--to", "norsk", "-o", "x.csv"), 1, "no language code"),
        (("export", "bad.json", "--to", "nn", "-o", "x.csv"), 1, "bad.json can't be read"),
        (("export", "goal.json", "--to", "nn", "-o", "x.csv"), 1, "goal.json holds Goal"),
        (("export", "client", "--to", "nn", "-o", "no/x.csv"), 1, "no such file or directory. Name a file"),
        (("import", "table.csv", *SAID, "--into", "bad.json/out"), 1, "not a directory. Name a folder"),
        (("import", "bad.json", *SAID, "--into", "out"), 1, "no column"),
        (("import", "other.csv", *SAID, "--into", "out"), 1, "No Questionnaire urn:other is packaged"),
        (("import", "table.csv", *SAID, "--into", "out", "--partial", "--status", "validated"), 2, "can't be called"),
        (("import", "table.csv", *SAID, "--into", "out", "--on", "yesterday"), 2, "no day like"),
        (("import", "table.csv", *SAID, "--into", "out", "--by", " "), 2, "words on one line"),
        (("import", "table.csv", *SAID, "--into", "out", "--note", "a\nb"), 2, "words on one line"),
        (("import", "table.csv", *SAID, "--into", "out", "--version", "2"), 2, "no version like 0.2.0"),
        (("import", "table.csv", *SAID, "--into", "out", "--code-system", "codes.json"), 1, "and here is"),
    ],
)  # fmt: skip
def test_what_is_wrong_ends_in_a_sentence(
    arguments: tuple[str, ...], code: int, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    table_of(tmp_path, translated())
    Path("bad.json").write_text("{")
    Path("goal.json").write_text('{"resourceType": "Goal"}')
    Path("codes.json").write_bytes((TOP / "profiles/CodeSystem-imr-clinician.json").read_bytes())
    Path("other.csv").write_bytes(write_table(tuple(replace(row, form="urn:other|1") for row in translated())))
    before = sorted(tmp_path.iterdir())
    result: Any = run(*arguments)
    assert result.exit_code == code, result.output
    assert said in result.output
    assert sorted(tmp_path.iterdir()) == before
