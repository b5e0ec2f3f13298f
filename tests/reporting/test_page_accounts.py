"""What the page says of what was read and left out, counted once more off the disk: no file of figures has these."""

import json
from collections import Counter
from pathlib import Path

import pytest

from imr_fhir.reporting.making_report import Made, make
from tests.reporting.making import DAY, ZONE, exported, report_of, reported
from tests.reporting.page_reading import PageTable, read_page
from tests.reporting.population import EXPORTED, population, write_ndjson
from tests.reporting.recomputed import recompute

SMALL = 5  # told once more: nothing under it may stand there
HIDDEN = "–"
# Told of no rating: what they would have been is another resource.
NOT_RECOMPUTED = {"another form", "a score whose response is read"}
STEPS = ("on_server", "received", "kept", "lines", "older", "read")
COLUMNS = {
    "en": ("On the server", "Received", "Kept", "Lines", "Older versions", "Read"),
    "nb": ("På serveren", "Mottatt", "Beholdt", "Linjer", "Eldre versjoner", "Lest"),
}
# What the page calls in bokmål what the second script names in English: told once more, apart from the page's words.
NAMES = {
    "ratings": "utfyllinger", "courses": "forløp", "goals": "mål", "reviews": "gjennomganger", "patients": "pasienter",
    "outcomes of due occasions": "utfall av tidspunkter",
    "in the export": "i uttrekket", "counted": "telt med", "test patient": "testpasient",
    "entered in error": "ført ved en feil", "not begun": "ikke begynt", "outside every course": "utenfor alle forløp",
    "unknown version": "ukjent versjon", "no readable time": "ingen lesbar tid", "duplicate": "dobbelt",
    "dated after the export": "datert etter uttrekket", "of no goal that counts": "ikke av et mål som er telt med",
    "an answer that is none of the scale's": "et svar som ikke er skalaens", "another form": "et annet skjema",
    "a score whose response is read": "en skår der besvarelsen er lest",
    "rows of the hospital's table of courses": "rader i sykehusets tabell over forløp",
    "the patient has an EpisodeOfCare": "pasienten har en EpisodeOfCare",
    "patient not in the export": "pasienten er ikke i uttrekket",
    "merged into another record": "slått sammen med en annen journal",
}  # fmt: skip
ENGLISH = {
    "en": {name: name for name in NAMES},
    "nb": {own: name for name, own in NAMES.items()},
}
THOUSANDS = {"en": ",", "nb": " "}  # as `read_page` gives a space that does not break


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    return reported(200, 7, tmp_path_factory)


def _table(folder: Path, section: str) -> PageTable:
    tables, _ = read_page((folder / "report.html").read_text(encoding="utf-8"))
    (found,) = (table for table in tables if table.section == section)
    return found


def left_out_differences(report: Path, export: Path, language: str = "en") -> list[str]:
    """Each number of the page against the second script's; which are hidden besides, it does not know."""
    other = recompute(export, DAY, ZONE).left_out
    cells = _table(report, "left-out").cells
    said = {tuple(ENGLISH[language][name] for name in names): text for names, _, text in cells}
    found = []
    for (kind, reason), text in said.items():
        if text != HIDDEN and int(text.replace(THOUSANDS[language], "")) < SMALL:
            found.append(f"{kind}, {reason}: {text} is shown")
        if reason in NOT_RECOMPUTED or (kind, reason) == ("ratings", "in the export"):
            continue
        parts = [n for (of, why), n in other.items() if of == kind and reason in ("in the export", why)]
        if text not in (HIDDEN, _written(sum(parts), language)):
            found.append(f"{kind}, {reason}: {text}, not {sum(parts)}")
    missing = {key for key, n in other.items() if n} - said.keys()
    return [*found, *(f"{key}: not on the page" for key in missing)]


def _lines(export: Path) -> Counter[str]:
    found: Counter[str] = Counter()
    for file in export.glob("*.ndjson"):
        text = file.read_text(encoding="utf-8")
        found[file.name.partition("-")[0]] += sum(bool(line.strip()) for line in text.splitlines())
    return found


def _written(n: int, language: str) -> str:
    return f"{n:,}".replace(",", THOUSANDS[language])


def reconciled(report: Path, language: str = "en") -> dict[str, dict[str, str]]:
    """By resource type and column."""
    found: dict[str, dict[str, str]] = {}
    for (name,), column, text in _table(report, "reconciled").cells:
        found.setdefault(name, {})[STEPS[COLUMNS[language].index(column)]] = text
    return found


@pytest.mark.parametrize(("people", "language"), [(200, "en"), (25, "en"), (120, "nb")])
def test_what_was_left_out(people: int, language: str, tmp_path: Path) -> None:
    report_of(exported(people, tmp_path), language=language)
    assert left_out_differences(tmp_path / "out", tmp_path, language) == []


@pytest.mark.parametrize("language", ["en", "nb"])
def test_of_the_hospital_s_table_and_of_merged_records_too(language: str, tmp_path: Path) -> None:
    """Also that each number stands under its name: of each reason another number of rows and records."""
    everything = [each for each in population(60) if each["resourceType"] != "EpisodeOfCare"]
    patients = [each["id"] for each in everything if each["resourceType"] == "Patient"]
    links = [{"type": "replaced-by", "other": {"reference": f"Patient/{patients[-1]}"}}]
    write_ndjson([{**each, "link": links} if each["id"] in patients[:7] else each for each in everything], tmp_path)
    rows = [*(f"{each},North,,2025-01-07,," for each in patients), *(f"{n},N,,2025-01-07,," for n in range(6))]
    rows += [f"{each},N,2026-09-01,,," for each in patients[20:28]]
    (tmp_path / "courses.csv").write_text("\n".join(["patient,unit,offered,start,end,reason", *rows]), encoding="utf-8")
    report_of(tmp_path, language=language)
    assert left_out_differences(tmp_path / "out", tmp_path, language) == []
    found = reconciled(tmp_path / "out", language)["courses.csv"]
    assert found["lines"] in (HIDDEN, str(len(rows)))


def test_the_numbers_of_lines_are_the_files(made: Made) -> None:
    report = made.files[0].parent
    lines = _lines(report.parent)
    assert lines
    for name, said in reconciled(report).items():
        text = HIDDEN if 0 < lines[name] < SMALL else f"{lines[name]:,}"
        assert said == {"lines": text, "older": "0", "read": text}, name  # no manifest tells the rest


@pytest.mark.parametrize("language", ["en", "nb"])
def test_the_steps_stand_under_their_names_and_small_losses_are_hidden(language: str, tmp_path: Path) -> None:
    """Five numbers that all differ, of Goal by more than is small and of Patient by less."""
    lines = _lines(exported(60, tmp_path))
    steps = {"Goal": (30, 20, 10), "Patient": (3, 2, 1)}
    resources = {n: {"received": lines[n] + b, "kept": lines[n] + c} for n, (_, b, c) in steps.items()}
    on_server = {name: lines[name] + a for name, (a, _, _) in steps.items()}
    run = {"resources": resources, "onServer": on_server}
    files = [{"name": file.name, "count": _lines_of(file)} for file in tmp_path.glob("*.ndjson")]
    manifest = {"transactionTime": EXPORTED.isoformat(), "asked": {"episode_types": []}, "runs": [run], "files": files}
    (tmp_path / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    make(tmp_path, tmp_path / "out", zone=ZONE, now=EXPORTED, language=language)
    said, n = reconciled(tmp_path / "out", language), lines["Goal"]
    shown = {"on_server": n + 30, "received": n + 20, "kept": n + 10, "lines": n, "older": 0, "read": n}
    assert said["Goal"] == {name: _written(number, language) for name, number in shown.items()}
    assert set(said["Patient"].values()) == {HIDDEN}


def _lines_of(file: Path) -> int:
    return len(file.read_text(encoding="utf-8").splitlines())


def _again(file: Path, often: int, *, spoiled: int = 0) -> None:
    """``often`` of its resources once more, in a newer version; then lines that are none."""
    lines = file.read_text(encoding="utf-8").splitlines()
    newer = [line.replace('"versionId": "1"', '"versionId": "2"') for line in lines[:often]]
    assert newer != lines[:often]
    file.write_text("\n".join([*lines, *newer, *["{"] * spoiled, ""]), encoding="utf-8")


@pytest.mark.parametrize("language", ["en", "nb"])
def test_older_versions_are_counted_and_few_are_hidden(language: str, tmp_path: Path) -> None:
    """Where another reason is a small number, what was left out in all would tell it beside them."""
    n = _lines(exported(60, tmp_path))
    _again(tmp_path / "Goal-00001.ndjson", 7)
    _again(tmp_path / "Patient-00001.ndjson", 3)
    _again(tmp_path / "EpisodeOfCare-00001.ndjson", 8, spoiled=3)
    report_of(tmp_path, language=language)
    said = reconciled(tmp_path / "out", language)
    shown = {"lines": n["Goal"] + 7, "older": 7, "read": n["Goal"]}
    assert {name: said["Goal"][name] for name in shown} == {name: str(number) for name, number in shown.items()}
    for name in ("Patient", "EpisodeOfCare"):
        assert {said[name][step] for step in ("lines", "older", "read")} == {HIDDEN}, name


def test_what_is_read_of_a_type_tells_no_small_number_of_another_kind(tmp_path: Path) -> None:
    """Three scores beside the ratings, and two steps beside the goals, follow from how many were read of each type."""
    everything = list(population(60))
    scores = [each for each in everything if each["resourceType"] == "Observation" and "derivedFrom" in each]
    steps = [each for each in everything if each["resourceType"] == "Goal" and "extension" in each]
    out = {each["id"] for each in (*scores[3:], *steps[2:])}
    write_ndjson([each for each in everything if each["id"] not in out], tmp_path)
    report_of(tmp_path)
    said = reconciled(tmp_path / "out")
    for name in ("QuestionnaireResponse", "Goal"):
        assert {said[name]["lines"], said[name]["read"]} == {HIDDEN}, name
    assert said["Observation"]["read"] != HIDDEN
