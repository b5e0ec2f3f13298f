"""The report as a Measure and a MeasureReport: the same numbers, masked where the page hides them, and valid FHIR."""

import json
from datetime import date
from typing import Any

import pytest

from imr_fhir.reporting.measure_report import bundle as bundle_of
from tests.reporting.making import reported
from tests.validator import Validator


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    made = reported(60, 7, tmp_path_factory)
    found: dict[str, Any] = json.loads(made.files[3].read_text(encoding="utf-8"))
    return found


def test_each_group_of_the_report_is_one_of_the_measure(bundle: dict[str, Any]) -> None:
    measure, report = (entry["resource"] for entry in bundle["entry"])
    assert [group["code"] for group in report["group"]] == [group["code"] for group in measure["group"]]
    assert report["measure"] == f"{measure['url']}|{measure['version']}"
    assert len({group["code"]["text"] for group in measure["group"]}) == len(measure["group"]) > 10


def test_a_number_that_is_hidden_is_masked(bundle: dict[str, Any]) -> None:
    report = bundle["entry"][1]["resource"]
    strata = [each for group in report["group"] for by in group["stratifier"] for each in by["stratum"]]
    populations = [each for stratum in strata for each in stratum["population"]]
    assert all(("count" in each) != ("_count" in each) for each in populations)
    assert all(each["count"] >= 5 for each in populations if "count" in each)
    assert any("_count" in each for each in populations)


def test_of_an_empty_export_there_is_no_group_and_no_empty_list() -> None:
    entries = bundle_of((), date(2026, 9, 15))["entry"]
    assert not any("group" in entry["resource"] for entry in entries)


def test_the_validator_finds_no_error(bundle: dict[str, Any], fhir_validator: Validator) -> None:
    for entry in bundle["entry"]:
        assert fhir_validator.validate(entry["resource"]) == []
