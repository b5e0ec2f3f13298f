"""The forms' way into the record on HAPI FHIR: filed in a transaction, read back, corrected, withdrawn."""

from collections.abc import Iterator
from typing import Any

import pytest
import requests

from imr_fhir.artefacts import artefact_resources
from imr_fhir.ehr.json_writer import write_json
from tests.flows import steps
from tests.hapi_front import of_hapi, put_behind
from tests.running import Chart, Running, log_in, running

pytestmark = pytest.mark.hapi

ANSWERS = {f"{number:02}": f"{number:02}-3" for number in range(1, 16)} | {"13": "13-na"}


@pytest.fixture(scope="module")
def run(hapi_base: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(tmp_path_factory.mktemp("hapi-flow")) as found:
        put_behind(found, hapi_base)
        yield found


@pytest.fixture(scope="module")
def chart(run: Running) -> Chart:
    return log_in(run, patient="nora-vik")


def filed(hapi_base: str, resource_type: str, **params: str) -> list[dict[str, Any]]:
    return of_hapi(hapi_base, resource_type, **(params or {"patient": "nora-vik"}))


def rate(chart: Chart) -> requests.Response:
    browser = chart.browser
    form = browser.follow(browser.submit(chart.page, chart.at("form/clinician/start")))
    return browser.follow(browser.submit(form, form.url, do="complete", **ANSWERS))


def test_filed_read_back_and_said_so(chart: Chart, hapi_base: str) -> None:
    receipt = rate(chart)
    assert "Saved in the record" in receipt.text
    (response,) = filed(hapi_base, "QuestionnaireResponse")
    (score,) = filed(hapi_base, "Observation")
    assert response["status"] == "completed"
    assert score["derivedFrom"] == [{"reference": f"QuestionnaireResponse/{response['id']}"}]
    for resource in (response, score):
        assert f"{resource['resourceType']}/{resource['id']}" in receipt.text


def test_corrected_with_a_reason(chart: Chart, hapi_base: str) -> None:
    (before,) = filed(hapi_base, "QuestionnaireResponse")
    browser = chart.browser
    form = steps.correct(chart, before["id"])
    receipt = browser.follow(
        browser.submit(form, form.url, do="complete", reason="Misread the question", **(ANSWERS | {"06": "06-5"}))
    )
    assert "Saved in the record" in receipt.text
    (after,) = filed(hapi_base, "QuestionnaireResponse")
    (score,) = filed(hapi_base, "Observation")
    assert (after["id"], after["status"]) == (before["id"], "amended")
    assert score["status"] == "corrected"
    reasons = [
        told.get("reason") for told in filed(hapi_base, "Provenance", target=f"QuestionnaireResponse/{before['id']}")
    ]
    assert [{"text": "Misread the question"}] in reasons


def test_the_panel_reads_it_from_hapi(chart: Chart) -> None:
    page = chart.browser.get(chart.url)
    assert page.status_code == 200
    assert "3.1" in page.text  # 13 items of 3 and one of 5, of the 14 that apply


def test_the_questionnaires_there_are_the_packaged_ones(run: Running, hapi_base: str) -> None:
    for resource in artefact_resources():
        requests.put(f"{hapi_base}/{resource['resourceType']}/{resource['id']}", timeout=60,
                     headers={"Content-Type": "application/fhir+json"}, data=write_json(resource))  # fmt: skip
    page = log_in(run, patient="nora-vik").page
    assert "differs from the packaged one" not in page.text
