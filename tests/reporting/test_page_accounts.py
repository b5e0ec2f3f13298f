"""What the page says of what was read and left out, counted once more off the disk: no file of figures has these."""

import json
from collections import Counter
from pathlib import Path

import pytest

from imr_fhir.reporting.making_report import Made, make
from tests.reporting.making import DAY, ZONE, exported, report_of, reported
from tests.reporting.page_reading import PageTable, read_page
from tests.reporting.population import EXPORTED
from tests.reporting.recomputed import recompute

SMALL = 5  # told once more: nothing under it may stand there
HIDDEN = "–"
# Told of no rating: what they would have been is another resource.
NOT_RECOMPUTED = {"another form", "a score whose response is read"}
COLUMNS = {"On the server": "on_server", "Received": "received", "Kept": "kept", "Lines": "lines", "Read": "read"}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    return reported(200, 7, tmp_path_factory)


def _table(folder: Path, section: str) -> PageTable:
    tables, _ = read_page((folder / "report.html").read_text(encoding="utf-8"))
    (found,) = (table for table in tables if table.section == section)
    return found


def left_out_differences(report: Path, export: Path) -> list[str]:
    """Each number of the page against the second script's; which are hidden besides, it does not know."""
    other = recompute(export, DAY, ZONE).left_out
    said = {names: text for names, _, text in _table(report, "left-out").cells}
    found = []
    for (kind, reason), text in said.items():
        if text != HIDDEN and int(text.replace(",", "")) < SMALL:
            found.append(f"{kind}, {reason}: {text} is shown")
        if reason in NOT_RECOMPUTED or (kind, reason) == ("ratings", "in the export"):
            continue
        parts = [n for (of, why), n in other.items() if of == kind and reason in ("in the export", why)]
        if text not in (HIDDEN, f"{sum(parts):,}"):
            found.append(f"{kind}, {reason}: {text}, not {sum(parts)}")
    missing = {key for key, n in other.items() if n} - said.keys()
    return [*found, *(f"{key}: not on the page" for key in missing)]


def _lines(export: Path) -> Counter[str]:
    found: Counter[str] = Counter()
    for file in export.glob("*.ndjson"):
        text = file.read_text(encoding="utf-8")
        found[file.name.partition("-")[0]] += sum(bool(line.strip()) for line in text.splitlines())
    return found


def reconciled(report: Path) -> dict[str, dict[str, str]]:
    """By resource type and column."""
    found: dict[str, dict[str, str]] = {}
    for (name,), column, text in _table(report, "reconciled").cells:
        found.setdefault(name, {})[COLUMNS[column]] = text
    return found


@pytest.mark.parametrize("people", [200, 25])
def test_what_was_left_out(people: int, tmp_path: Path) -> None:
    report_of(exported(people, tmp_path))
    assert left_out_differences(tmp_path / "out", tmp_path) == []


def test_the_numbers_of_lines_are_the_files(made: Made) -> None:
    report = made.files[0].parent
    lines = _lines(report.parent)
    assert lines
    for name, said in reconciled(report).items():
        text = HIDDEN if 0 < lines[name] < SMALL else f"{lines[name]:,}"
        assert said == {"on_server": "", "received": "", "kept": "", "lines": text, "read": text}, name


def test_the_steps_stand_under_their_names_and_small_losses_are_hidden(tmp_path: Path) -> None:
    """Five numbers that all differ, of Goal by more than is small and of Patient by less."""
    lines = _lines(exported(60, tmp_path))
    steps = {"Goal": (30, 20, 10), "Patient": (3, 2, 1)}
    resources = {n: {"received": lines[n] + b, "kept": lines[n] + c} for n, (_, b, c) in steps.items()}
    on_server = {name: lines[name] + a for name, (a, _, _) in steps.items()}
    run = {"resources": resources, "onServer": on_server}
    files = [{"name": file.name, "count": _lines_of(file)} for file in tmp_path.glob("*.ndjson")]
    manifest = {"transactionTime": EXPORTED.isoformat(), "asked": {"episode_types": []}, "runs": [run], "files": files}
    (tmp_path / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    make(tmp_path, tmp_path / "out", zone=ZONE, now=EXPORTED)
    said, n = reconciled(tmp_path / "out"), lines["Goal"]
    shown = {"on_server": n + 30, "received": n + 20, "kept": n + 10, "lines": n, "read": n}
    assert said["Goal"] == {name: f"{number:,}" for name, number in shown.items()}
    assert set(said["Patient"].values()) == {HIDDEN}


def _lines_of(file: Path) -> int:
    return len(file.read_text(encoding="utf-8").splitlines())
