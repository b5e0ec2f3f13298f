"""Every figure of a report, worked out a second time from the NDJSON by code that shares nothing with it."""

from pathlib import Path

import pytest

from imr_fhir.reporting.making_report import Made
from tests.reporting.comparing import differences, shown_differences
from tests.reporting.making import DAY, ZONE, exported, report_of, reported
from tests.reporting.recomputed import Recomputed, recompute


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    return reported(200, 7, tmp_path_factory)


@pytest.fixture(scope="module")
def other(made: Made) -> Recomputed:
    return recompute(made.files[0].parent.parent, DAY, ZONE)


def test_every_number_is_the_same(made: Made, other: Recomputed) -> None:
    assert differences(made.report, other) == []


def test_what_the_files_show_is_the_same(made: Made, other: Recomputed) -> None:
    assert shown_differences(made.files[0].parent, other) == []
    assert sum(n > 0 for n in other.counts.values()) > 2000


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_small_hospital_s_are_too(seed: int, tmp_path: Path) -> None:
    """Where a unit's quarter holds one occasion, or none that was offered."""
    made = report_of(exported(25, tmp_path, seed=seed))
    assert differences(made.report, recompute(tmp_path, DAY, ZONE)) == []
