"""A report of made-up people, for tests that look at it: made once in a test run for each number of people and seed."""

from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from imr_fhir.reporting.making_report import Made, make
from tests.reporting.population import EXPORTED, population, write_ndjson

ZONE = ZoneInfo("Europe/Oslo")
DAY = EXPORTED.astimezone(ZONE).date()
_made: dict[tuple[int, int], Made] = {}


def exported(people: int, folder: Path, *, seed: int = 7) -> Path:
    """``folder``, with their export."""
    write_ndjson(population(people, seed=seed), folder)
    return folder


def report_of(folder: Path, **more: str) -> Made:
    """Of an export, into its folder ``out``."""
    return make(folder, folder / "out", zone=ZONE, now=EXPORTED, exported=DAY, **more)


def reported(people: int, seed: int, folders: pytest.TempPathFactory) -> Made:
    """The export is the parent of the folder in which the report is."""
    if (people, seed) not in _made:
        _made[people, seed] = report_of(exported(people, folders.mktemp("export"), seed=seed))
    return _made[people, seed]
