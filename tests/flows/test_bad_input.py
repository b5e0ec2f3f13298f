"""Input that nobody meant: each a clear page, nothing lost, nothing filed where it does not belong."""

import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import pytest

from imr_fhir.artefacts import questionnaire
from imr_fhir.ehr.json_writer import write_json
from imr_fhir.scale import RATERS, Rater
from tests.flows import steps
from tests.flows.steps import SAVED, answers, begin, filed, go, heading, rate, say, text
from tests.running import Chart, Running, log_in

HUNDRED_MEGABYTES = 100_000_000


@pytest.fixture
def patient(run: Running) -> str:
    return steps.new_patient(run)


@pytest.fixture
def chart(run: Running, patient: str) -> Chart:
    return log_in(run, patient=patient)


def test_a_form_of_half_a_megabyte(run: Running, patient: str, chart: Chart) -> None:
    form = begin(chart)
    go(chart.browser, form, do="keep-01", **{"01": "01-2"})
    refused = go(chart.browser, form, do="complete", **answers(), comment="a" * 500_000)
    assert (refused.status_code, heading(refused)) == (413, say("error.too_big.title"))
    assert 'value="01-2" checked' in chart.browser.get(form.url).text
    assert filed(run, patient, "QuestionnaireResponse") == []


def test_a_hundred_megabytes_are_refused_before_they_are_read(run: Running, chart: Chart) -> None:
    parts = urlsplit(chart.at("goal/new"))
    head = (
        f"POST {parts.path} HTTP/1.1\r\nHost: {parts.netloc}\r\nOrigin: {run.url}\r\n"
        f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {HUNDRED_MEGABYTES}\r\n\r\ntext="
    )
    with socket.create_connection((parts.hostname or "", parts.port or 0), timeout=5) as connection:
        connection.sendall(head.encode())
        assert connection.recv(100).startswith(b"HTTP/1.1 413")
    assert chart.browser.get(chart.url).status_code == 200


@contextmanager
def edited_in_the_record(run: Running, rater: Rater) -> Iterator[None]:
    packaged = json.loads(write_json(questionnaire(rater)))
    steps.put(run, packaged | {"title": "Our own wording"})
    yield
    steps.put(run, packaged)


@pytest.mark.parametrize("rater", RATERS)
def test_a_questionnaire_edited_in_the_record_is_not_filed_against(run: Running, patient: str, rater: Rater) -> None:
    with edited_in_the_record(run, rater):
        chart = log_in(run, patient=patient)
        assert say("form.edited") in text(chart.page), "said at launch"
        form = begin(chart, rater)
        assert say("form.edited") in text(form)
        refused = go(chart.browser, form, do="complete", **answers(4))
        assert refused.status_code == 400
        assert say("form.edited") in text(refused)
        assert refused.text.count(" checked>") == 15, "the answers are kept"
        give = chart.browser.get(chart.at("give"))
        assert ('name="pin"' in give.text) is (rater == "clinician")
        if rater == "client":
            go(chart.browser, chart.browser.get(chart.url), chart.at("give"), pin=steps.PIN)
            assert chart.browser.get(chart.url).status_code == 200, "nothing was handed over"
    assert filed(run, patient, "QuestionnaireResponse") == []
    assert heading(rate(log_in(run, patient=patient), rater, answers(4))) == SAVED


@pytest.mark.parametrize("address", ["/l/{nul}/", "/p/{nul}/", "/l/{lid}/draft/{nul}", "/l/{lid}/saved/{nul}"])
def test_a_nul_in_an_address_leads_nowhere(run: Running, address: str) -> None:
    chart = log_in(run)
    found = chart.browser.get(run.url + address.format(nul="a%00b", lid=chart.id))
    assert (found.status_code, heading(found)) == (404, heading(chart.browser.get(f"{run.url}/no/such/page")))
