"""Every figure of a report, worked out a second time from the NDJSON by code that shares nothing with it."""

from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from imr_fhir.reporting.making_report import Made, make
from tests.reporting.comparing import differences, shown_differences
from tests.reporting.population import EXPORTED, population, write_ndjson
from tests.reporting.recomputed import Recomputed, recompute

ZONE = ZoneInfo("Europe/Oslo")
DAY = EXPORTED.astimezone(ZONE).date()


@pytest.fixture(scope="module")
def export(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("export")
    write_ndjson(population(200), folder)
    return folder


@pytest.fixture(scope="module")
def made(export: Path) -> Made:
    return make(export, export / "out", zone=ZONE, now=EXPORTED, exported=DAY)


@pytest.fixture(scope="module")
def other(export: Path) -> Recomputed:
    return recompute(export, DAY, ZONE)


def test_every_number_is_the_same(made: Made, other: Recomputed) -> None:
    assert differences(made.report, other) == []


def test_what_the_files_show_is_the_same(made: Made, other: Recomputed) -> None:
    assert shown_differences(made.files[0].parent, other) == []
    assert sum(n > 0 for n in other.counts.values()) > 2000


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_small_hospital_s_are_too(seed: int, tmp_path: Path) -> None:
    """Where a unit's quarter holds one occasion, or none that was offered."""
    write_ndjson(population(25, seed=seed), tmp_path)
    made = make(tmp_path, tmp_path / "out", zone=ZONE, now=EXPORTED, exported=DAY)
    assert differences(made.report, recompute(tmp_path, DAY, ZONE)) == []
