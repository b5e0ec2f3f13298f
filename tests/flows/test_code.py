"""SECURITY B: the patient answers on a device of their own, which a one-time code lets in, and nobody else."""

import re
from datetime import timedelta
from urllib.parse import urlsplit

import pytest
import requests

from smart_app.store.code_tries import SHARE, WITHIN
from smart_app.store.codes import ALPHABET
from tests.flows import steps
from tests.flows.steps import PIN, answers, filed, go, heading, norsk, say, text
from tests.running import Browser, Chart, Running, log_in
from tests.web.steps import end_unused

WRONG = say("code.wrong")


@pytest.fixture
def patient(run: Running) -> str:
    return steps.new_patient(run)


@pytest.fixture(autouse=True)
def no_tries(run: Running) -> None:
    with run.store.writing() as connection:
        connection.exec_driver_sql("DELETE FROM wrong_code")


@pytest.fixture(params=[True, False], ids=["frame", "tab"])
def chart(run: Running, patient: str, request: pytest.FixtureRequest) -> Chart:
    return log_in(run, patient=patient, framed=request.param)


def offered(chart: Chart) -> requests.Response:
    """Handed over, and nowhere open yet; from a tab by the button for another device."""
    given = go(chart.browser, chart.browser.get(chart.at("give")), chart.at("give"), pin=PIN, do="elsewhere")
    assert heading(given) == say("hand.code.title", name="Eva")
    page = chart.browser.get(chart.at("locked"))
    assert heading(page) == say("hand.locked.title")
    assert say("hand.code.button") in text(page)
    return page


def shown(chart: Chart, locked: requests.Response) -> str:
    """The code, as the clinician reads it out."""
    page = chart.browser.submit(locked, chart.at("code"))
    found = re.search(f"[{ALPHABET}]{{4}} [{ALPHABET}]{{4}}", text(page))
    assert found, text(page)
    return found[0]


def typed(run: Running, code: str, tablet: Browser | None = None) -> requests.Response:
    tablet = tablet or Browser()
    return go(tablet, tablet.open(f"{run.url}/p"), code=code)


def test_from_the_code_to_the_receipt_and_the_record(run: Running, patient: str, chart: Chart) -> None:
    locked = offered(chart)
    page = chart.browser.submit(locked, chart.at("code"))
    assert f"{run.url.partition('://')[2]}/p" in text(page)
    code = shown(chart, locked)
    tablet = Browser()
    asked = tablet.open(f"{run.url}/p")
    assert "Eva" not in asked.text
    assert "Berg" not in asked.text
    start = go(tablet, asked, code=code.lower())
    assert re.fullmatch("/p/[0-9a-f]{32}/", urlsplit(start.url).path)
    assert heading(start) == say("patient.hello", name="Eva")
    assert chart.id not in str(tablet.jar), "no launch's cookie comes along"
    done = steps.hand_in(tablet, steps.answer_alone(tablet, start, answers(4)))
    assert heading(done) == say("hand.done")
    assert 'name="pin"' not in done.text, "the PIN is entered where the pages are locked"
    assert 'name="pin"' in chart.browser.open(chart.url).text
    assert filed(run, patient, "QuestionnaireResponse") == []
    steps.take_back(chart)
    (response,) = filed(run, patient, "QuestionnaireResponse")
    assert response["source"] == {"reference": f"Patient/{patient}"}
    told = [each["purpose"] for each in steps.audited(run, patient) if each["action"] == "hand-over"]
    assert told[-4:] == [*["one-time code shown"] * 3, "opened with a one-time code"]


def test_the_give_page_leads_straight_to_the_code(run: Running, chart: Chart) -> None:
    page = go(chart.browser, chart.browser.get(chart.at("give")), chart.at("give"), pin=PIN, do="elsewhere")
    code = re.search(f"[{ALPHABET}]{{4}} [{ALPHABET}]{{4}}", text(page))
    assert code
    assert re.search(rf'<a class="ds-button" data-variant="secondary"[^>]*>{say("hand.back.button")}', page.text)
    assert heading(typed(run, code[0])) == say("patient.hello", name="Eva")
    assert heading(chart.browser.get(chart.at("locked"))) == say("hand.locked.title")


def test_wrong_spent_void_and_too_old_look_alike(run: Running, chart: Chart) -> None:
    locked = offered(chart)
    void, spent = shown(chart, locked), shown(chart, locked)
    assert say("patient.hello", name="Eva") in text(typed(run, spent))
    pages = [typed(run, each) for each in ("", "0000 0000", void, spent, "<script>", "a" * 300)]
    assert {(page.status_code, text(page)) for page in pages} == {(400, text(pages[0]))}
    assert WRONG in text(pages[0])
    assert "Eva" not in pages[0].text


def test_a_code_that_is_too_old(run: Running, chart: Chart) -> None:
    code = shown(chart, offered(chart))
    run.clock.ahead += timedelta(minutes=10, seconds=1)
    assert WRONG in text(typed(run, code))
    again = shown(chart, chart.browser.get(chart.at("locked")))
    assert say("patient.hello", name="Eva") in text(typed(run, again))


def test_whichever_way_comes_first_opens_it_and_no_other(run: Running, chart: Chart) -> None:
    locked = offered(chart)
    code = shown(chart, locked)
    ticket = steps.hidden(locked)["ticket"]
    window = Browser()
    opened = window.follow(window.post(f"{run.url}/p/open", data={"ticket": ticket}))
    assert heading(opened) == say("patient.hello", name="Eva")
    assert WRONG in text(typed(run, code))
    assert "code" not in urlsplit(chart.browser.submit(locked, chart.at("code")).headers["Location"]).path
    assert say("hand.code.button") not in chart.browser.get(chart.at("locked")).text


def test_the_code_first_and_the_window_too_late(run: Running, chart: Chart) -> None:
    locked = offered(chart)
    assert say("patient.hello", name="Eva") in text(typed(run, shown(chart, locked)))
    window = Browser()
    late = window.post(f"{run.url}/p/open", data={"ticket": steps.hidden(locked)["ticket"]})
    assert late.status_code == 410


def test_taken_back_by_the_pin_the_code_is_void(run: Running, chart: Chart) -> None:
    code = shown(chart, offered(chart))
    steps.take_back(chart)
    assert WRONG in text(typed(run, code))


def test_only_the_launch_that_handed_over_shows_codes(run: Running, patient: str, chart: Chart) -> None:
    other = log_in(run, patient=steps.new_patient(run), browser=chart.browser)
    locked = offered(chart)
    page = other.browser.submit(other.browser.get(other.at("locked")), other.at("code"))
    assert (page.status_code, urlsplit(page.headers["Location"]).path) == (303, f"/l/{other.id}/locked")
    stranger = Browser()
    assert stranger.submit(locked, chart.at("code")).status_code == 404
    open_launch = log_in(run, patient=patient, user="Practitioner/ola")
    before = open_launch.browser.submit(open_launch.page, open_launch.at("code"))
    assert before.status_code == 303


def test_from_another_site_no_code_is_taken(run: Running, chart: Chart) -> None:
    code = shown(chart, offered(chart))
    for origin in ("https://evil.example", "null"):
        refused = Browser().post(f"{run.url}/p/", data={"code": code}, headers={"Origin": origin})
        assert refused.status_code == 403
    assert say("patient.hello", name="Eva") in text(typed(run, code))


def test_too_many_wrong_ones_and_the_right_one_waits_too(run: Running, chart: Chart) -> None:
    code = shown(chart, offered(chart))
    for _ in range(SHARE.one):
        assert typed(run, "0000 0000").status_code == 400
    blocked = typed(run, code)
    assert (blocked.status_code, say("code.too_many") in text(blocked)) == (429, True)
    assert blocked.headers["Retry-After"] == "600"
    run.clock.ahead += WITHIN + timedelta(seconds=1)
    again = shown(chart, chart.browser.get(chart.at("locked")))
    assert say("patient.hello", name="Eva") in text(typed(run, again))


def test_who_is_logged_in_on_that_device_is_logged_out_there_before_the_patient_has_it(
    run: Running, chart: Chart
) -> None:
    """Else Back or the history would lead the patient to another's record."""
    other = log_in(run, patient=steps.new_patient(run), user="Practitioner/ola")
    assert other.browser.open(other.url).status_code == 200
    code = shown(chart, offered(chart))
    run.asked.clear()
    assert heading(typed(run, code, other.browser)) == say("patient.hello", name="Eva")
    assert other.browser.open(other.url).status_code == 404
    end_unused(run)
    assert "POST /oauth2/revoke" in run.asked
    assert 'name="pin"' in chart.browser.open(chart.url).text


def test_a_window_beside_the_frame_too_may_be_another_s(run: Running, patient: str) -> None:
    """The frame's cookies and the window's are two jars: the log-in in the frame could not see the other."""
    other = log_in(run, patient=steps.new_patient(run), user="Practitioner/ola")
    framed = log_in(run, patient=patient, framed=True)
    ticket = steps.hidden(go(framed.browser, framed.browser.get(framed.at("give")), framed.at("give"), pin=PIN))
    page = other.browser.follow(other.browser.post(f"{run.url}/p/open", data={"ticket": ticket["ticket"]}))
    assert heading(page) == say("patient.hello", name="Eva")
    assert other.browser.open(other.url).status_code == 404


def test_in_norwegian(run: Running) -> None:
    tablet = Browser()
    tablet.headers["Accept-Language"] = "nb"
    page = tablet.open(f"{run.url}/p")
    assert heading(page) == norsk("code.title")
    assert page.headers["Content-Security-Policy"].endswith("frame-ancestors 'none'")
    assert page.headers["Cache-Control"] == "no-store"
