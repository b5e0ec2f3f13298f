"""Each error has a page with a next step, in both languages; a fault of the app says a reference and nothing else."""

import inspect
import re
from typing import Any, NoReturn
from urllib.parse import urlsplit

import pytest
import requests

from imr_fhir import errors
from smart_app import error_pages, keeping
from smart_app.language import Words
from smart_app.store import errors as store_errors
from tests.flows import steps
from tests.running import Browser, Running, log_in
from tests.web.steps import rows, titled

KEYS = sorted({key for _, key in error_pages._PAGES.values()} | {*error_pages._STATUSES.values(), "request"})
OF_THE_TREE = [
    kind
    for module in (errors, store_errors)
    for _, kind in inspect.getmembers(module, inspect.isclass)
    if issubclass(kind, errors.ImrError)
]


def raised(run: Running, error: Exception, endpoint: str = "launch.idle", path: str = "idle") -> Any:
    """What a browser is shown where a page of a launch ends in ``error``."""
    chart = log_in(run)

    def view(**_: str) -> str:
        raise error

    real = run.app.view_functions[endpoint]
    run.app.view_functions[endpoint] = view
    try:
        return chart.browser.get(chart.at(path))
    finally:
        run.app.view_functions[endpoint] = real


@pytest.mark.parametrize("language", ["en", "nb"])
def test_each_page_has_its_words(run: Running, language: str) -> None:
    with run.app.test_request_context(headers={"Accept-Language": language}):
        run.app.preprocess_request()
        from smart_app.language import words

        said: Words = words()
        assert said.language == language
        for key in KEYS:
            assert said.say(f"error.{key}.title")
            assert said.say(f"error.{key}.next").endswith(".")


@pytest.mark.parametrize("kind", OF_THE_TREE, ids=lambda kind: kind.__name__)
def test_each_error_of_the_tree_leads_to_a_page(kind: type[errors.ImrError]) -> None:
    needed = {"status": 500, "values": {}, "seconds": 1, "left": 0}
    parameters = inspect.signature(kind).parameters
    required = {name: value for name, value in needed.items() if name in parameters}
    error = kind() if kind is store_errors.NoAccess else kind("what", next_step="then", **required)
    status, key = error_pages.page_of(error)
    assert 400 <= status < 600
    assert key in KEYS


@pytest.mark.parametrize(
    ("error", "status", "title"),
    [
        (errors.NotConnected("no <b>way</b>"), 503, "The EHR does not answer right now"),
        (errors.Unauthorized("over", status=401), 403, "Your log-in at the EHR is over"),
        (errors.WrongPatient("other"), 502, "The EHR answered for another patient"),
        (errors.NotFound("away", status=410), 404, "The EHR does not have this"),
        (errors.Conflict("newer", status=409), 502, "The EHR gave an answer that IMR can't use"),
        (store_errors.StoreBusy("busy"), 503, "IMR is busy right now"),
    ],
)
def test_an_error_in_a_page_keeps_the_patient_s_name_and_says_what_next(
    run: Running, error: Exception, status: int, title: str
) -> None:
    response = raised(run, error)
    assert (response.status_code, titled(response)) == (status, title)
    assert "Eva Berg" in response.text
    assert "<b>way" not in response.text
    assert "/idle?back=" in response.headers["Refresh"], "it covers itself as any page of a launch"


def ways_on(page: requests.Response) -> list[str]:
    return re.findall(r'<a class="ds-button"[^>]* href="([^"]*)"', page.text)


def test_a_page_that_failed_leads_to_itself_and_to_the_summary(run: Running) -> None:
    """Inside an EHR's frame there is neither "load again" nor "back"."""
    down = errors.NotConnected("no way")
    panel, page = raised(run, down, "panel.show", ""), raised(run, down)
    assert ways_on(panel) == [""], "an empty address is the page's own"
    assert ways_on(page) == ["", urlsplit(page.url).path.removesuffix("idle")]
    chart = log_in(run)
    refused = chart.browser.post(chart.at("language"), data={"csrf": "x"})
    assert ways_on(refused) == [urlsplit(chart.url).path], "what was sent can't be got"


@pytest.mark.parametrize("error", [errors.Unauthorized("over", status=401), errors.WrongPatient("other")])
def test_where_the_app_must_be_opened_again_no_page_leads_into_it(run: Running, error: Exception) -> None:
    assert ways_on(raised(run, error)) == []


def test_where_there_is_no_access_none_leads_anywhere(run: Running) -> None:
    assert ways_on(raised(run, store_errors.NoAccess())) == []


def test_a_patient_s_page_that_failed_leads_to_the_patient_s_own(run: Running) -> None:
    chart = log_in(run, user="Patient/eva-berg")
    refused = chart.browser.get(chart.at("goal/new"))
    assert (refused.status_code, ways_on(refused)) == (403, [urlsplit(chart.at("own")).path])


def test_on_a_screen_that_was_handed_over_it_leads_to_the_questions(
    run: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    chart = log_in(run, patient=steps.new_patient(run))
    start = steps.give(chart)
    question = chart.browser.get(f"{start.url}1")

    def busy(*_: object) -> NoReturn:
        raise store_errors.StoreBusy("busy")

    monkeypatch.setattr(keeping, "keep", busy)
    failed = steps.post(chart.browser, question, go="next", **{"01": "01-2"})
    assert (failed.status_code, ways_on(failed)) == (503, [urlsplit(start.url).path])


@pytest.mark.parametrize(
    ("error", "action"),
    [(errors.WrongPatient("other"), "foreign-dropped"), (errors.Forbidden("no", status=403), "view")],
)
def test_what_the_hospital_refuses_and_gives_of_others_is_audited(run: Running, error: Exception, action: str) -> None:
    raised(run, error)
    last = run.store.audit.entries(after=rows(run, "audit") - 1)[-1]
    assert (last["action"], last["outcome"], last["purpose"]) == (action, "refused", "launch.idle")
    assert (last["kind"], last["patient"], last["display"]) == ("refusal", "Patient/eva-berg", "Kari Nilsen")


def test_the_page_of_a_refused_form_covers_itself_and_leads_back_to_the_panel(run: Running) -> None:
    chart = log_in(run)
    refused = chart.browser.post(chart.at("language"), data={"csrf": "x"})
    assert refused.status_code == 403
    assert refused.headers["Refresh"].endswith(f"/l/{chart.id}/idle")
    moved = chart.browser.submit(chart.page, "go-on")
    assert (moved.status_code, "Refresh" in moved.headers) == (303, False)


def test_failures_without_a_launch_are_no_rows(run: Running) -> None:
    before = rows(run, "audit")
    answer = Browser().get(f"{run.url}/no/such/page")
    assert (answer.status_code, rows(run, "audit"), "Refresh" in answer.headers) == (404, before, False)


def test_where_there_is_no_access_nothing_of_the_patient_is_shown(run: Running) -> None:
    """A launch that ended while a page of it was being made, a draft of somebody else."""
    response = raised(run, store_errors.NoAccess())
    assert (response.status_code, titled(response)) == (404, "This page is not open any more")
    assert "Eva Berg" not in response.text
    assert "Refresh" not in response.headers


def test_a_busy_hospital_says_when_to_come_again(run: Running) -> None:
    assert raised(run, errors.Busy("wait", status=429, retry_after=7)).headers["Retry-After"] == "7"


@pytest.mark.parametrize("error", [KeyError("Eva's secret"), errors.ArtefactError("Eva's secret")])
def test_a_fault_of_the_app_shows_a_reference_that_the_log_has(
    run: Running, caplog: pytest.LogCaptureFixture, error: Exception
) -> None:
    response = raised(run, error)
    assert (response.status_code, titled(response)) == (500, "Something went wrong in IMR")
    assert "secret" not in response.text
    (record,) = [record for record in caplog.records if record.levelname == "ERROR"]
    assert str(record.args[0]) in response.text  # type: ignore[index]


def test_an_unknown_address_is_a_page_in_the_browser_s_language(run: Running) -> None:
    browser = Browser()
    browser.headers["Accept-Language"] = "nb"
    assert titled(browser.get(f"{run.url}/finnes/ikke")) == "Denne siden er ikke åpen lenger"
