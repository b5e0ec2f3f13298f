"""What was taken back is what the app shows, files and marks."""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from imr_fhir import artefacts
from imr_fhir.ehr.json_writer import write_file
from imr_fhir.translation.check import check
from imr_fhir.translation.export import rows
from imr_fhir.translation.taking import take
from tests.test_artefacts import TOP
from tests.translation.build import code_system, lines, status

NEW = {"item.06.answer.06-3": "Symptomene plager personen litt", "item.06.text": "Hvor plaget er personen?"}


@pytest.mark.parametrize("how", ["reviewed", "validated"])
def test_the_app_shows_files_and_marks_what_was_taken(how: Any, tmp_path: Path) -> None:
    form, codes = artefacts.questionnaire("clinician"), code_system("clinician")
    table = [replace(row, translation=NEW.get(row.key, row.translation)) for row in rows(form, "nb")]
    done = take(form, codes, check(form, lines(table)).taken, status(lang="nb", status=how))
    assert done.changed == 2

    for name in ("imr_fhir", "smart_app", "tests"):
        (tmp_path / name).symlink_to(TOP / name)
    for name in ("profiles", "questionnaires"):
        shutil.copytree(TOP / name, tmp_path / name)
    (tmp_path / "questionnaires/Questionnaire-imr-clinician.json").write_bytes(write_file(done.questionnaire))
    (tmp_path / "profiles/CodeSystem-imr-clinician.json").write_bytes(write_file(done.code_system))
    (tmp_path / "hospital").mkdir()
    ran = subprocess.run(
        [sys.executable, "-m", "tests.translation.app_with_other_artefacts", tmp_path / "hospital"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    said = json.loads(ran.stdout.splitlines()[-1])
    assert all(text in said["form"] for text in NEW.values())
    for page in ("form", "receipt"):
        assert (said["mark"] in said[page]) == (how != "validated"), page
    (response,) = said["filed"]
    assert response["questionnaire"] == f"{form['url']}|0.2.0"
    answer = response["item"][0]["item"][5]["answer"][0]
    assert answer["valueCoding"]["version"] == "0.2.0"
    assert answer["extension"] == [{"url": artefacts.SHOWN_WORDING, "valueString": NEW["item.06.answer.06-3"]}]
