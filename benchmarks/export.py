"""Export from HAPI beside smart-fetch, which fetches as it is what we cut down; left out where either can't be had."""

import subprocess
import sys
import venv
from collections import Counter
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.measure import Line, Used, medians, used
from imr_fhir.reporting.export.asking import narrow
from tests import parts
from tests.reporting.on_server import OTHERS, group, put
from tests.reporting.population import population
from tests.servers import hapi

SMART_FETCH = "1.0.3"
PEOPLE = 200
TURNS = 3
# What both can fetch: smart-fetch knows no QuestionnaireResponse, Goal, Questionnaire, Provenance or AuditEvent.
TYPES = ("Patient", "EpisodeOfCare", "Encounter", "Observation")
GOAL = "as fast, in less memory"


def lines() -> Iterator[Line]:
    if {parts.JAVA, parts.MAVEN} & set(parts.missing()):
        return
    theirs = _smart_fetch()
    if theirs is None:
        print(f"Left out: export beside smart-fetch {SMART_FETCH}, which can't be had from PyPI here.")
        return
    data = [*OTHERS, *_people(), group(PEOPLE)]
    expected = Counter(each["resourceType"] for each in data if each["resourceType"] in TYPES)
    with hapi() as base, TemporaryDirectory() as name:
        put(base, data)
        folder = Path(name)
        ours, smart_fetch = partial(_ours, base, folder, expected), partial(_theirs, theirs, base, folder, expected)
        ids = folder / "ids"
        ids.write_text("\n".join(each["id"] for each in data if each["resourceType"] == "Patient"), encoding="utf-8")
        by_group, by_type, crawled = [], [], []
        for _ in range(TURNS):  # by turns, so that what else the machine does falls on all
            by_group.append(ours("--how", "search", "--group", "g-reporting"))
            crawled.append(smart_fetch("crawl", "--id-file", str(ids)))
            by_type.append(ours("--how", "search"))
        bulk = [ours("--how", "bulk")], [smart_fetch("bulk")]
    what = f"export of {expected.total():,} resources of {PEOPLE} patients"
    yield _line(f"{what}, a search of each patient", by_group, crawled)
    yield _line(f"{what}, a search of each type; smart-fetch knows that of each patient only", by_type, crawled)
    yield _line(f"{what}, by $export, waiting as HAPI says (ours not at once)", *bulk)


def _line(what: str, ours: list[Used], theirs: list[Used]) -> Line:
    mine, other = medians(ours), medians(theirs)
    met = mine.wall <= other.wall and mine.memory < other.memory
    return Line(what, f"{mine}; smart-fetch {SMART_FETCH}: {other}", GOAL, met)


def _people() -> Iterator[dict[str, Any]]:
    """With a visit for each Observation."""
    for each in population(PEOPLE):
        yield each
        if each["resourceType"] == "Observation":
            when = each.get("effectiveDateTime", "2026-01-07")
            yield {
                "resourceType": "Encounter", "id": f"v-{each['id']}", "status": "finished", "subject": each["subject"],
                "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "AMB"},
                "period": {"start": when, "end": when},
            }  # fmt: skip


def _ours(base: str, folder: Path, expected: Counter[str], *words: str) -> Used:
    with TemporaryDirectory(dir=folder) as name:
        types = [word for each in TYPES for word in ("--type", each)]
        program = "from imr_fhir.cli import main; main(prog_name='imr-fhir')"
        key = ("--pseudonym-key", str(folder / "keys" / "key"))
        found = used(sys.executable, program, "export", base, name, *key, *types, *words)
        _require(Path(name), expected)
    return found


def _theirs(python: Path, base: str, folder: Path, expected: Counter[str], verb: str, *words: str) -> Used:
    with TemporaryDirectory(dir=folder) as name:
        codes = narrow(())["Observation"][0][1]
        same = ("--no-compression", "--no-default-filters", "--type-filter", f"Observation?code={codes}")
        program = "from smart_fetch.cli.main import main_cli; main_cli()"
        found = used(python, program, verb, name, "--fhir-url", base, "--type", ",".join(TYPES), *same, *words)
        _require(Path(name), expected)
    return found


def _require(folder: Path, expected: Counter[str]) -> None:
    """Both have all of it, or their figures say nothing."""
    found = {
        name: sum(len(path.read_bytes().splitlines()) for path in folder.glob(f"{name}[.-]*ndjson")) for name in TYPES
    }
    assert found == expected, (found, expected)


def _smart_fetch() -> Path | None:
    """The Python that has it, in a folder of its own under .tools; None where it can't be had."""
    folder = parts.tools_folder() / f"smart-fetch-{SMART_FETCH}"
    python = folder / "bin" / "python"
    if not (folder / "installed").exists():
        venv.create(folder, with_pip=True, clear=True)
        wanted = f"smart-fetch=={SMART_FETCH}"
        if subprocess.run([python, "-m", "pip", "install", "-q", wanted], check=False).returncode:
            return None
        (folder / "installed").touch()
    return python


if __name__ == "__main__":
    for line in lines():
        print(line, flush=True)
