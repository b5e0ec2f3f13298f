"""Answers begun on a version of the form that is no longer in use, or for a record that was merged: none is lost, and
none is carried over but by who says that it holds."""

import re
from urllib.parse import urljoin, urlsplit

import pytest
import requests

from imr_fhir.scale import scale, scale_of
from smart_app.store.drafts import KEPT
from tests.flows import steps
from tests.flows.filings import let_time_pass
from tests.flows.steps import answers, begin, filed, go, heading, norsk, of_code, post, rate, say, text
from tests.flows.test_held import merge
from tests.flows.wrong import fault
from tests.revised import OTHERWISE, VERSION, revised
from tests.running import Chart, Running, log_in

WAS = scale("client").canonical
SOME = {"03": "03-2", "06": "06-4", "13": "13-na"}
COMMENT = "Not to be lost"


@pytest.fixture
def patient(run: Running) -> str:
    return steps.new_patient(run)


@pytest.fixture
def chart(run: Running, patient: str) -> Chart:
    return log_in(run, patient=patient)


def ticks(page: requests.Response) -> list[str]:
    return re.findall(r'type="checkbox" name="keep" value="([^"]+)"', page.text)


def ticked(page: requests.Response) -> dict[str, str]:
    """What a form has an answer to."""
    found = re.findall(r'type="radio" name="(\d\d)" value="([^"]+)" checked', page.text)
    return dict(found)


def words_of(codes: dict[str, str], rater: str = "clinician") -> list[str]:
    form = scale_of(WAS.replace("client", rater))
    assert form
    anchors = {anchor.code: anchor.text.en for item in form.items for anchor in item.anchors}
    return [anchors[code] for code in codes.values()]


def begun(chart: Chart, rater: str = "clinician") -> requests.Response:
    """A form with some answers, left for later."""
    form = begin(chart, rater)
    go(chart.browser, form, do="later", comment=COMMENT, **SOME)
    return form


def test_what_was_answered_is_shown_as_it_was_asked_and_none_goes_over_by_itself(
    run: Running, patient: str, chart: Chart
) -> None:
    begun(chart)
    with revised():
        panel = chart.browser.get(chart.url)
        assert say("earlier.look") in text(panel)
        page = begin(chart)
        assert heading(page) == say("earlier.version.title")
        assert [each for each in (*words_of(SOME), COMMENT) if each not in text(page)] == []
        assert OTHERWISE not in text(page)
        assert ticks(page) == ["06", "13", "comment"]
        fresh = go(chart.browser, page, do="begin")
        assert (ticked(fresh), COMMENT in text(fresh)) == ({}, False)
        assert OTHERWISE in text(fresh)


def test_what_is_confirmed_goes_over_and_only_where_it_is_asked_alike(run: Running, patient: str, chart: Chart) -> None:
    begun(chart)
    with revised():
        fresh = go(chart.browser, begin(chart), do="begin", keep=["03", "06", "comment", "99"])
        assert ticked(fresh) == {"06": "06-4"}
        assert COMMENT in text(fresh)
        saved = go(chart.browser, fresh, do="complete", **answers(3, {6: 4}))
        assert heading(saved) == steps.SAVED
        (response,) = filed(run, patient, "QuestionnaireResponse")
        assert response["questionnaire"].endswith(f"|{VERSION}")
        (score,) = of_code(filed(run, patient, "Observation"), "score-clinician")
        assert score["extension"][0]["valueCanonical"].endswith(f"|{VERSION}")
        look = re.search(r'href="([^"]+/earlier/\w+)"', chart.browser.get(chart.url).text)
        assert look
        aside = chart.browser.get(urljoin(chart.url, look[1]))
        assert heading(aside) == say("earlier.aside.title")
        assert [each for each in (*words_of(SOME), COMMENT) if each not in text(aside)] == []
        assert ticks(aside) == []


def test_a_page_that_was_open_meanwhile_loses_nothing(run: Running, chart: Chart) -> None:
    form = begin(chart)
    with revised():
        after = go(chart.browser, form, do="complete", **answers(2))
        assert heading(after) == say("earlier.version.title")
        assert len(ticks(after)) == 14
        fresh = go(chart.browser, after, do="begin")
        late = go(chart.browser, form, do="later", **answers(5))
        assert (heading(late), say("earlier.aside") in text(late)) == (say("conflict.title"), True)
        assert ticked(chart.browser.get(fresh.url)) == {}, "what an old page says is no answer to the new one"
        again = go(chart.browser, form, do="later", **answers(2))
        assert heading(again) == say("earlier.aside.title")


def test_under_another_introduction_nothing_is_asked_alike(run: Running, chart: Chart) -> None:
    form = begin(chart, "client")
    go(chart.browser, form, do="later", comment=COMMENT, **SOME)
    with revised(introduction="In the last week"):
        page = begin(chart, "client")
        assert ticks(page) == ["comment"]


def test_words_that_nobody_has_any_more(run: Running, chart: Chart) -> None:
    begun(chart)
    with revised(kept=False):
        page = begin(chart)
        assert say("earlier.unknown") in text(page)
        assert f"{say('earlier.question', number=6)} {say('earlier.answer', code=4)}" in text(page)
        assert COMMENT in text(page)
        assert ticks(page) == ["comment"]


def test_nothing_was_answered_yet(run: Running, patient: str, chart: Chart) -> None:
    begin(chart)
    with revised():
        assert say("earlier.look") not in text(chart.browser.get(chart.url))
        assert heading(rate(chart)) == steps.SAVED


def test_what_was_saved_before_is_read_and_filed_and_corrected_on_its_own_version(
    run: Running, patient: str, chart: Chart
) -> None:
    rate(chart)
    form = begin(chart, "client")
    with fault(run, "busy"):
        waiting = go(chart.browser, form, do="complete", **answers(2), comment=COMMENT)
    with revised():
        let_time_pass(run, 60)
        shown = chart.browser.get(waiting.url)
        assert COMMENT in text(shown)
        assert heading(go(chart.browser, shown, do="send")) == steps.SAVED
        both = filed(run, patient, "QuestionnaireResponse")
        assert {one["questionnaire"].partition("|")[2] for one in both} == {WAS.partition("|")[2]}
        panel = chart.browser.get(chart.url)
        assert say("ratings.title", n=2) in text(panel)
        edit = steps.correct(chart, both[0]["id"])
        assert OTHERWISE not in text(edit)
        saved = go(chart.browser, edit, do="complete", reason="Misread it", **answers(3, {5: 1}))
        assert heading(saved) == steps.SAVED
        assert {one["questionnaire"] for one in filed(run, patient, "QuestionnaireResponse")} == {
            one["questionnaire"] for one in both
        }


# What the patient answers alone


def test_the_patient_says_what_holds(run: Running, patient: str, chart: Chart) -> None:
    start = steps.give(chart)
    go(chart.browser, chart.browser.get(urljoin(start.url, "3")), go="next", **{"03": "03-2"})
    sixth = chart.browser.get(urljoin(start.url, "6"))
    check = chart.browser.get(urljoin(start.url, "check"))
    with revised():
        page = go(chart.browser, sixth, go="next", **{"06": "06-4"})
        assert heading(page) == say("earlier.version.title")
        assert ticks(page) == ["06"], "what was typed on the page before is kept, too"
        assert heading(go(chart.browser, check)) == heading(page), "nothing is handed in on a version before"
        assert filed(run, patient, "QuestionnaireResponse") == []
        begun = go(chart.browser, page, keep=["03", "06"])
        assert say("patient.go_on") in text(begun)
        stale = post(chart.browser, sixth, go="next", **{"06": "06-1"})
        assert stale.status_code == 403, "a page of the version before says nothing to the new one"
        rest = {f"{number:02}": f"{number:02}-3" for number in steps.ITEMS if number != 6}
        steps.hand_in(chart.browser, steps.answer_alone(chart.browser, begun, rest))
        steps.take_back(chart)
        (response,) = filed(run, patient, "QuestionnaireResponse")
        codes = [one["answer"][0]["valueCoding"]["code"] for one in response["item"][0]["item"]]
        assert codes == [f"{number:02}-{4 if number == 6 else 3}" for number in steps.ITEMS]
        assert response["questionnaire"].endswith(f"|{VERSION}")


def answered_alone(chart: Chart) -> None:
    """Given back unfinished."""
    start = steps.give(chart)
    go(chart.browser, chart.browser.get(urljoin(start.url, "6")), go="next", **{"06": "06-4"})
    steps.take_back(chart)


def test_a_clinician_who_is_to_rate_sees_it_by_a_press_that_is_noted(run: Running, patient: str, chart: Chart) -> None:
    answered_alone(chart)
    (said,) = words_of({"06": "06-4"}, "client")
    with revised():
        page = begin(chart, "client")
        assert (heading(page), said in text(page)) == (say("earlier.version.title"), False)
        assert say("earlier.theirs", name="Eva") in text(page)
        give = chart.browser.get(chart.at("give"))
        assert say("hand.earlier", answered=1, total=15, day=today(run), name="Eva") in text(give)
        opened = go(chart.browser, page, do="open")
        assert said in text(opened)
        assert [row["purpose"] for row in steps.audited(run, patient)].count("seen before rating") == 1
        fresh = go(chart.browser, opened, do="begin", keep="06")
        go(chart.browser, fresh, do="complete", **answers(3))
        assert len(of_code(filed(run, patient, "Observation"), "seen-first")) == 1


def today(run: Running) -> str:
    return steps.words("en").day(run.clock().astimezone(run.site.zone))


def test_who_has_opened_it_has_seen_first_also_where_all_is_asked_again(
    run: Running, patient: str, chart: Chart
) -> None:
    answered_alone(chart)
    with revised():
        start = steps.give(chart)
        assert heading(start) == say("earlier.version.title")
        anew = go(chart.browser, start)
        steps.take_back(chart)
        assert ticked(anew) == {}
        look = re.search(r'href="([^"]+/earlier/\w+)"', chart.browser.get(chart.url).text)
        assert look
        closed = chart.browser.get(urljoin(chart.url, look[1]))
        (said,) = words_of({"06": "06-4"}, "client")
        assert said not in text(closed)
        assert said in text(go(chart.browser, closed, do="open"))
        steps.answered_by_patient(chart)
        assert len(of_code(filed(run, patient, "Observation"), "seen-first")) == 1


def test_in_the_own_launch(run: Running, patient: str) -> None:
    own = log_in(run, patient=patient, user=f"Patient/{patient}")
    start = go(own.browser, own.browser.get(own.at("own")), own.at("answer/start"))
    go(own.browser, own.browser.get(urljoin(start.url, "6")), go="next", **{"06": "06-4"})
    seventh = own.browser.get(urljoin(start.url, "7"))
    own.browser.headers["Accept-Language"] = "nb"
    with revised():
        page = go(own.browser, seventh, go="next", **{"07": "07-1"})
        assert heading(page) == say("earlier.version.title")
        assert ticks(page) == ["06", "07"]
        again = go(own.browser, own.browser.get(own.at("own")), own.at("answer/start"))
        assert again.url == page.url
        anew = go(own.browser, again, do="begin", keep="07")
        assert urlsplit(anew.url).path.startswith(f"/l/{own.id}/answer/")
        assert say("patient.go_on") in text(anew)
        home = own.browser.get(own.at("own"))
        assert say("own.answer.begun", answered=1, total=15, day=kept_until(run)) in text(home)
        assert say("earlier.look") in text(home)
        refused = own.browser.post(urljoin(anew.url, "../../earlier/unknown"), data=steps.hidden(home))
        assert refused.status_code == 404


def test_what_is_typed_on_a_page_that_was_left_open_in_the_own_launch_is_shown_back(run: Running, patient: str) -> None:
    """Another window began anew meanwhile: it is no answer to the new form, and not gone either."""
    own = log_in(run, patient=patient, user=f"Patient/{patient}")
    start = go(own.browser, own.browser.get(own.at("own")), own.at("answer/start"))
    go(own.browser, own.browser.get(urljoin(start.url, "6")), go="next", **{"06": "06-4"})
    left_open = own.browser.get(urljoin(start.url, "comment"))
    with revised():
        page = go(own.browser, own.browser.get(own.at("own")), own.at("answer/start"))
        anew = go(own.browser, page, do="begin", keep="06")
        late = post(own.browser, left_open, go="next", comment=COMMENT)
        assert late.status_code == 409
        assert COMMENT in text(late)
        assert COMMENT not in text(own.browser.get(urljoin(anew.url, "comment")))
        same = post(own.browser, left_open, go="next", comment="")
        assert (same.status_code, same.headers["Location"]) == (303, urlsplit(page.url).path)


def test_what_is_typed_in_the_own_launch_after_all_was_handed_in_is_shown_back(run: Running, patient: str) -> None:
    own = log_in(run, patient=patient, user=f"Patient/{patient}")
    start = go(own.browser, own.browser.get(own.at("own")), own.at("answer/start"))
    left_open = own.browser.get(urljoin(start.url, "comment"))
    steps.hand_in(own.browser, steps.answer_alone(own.browser, start, {f"{n:02}": f"{n:02}-3" for n in steps.ITEMS}))
    late = post(own.browser, left_open, go="next", comment=COMMENT)
    assert (late.status_code, COMMENT in text(late)) == (409, True)
    assert post(own.browser, left_open, go="next", comment="").status_code == 303


def kept_until(run: Running) -> str:
    return steps.words("en").day((run.clock() + KEPT).astimezone(run.site.zone))


# Begun for a record that was merged into another


def test_a_draft_of_a_merged_record_is_read_and_begun_anew_in_the_one_that_is_used_now(
    run: Running, patient: str, chart: Chart
) -> None:
    begun(chart)
    new = steps.new_patient(run)
    merge(run, patient, new)
    other = log_in(run, patient=new, user="Practitioner/ola")
    assert say("earlier.look") not in text(other.page)
    survivor = log_in(run, patient=new)
    assert say("draft.merged", name=say("rater.clinician"), n=3, total=15, date=today(run)) in text(survivor.page)
    look = re.search(r'href="([^"]+/earlier/\w+)"', survivor.page.text)
    assert look
    address = urljoin(survivor.url, look[1])
    assert other.browser.get(address.replace(survivor.id, other.id)).status_code == 404
    page = survivor.browser.get(address)
    assert heading(page) == say("earlier.merged.title")
    assert [each for each in (*words_of(SOME), COMMENT) if each not in text(page)] == []
    assert ticks(page) == ["03", "06", "13", "comment"]
    begin(survivor)  # opened and left: nothing in it stands in the way
    fresh = go(survivor.browser, page, do="begin", keep=["03", "comment"])
    assert ticked(fresh) == {"03": "03-2"}
    go(survivor.browser, fresh, do="complete", **answers(3))
    (response,) = filed(run, new, "QuestionnaireResponse")
    assert response["subject"]["reference"] == f"Patient/{new}"
    assert filed(run, patient, "QuestionnaireResponse") == []
    aside = survivor.browser.get(address)
    assert heading(aside) == say("earlier.aside.title")
    assert words_of(SOME)[2] in text(aside), "what was not taken over can still be read"


def test_a_form_that_is_open_there_is_not_written_over(run: Running, patient: str, chart: Chart) -> None:
    begun(chart)
    new = steps.new_patient(run)
    merge(run, patient, new)
    survivor = log_in(run, patient=new)
    page = survivor.browser.get(urljoin(survivor.url, re.findall(r'href="([^"]+/earlier/\w+)"', survivor.page.text)[0]))
    go(survivor.browser, begin(survivor), do="later", **{"01": "01-5"})
    late = go(survivor.browser, page, do="begin", keep=["03"])
    assert say("earlier.open_already") in text(late)
    assert ticks(late) == []
    assert ticked(begin(survivor)) == {"01": "01-5"}


def test_in_norwegian(run: Running, patient: str, chart: Chart) -> None:
    begun(chart)
    with revised():
        chart.browser.submit(chart.browser.get(chart.url), chart.at("language"), language="nb")
        page = begin(chart)
        assert heading(page) == norsk("earlier.version.title")
        form = scale_of(WAS.replace("client", "clinician"))
        assert form
        assert form.item(6).anchor(4).text.in_("nb") in text(page)
        assert norsk("form.translation") in text(page)
