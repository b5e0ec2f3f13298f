"""Recovery goals: in the person's own words, with steps, reviewed in one tap each, changed, withdrawn."""

import re
from typing import Any

import pytest
import requests

from tests.flows import steps
from tests.flows.steps import SAVED, filed, go, heading, of_code, say, text
from tests.flows.wrong import Wsgi, in_front
from tests.running import Chart, Running, log_in

ASK = say("step.ask", step="").partition("“")[0]
SCRIPT = '<script>alert("x")</script>'


@pytest.fixture
def patient(run: Running) -> str:
    return steps.new_patient(run)


@pytest.fixture
def chart(run: Running, patient: str) -> Chart:
    return log_in(run, patient=patient)


def set_goal(chart: Chart, **fields: str) -> requests.Response:
    page = chart.browser.get(chart.at("goal/new"))
    return go(chart.browser, page, **{"text": "Sing in a choir again", "theirs": "yes", "do": "save", **fields})


@pytest.fixture
def goal(run: Running, patient: str, chart: Chart) -> dict[str, Any]:
    set_goal(
        chart,
        area="leisure-culture",
        due="2027-06-01",
        helps="My sister\nThe sea",
        hinders="No bus",
        **{"step-1": "Ring the choir", "step-due-1": "2026-12-24", "step-2": "Go and listen"},
    )
    return filed(run, patient, "Goal")[0]


def test_one_button_of_the_panel_is_the_main_one(chart: Chart, goal: dict[str, Any]) -> None:
    panel = chart.browser.get(chart.url).text
    buttons = re.findall(r'<(?:a|button) class="ds-button"([^>]*)>([^<]*)', panel)
    assert [label for more, label in buttons if "data-variant" not in more] == [say("form.rate")]
    assert say("goal.review") in [label for _, label in buttons]


def open_page(chart: Chart, goal: dict[str, Any], name: str) -> requests.Response:
    return chart.browser.get(chart.at(f"goal/{goal['id']}/{name}"))


@pytest.mark.parametrize("field", ["due", "step-due-1"])
@pytest.mark.parametrize("day", ["0026-12-01", "2206-12-01"])
def test_a_date_that_no_record_gives_back_is_asked_again(
    run: Running, patient: str, chart: Chart, field: str, day: str
) -> None:
    page = set_goal(chart, **{"step-1": "Ring the choir", field: day})
    assert page.status_code == 400
    assert say("goals.error.date", value=day) in text(page)
    assert filed(run, patient, "Goal") == []


def test_each_row_that_is_shown_is_read(run: Running, patient: str, chart: Chart) -> None:
    set_goal(chart, **{f"step-{n}": f"Step {n}" for n in range(1, 41)})
    goal, *small = filed(run, patient, "Goal")
    assert len(small) == 40
    edit = open_page(chart, goal, "edit")
    given = {f"step-{n}": f"Step {n}" for n in range(1, 41)} | {"step-41": "Ask my sister to come"}
    assert heading(go(chart.browser, edit, **{"text": "Sing", "theirs": "yes", "do": "save", **given})) == SAVED
    assert [each for each in filed(run, patient, "Goal") if each["description"]["text"] == "Ask my sister to come"]
    review = open_page(chart, goal, "review")
    given = {f"result-{each['id']}": "done" for each in small} | {
        f"{why}-{each['id']}": "" for each in small for why in ("helped", "person", "around", "services")
    }
    assert heading(go(chart.browser, review, do="save", **given)) == SAVED


def test_set_in_the_person_s_own_words(run: Running, patient: str, goal: dict[str, Any]) -> None:
    _, *small = filed(run, patient, "Goal")
    assert goal["description"] == {"text": "Sing in a choir again"}
    assert goal["expressedBy"] == {"reference": f"Patient/{patient}"}
    assert goal["target"] == [{"dueDate": "2027-06-01"}]
    assert {step["description"]["text"] for step in small} == {"Ring the choir", "Go and listen"}
    for step in small:
        (relation,) = step["extension"]
        assert {"url": "target", "valueReference": {"reference": f"Goal/{goal['id']}"}} in relation["extension"]
    notes = filed(run, patient, "Observation")
    assert sorted(note["valueString"] for note in of_code(notes, "helps")) == ["My sister", "The sea"]
    assert [note["valueString"] for note in of_code(notes, "hinders")] == ["No bus"]
    assert {note["focus"][0]["reference"] for note in notes} == {f"Goal/{goal['id']}"}
    (told,) = steps.told_of(run, goal)
    assert len(told["target"]) == 6
    assert told["agent"][0]["who"] == {"reference": f"Patient/{patient}"}


def test_the_clinician_s_words_are_the_clinician_s(run: Running, patient: str, chart: Chart) -> None:
    set_goal(chart, theirs="no", helps="A plan")
    (goal,) = filed(run, patient, "Goal")
    assert "expressedBy" not in goal
    assert steps.told_of(run, goal)[0]["agent"][0]["who"] == {"reference": "Practitioner/kari"}
    assert filed(run, patient, "Observation")[0]["performer"] == [{"reference": "Practitioner/kari"}]


def test_reviewed_in_one_tap_a_step(run: Running, patient: str, chart: Chart, goal: dict[str, Any]) -> None:
    page = open_page(chart, goal, "review")
    ring, listen = filed(run, patient, "Goal")[1:]
    assert text(page).count(ASK) == 2
    receipt = go(
        chart.browser,
        page,
        do="save",
        **{
            f"result-{ring['id']}": "done",
            f"helped-{ring['id']}": "My sister rang with me",
            f"services-{ring['id']}": "",
            f"result-{listen['id']}": "not-wanted",
            "result-goal": "going",
            "step-1": "Buy a book of notes",
        },
    )
    assert heading(receipt) == SAVED
    assert "Ring the choir Done What helped? My sister rang with me" in text(receipt)
    reviews = of_code(filed(run, patient, "Observation"), "review")
    results = {
        review["focus"][0]["reference"]: review["valueCodeableConcept"]["coding"][0]["code"] for review in reviews
    }
    assert results == {
        f"Goal/{ring['id']}": "done",
        f"Goal/{listen['id']}": "not-wanted",
        f"Goal/{goal['id']}": "partly",
    }
    states = {each["description"]["text"]: each["lifecycleStatus"] for each in filed(run, patient, "Goal")}
    assert states == {
        "Sing in a choir again": "active",
        "Ring the choir": "completed",
        "Go and listen": "cancelled",
        "Buy a book of notes": "active",
    }
    again = open_page(chart, goal, "review")
    assert text(again).count(ASK) == 1, "what is closed is not asked about"
    assert say("goals.history") in text(again)
    assert "Ring the choir: Done What helped? My sister rang with me" in text(again)


def test_why_without_a_tap_and_nothing_at_all(run: Running, patient: str, chart: Chart, goal: dict[str, Any]) -> None:
    page = open_page(chart, goal, "review")
    ring = filed(run, patient, "Goal")[1]
    for fields, said in (
        ({}, say("goals.error.nothing")),
        ({f"helped-{ring['id']}": "The sun"}, say("goals.error.result", step=ring["description"]["text"])),
        ({"step-1": "", "step-due-1": "2026-12-24"}, say("goals.error.step")),
    ):
        refused = go(chart.browser, page, do="save", **fields)
        assert refused.status_code == 400
        assert said in text(refused)
    assert "The sun" in go(chart.browser, page, do="save", **{f"helped-{ring['id']}": "The sun"}).text
    assert of_code(filed(run, patient, "Observation"), "review") == []


def test_a_step_that_somebody_else_closed(run: Running, patient: str, chart: Chart, goal: dict[str, Any]) -> None:
    page = open_page(chart, goal, "review")
    ring = filed(run, patient, "Goal")[1]
    go(chart.browser, open_page(chart, goal, "review"), do="save", **{f"result-{ring['id']}": "done"})
    (review,) = of_code(filed(run, patient, "Observation"), "review")
    assert [each["activity"]["coding"][0]["code"] for each in steps.told_of(run, review)] == ["CREATE"]
    late = go(chart.browser, page, do="save", **{f"result-{ring['id']}": "not-yet"})
    assert late.status_code == 400
    assert say("goals.error.closed") in text(late)


def test_words_about_a_step_that_somebody_else_closed_are_given_back(
    run: Running, patient: str, chart: Chart, goal: dict[str, Any]
) -> None:
    page = open_page(chart, goal, "review")
    ring, listen = filed(run, patient, "Goal")[1:]
    go(chart.browser, open_page(chart, goal, "review"), do="save", **{f"result-{ring['id']}": "done"})
    typed = {f"helped-{ring['id']}": "My sister", f"result-{listen['id']}": "partly"}
    late = go(chart.browser, page, do="save", **typed)
    assert late.status_code == 400
    assert say("goals.error.closed_words", text="My sister") in text(late)
    assert len(of_code(filed(run, patient, "Observation"), "review")) == 1


@pytest.mark.parametrize("which", ["goal", "step"])
def test_no_review_is_filed_for_words_that_the_person_was_not_asked_about(
    run: Running, patient: str, chart: Chart, goal: dict[str, Any], which: str
) -> None:
    page = open_page(chart, goal, "review")
    asked = goal if which == "goal" else filed(run, patient, "Goal")[1]
    steps.put(run, {**asked, "description": {"text": "Move to Bergen"}})
    name, given = ("result-goal", "achieved") if which == "goal" else (f"result-{asked['id']}", "done")
    late = go(chart.browser, page, do="save", **{name: given})
    assert late.status_code == 400
    assert say("goals.error.other_words", text="Move to Bergen") in text(late)
    assert of_code(filed(run, patient, "Observation"), "review") == []
    assert heading(go(chart.browser, late, do="save", **{name: given})) == SAVED


def test_changed(run: Running, patient: str, chart: Chart, goal: dict[str, Any]) -> None:
    page = open_page(chart, goal, "edit")
    assert "My sister\nThe sea</textarea>" in page.text
    receipt = go(
        chart.browser,
        page,
        do="save",
        text="Sing in a choir, with others",
        theirs="yes",
        area="people",
        due="",
        helps="The sea\nA warm coat",
        hinders="No bus",
        **{"step-1": "Ring the choir", "step-due-1": "", "step-2": ""},
    )
    assert heading(receipt) == SAVED
    after, *small = filed(run, patient, "Goal")
    by_id = {each["id"]: each for each in (after, *small)}
    assert by_id[goal["id"]]["description"] == {"text": "Sing in a choir, with others"}
    assert "target" not in by_id[goal["id"]]
    assert by_id[goal["id"]]["startDate"] == goal["startDate"]
    states = {each["description"]["text"]: each["lifecycleStatus"] for each in (*small, after)}
    assert states["Go and listen"] == "entered-in-error", "an emptied line is withdrawn"
    notes = {note["valueString"]: note["status"] for note in filed(run, patient, "Observation")}
    assert notes == {"My sister": "entered-in-error", "The sea": "final", "No bus": "final", "A warm coat": "final"}


def test_what_others_wrote_in_it_stays(run: Running, patient: str, chart: Chart, goal: dict[str, Any]) -> None:
    steps.put(run, goal | {"note": [{"text": "From the ward"}], "priority": {"text": "high"}})
    page = open_page(chart, goal, "edit")
    go(chart.browser, page, do="save", text="Sing", theirs="yes", helps="My sister\nThe sea", hinders="No bus",
       **{"step-1": "Ring the choir", "step-due-1": "2026-12-24", "step-2": "Go and listen"})  # fmt: skip
    (after,) = [each for each in filed(run, patient, "Goal") if each["id"] == goal["id"]]
    assert (after["description"]["text"], after["note"][0]["text"]) == ("Sing", "From the ward")


@pytest.mark.parametrize("field", ["due", "step-due-1"])
def test_what_is_no_date_is_told_of_and_kept_where_a_goal_is_edited(
    chart: Chart, goal: dict[str, Any], field: str
) -> None:
    typed = {"step-1": "Ring the choir", field: "in May"}
    page = go(chart.browser, open_page(chart, goal, "edit"), do="save", text="Sing", **typed)
    assert page.status_code == 400
    assert say("goals.error.date", value="in May") in text(page)
    assert open_page(chart, goal, "edit").status_code == 200


@pytest.mark.parametrize(
    ("given", "shown", "overdue"),
    [
        ("2026", "2026", False),
        ("2027-05", "May 2027", False),
        ("2025-02", "February 2025", True),
    ],
)
def test_a_date_is_as_exact_as_the_record_says(
    run: Running, patient: str, chart: Chart, goal: dict[str, Any], given: str, shown: str, overdue: bool
) -> None:
    steps.put(run, goal | {"startDate": "2024-11", "target": [{"dueDate": given}]})
    panel = text(chart.browser.get(chart.url))
    assert f"since November 2024 · by {shown} " in panel
    assert (say("goal.date_passed") in panel) is overdue
    page = open_page(chart, goal, "edit")
    assert say("goals.due.partial", date=shown) in text(page)
    (due,) = re.findall(r'name="due"[^>]* value="([^"]+)"', page.text)
    go(chart.browser, page, do="save", text="Sing every week", theirs="yes", helps="My sister\nThe sea", due=due)
    (after,) = [each for each in filed(run, patient, "Goal") if each["id"] == goal["id"]]
    assert (after["startDate"], after["target"], after["description"]["text"]) == (
        "2024-11", [{"dueDate": given}], "Sing every week"
    )  # fmt: skip


def test_a_date_that_can_not_be_one_hides_no_words_and_stays(
    run: Running, patient: str, chart: Chart, goal: dict[str, Any]
) -> None:
    bad = {"startDate": "0001-01-01", "statusDate": "1753-01-01", "target": [{"dueDate": "9999-12-31"}]}
    steps.put(run, goal | bad)
    panel = text(chart.browser.get(chart.url))
    assert "Sing in a choir again" in panel
    assert say("goal.date_unread") in panel
    page = open_page(chart, goal, "edit")
    receipt = go(chart.browser, page, do="save", text="Sing every week", theirs="yes", helps="My sister\nThe sea")
    assert heading(receipt) == SAVED
    (after,) = [each for each in filed(run, patient, "Goal") if each["id"] == goal["id"]]
    assert {name: after[name] for name in bad} == bad


def test_what_others_wrote_beside_a_line_that_is_taken_out_stays(
    run: Running, patient: str, chart: Chart, goal: dict[str, Any]
) -> None:
    note = next(each for each in filed(run, patient, "Observation") if each.get("valueString") == "My sister")
    restricted = {"system": "http://terminology.hl7.org/CodeSystem/v3-Confidentiality", "code": "R"}
    theirs = {
        "note": [{"text": "She moves in May"}],
        "extension": [{"url": "https://dips.example/id", "valueString": "7"}],
        "category": [*note["category"], {"text": "Network"}],
        "code": {"coding": [{"system": "http://snomed.info/sct", "display": "Sister"}, *note["code"]["coding"]]},
        "text": {"status": "generated", "div": '<div xmlns="http://www.w3.org/1999/xhtml">My sister</div>'},
    }
    steps.put(run, note | theirs | {"meta": note["meta"] | {"security": [restricted]}})
    page = open_page(chart, goal, "edit")
    go(chart.browser, page, do="save", text="Sing", theirs="yes", helps="The sea", hinders="No bus",
       **{"step-1": "Ring the choir", "step-due-1": "2026-12-24", "step-2": "Go and listen"})  # fmt: skip
    (after,) = [each for each in filed(run, patient, "Observation") if each["id"] == note["id"]]
    assert (after["status"], after["valueString"]) == ("entered-in-error", "My sister")
    assert {name: after.get(name) for name in theirs} == theirs | {"text": None}
    assert after["meta"]["security"] == [restricted]


def test_changed_by_somebody_else_meanwhile(run: Running, patient: str, chart: Chart, goal: dict[str, Any]) -> None:
    page = open_page(chart, goal, "edit")
    theirs = steps.put(run, goal | {"description": {"text": "Sing at Christmas"}})
    mine = {"text": "Sing every week", "theirs": "yes", "helps": "My sister\nThe sea", "hinders": "No bus"}
    mine |= {"step-1": "Ring the choir", "step-due-1": "2026-12-24", "step-2": "Go and listen", "do": "save"}
    late = go(chart.browser, page, **mine)
    assert late.status_code == 400
    assert say("goals.error.changed", text="Sing at Christmas") in text(late)
    assert "Sing every week</textarea>" in late.text
    assert [each for each in filed(run, patient, "Goal") if each["id"] == goal["id"]] == [theirs]
    assert heading(go(chart.browser, late, **mine)) == SAVED


@pytest.mark.parametrize("mine", ["My sister\nThe sea", "The sea"])
def test_a_line_that_somebody_else_changed_is_told_before_it_is_taken_out(
    run: Running, patient: str, chart: Chart, goal: dict[str, Any], mine: str
) -> None:
    page = open_page(chart, goal, "edit")
    note = next(each for each in filed(run, patient, "Observation") if each.get("valueString") == "My sister")
    theirs = steps.put(run, note | {"valueString": "My sister and her dog"})
    fields = {"do": "save", "text": "Sing", "theirs": "yes", "helps": mine, "hinders": "No bus"}
    fields |= {"step-1": "Ring the choir", "step-due-1": "2026-12-24", "step-2": "Go and listen"}
    told = go(chart.browser, page, **fields)
    assert say("goals.error.changed", text="My sister and her dog") in text(told)
    assert [each for each in filed(run, patient, "Observation") if each["id"] == note["id"]] == [theirs]
    assert heading(go(chart.browser, told, **fields)) == SAVED
    notes = [(each["valueString"], each["status"]) for each in filed(run, patient, "Observation")]
    assert ("My sister and her dog", "entered-in-error") in notes
    assert (("My sister", "final") in notes) == ("My sister" in mine)


def test_what_can_not_be_read_while_it_is_saved_is_not_written_a_second_time(
    run: Running, patient: str, chart: Chart, goal: dict[str, Any]
) -> None:
    page = open_page(chart, goal, "edit")
    fields = {"do": "save", "text": "Sing", "theirs": "yes", "helps": "My sister\nThe sea", "hinders": "No bus"}
    fields |= {"step-1": "Ring the choir", "step-due-1": "2026-12-24", "step-2": "Go and listen"}

    def failing(hospital: Wsgi) -> Wsgi:
        def answering(environ: Any, start_response: Any) -> Any:
            if environ["PATH_INFO"] != "/fhir/Observation":
                return hospital(environ, start_response)
            start_response("500 Fault", [("Content-Length", "0")])
            return [b""]

        return answering

    with in_front(run, failing):
        failed = go(chart.browser, page, **fields)
    assert failed.status_code == 503
    assert "My sister\nThe sea</textarea>" in failed.text, "what was typed is given back"
    assert len(filed(run, patient, "Observation")) == 3
    assert heading(go(chart.browser, page, **fields)) == SAVED
    assert len(filed(run, patient, "Observation")) == 3


def test_of_two_lines_that_were_changed_each_is_told(
    run: Running, patient: str, chart: Chart, goal: dict[str, Any]
) -> None:
    page = open_page(chart, goal, "edit")
    for note in of_code(filed(run, patient, "Observation"), "helps"):
        steps.put(run, note | {"valueString": f"{note['valueString']} in May"})
    fields = {"do": "save", "text": "Sing", "theirs": "yes", "helps": "A dog", "hinders": "No bus"}
    fields |= {"step-1": "Ring the choir", "step-due-1": "2026-12-24", "step-2": "Go and listen"}
    told = go(chart.browser, page, **fields)
    again = go(chart.browser, told, **fields)
    lines = [say("goals.error.changed", text=line) for line in ("My sister in May", "The sea in May")]
    assert {line in text(told) for line in lines} == {line in text(again) for line in lines} == {True, False}
    assert heading(go(chart.browser, again, **fields)) == SAVED


def test_a_line_that_somebody_else_took_out_does_not_come_back_by_itself(
    run: Running, patient: str, chart: Chart, goal: dict[str, Any]
) -> None:
    page = open_page(chart, goal, "edit")
    note = next(each for each in filed(run, patient, "Observation") if each.get("valueString") == "My sister")
    steps.put(run, note | {"status": "entered-in-error"})
    fields = {"do": "save", "text": "Sing", "theirs": "yes", "helps": "My sister\nThe sea", "hinders": "No bus"}
    fields |= {"step-1": "Ring the choir", "step-due-1": "2026-12-24", "step-2": "Go and listen"}
    told = go(chart.browser, page, **fields)
    assert say("goals.error.line_gone", text="My sister") in text(told)
    assert heading(go(chart.browser, told, **fields)) == SAVED
    notes = [each["status"] for each in filed(run, patient, "Observation") if each.get("valueString") == "My sister"]
    assert sorted(notes) == ["entered-in-error", "final"]


def test_what_somebody_else_added_is_not_withdrawn(
    run: Running, patient: str, chart: Chart, goal: dict[str, Any]
) -> None:
    page = open_page(chart, goal, "edit")
    note = of_code(filed(run, patient, "Observation"), "helps")[0]
    steps.put(run, note | {"id": f"{patient}-more", "identifier": [], "valueString": "A friend"})
    go(chart.browser, page, do="save", text="Sing", theirs="yes", helps="The sea", hinders="No bus",
       **{"step-1": "Ring the choir", "step-due-1": "2026-12-24", "step-2": "Go and listen"})  # fmt: skip
    notes = {each["valueString"]: each["status"] for each in filed(run, patient, "Observation")}
    assert (notes["A friend"], notes["My sister"]) == ("final", "entered-in-error")


def test_withdrawn_with_its_steps(run: Running, patient: str, chart: Chart, goal: dict[str, Any]) -> None:
    page = open_page(chart, goal, "withdraw")
    assert say("form.error.reason") in text(go(chart.browser, page))
    for _ in range(2):
        assert heading(go(chart.browser, page, reason="Entered for the wrong person")) == SAVED
    assert {each["lifecycleStatus"] for each in filed(run, patient, "Goal")} == {"entered-in-error"}
    told = steps.told_of(run, goal)[-1]
    assert told["reason"] == [{"text": "Entered for the wrong person"}]
    assert open_page(chart, goal, "edit").status_code in (404, 502)


def test_a_goal_that_was_changed_or_has_a_new_step_is_not_withdrawn_unseen(
    run: Running, patient: str, chart: Chart, goal: dict[str, Any]
) -> None:
    page = open_page(chart, goal, "withdraw")
    go(chart.browser, open_page(chart, goal, "review"), do="save", **{"step-1": "Buy a book of notes"})
    late = go(chart.browser, page, reason="Entered for the wrong person")
    assert late.status_code == 409
    assert say("form.withdraw.changed") in text(late)
    assert {each["lifecycleStatus"] for each in filed(run, patient, "Goal")} == {"active"}
    assert heading(go(chart.browser, late, reason="Entered for the wrong person")) == SAVED


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"text": ""}, say("goals.error.text", name="Eva")),
        ({"text": "a" * 10_000}, say("form.error.long", length=10_000, over=9_500, longest=500)),
        ({"text": "bell \x07"}, say("form.error.characters", place="U+0007, place 6")),
        ({"due": "tomorrow"}, say("goals.error.date", value="tomorrow")),
        ({"due": "2026-02-30"}, say("goals.error.date", value="2026-02-30")),
        ({"step-1": "Ring", "step-due-1": "24.12.2026"}, say("goals.error.date", value="24.12.2026")),
        ({"helps": f"short\n{'a' * 501}"}, say("form.error.long", length=501, over=1, longest=500)),
    ],
)
def test_bad_input_is_named_and_nothing_is_lost(
    run: Running, patient: str, chart: Chart, fields: dict[str, str], said: str
) -> None:
    page = set_goal(chart, **fields)
    assert page.status_code == 400
    assert said in text(page)
    for value in fields.values():
        assert value in page.text
    assert filed(run, patient, "Goal") == []


def test_a_script_is_text_wherever_it_is_shown(run: Running, patient: str, chart: Chart) -> None:
    receipt = set_goal(chart, text=SCRIPT, helps=SCRIPT, hinders=SCRIPT, **{"step-1": SCRIPT})
    goal = filed(run, patient, "Goal")[0]
    assert goal["description"]["text"] == SCRIPT
    pages = [receipt, chart.browser.get(chart.url), chart.browser.get(chart.at("outbox"))]
    pages += [open_page(chart, goal, name) for name in ("review", "edit", "withdraw")]
    step = filed(run, patient, "Goal")[1]
    fields = {f"result-{step['id']}": "partly", f"helped-{step['id']}": SCRIPT}
    pages.append(go(chart.browser, open_page(chart, goal, "review"), do="save", **fields))
    pages.append(open_page(chart, goal, "review"))
    for page in pages:
        assert page.status_code == 200
        assert SCRIPT not in page.text
    assert sum("&lt;script&gt;" in page.text for page in pages) == len(pages) - 1, "the outbox shows none"


def test_room_for_more_steps_keeps_what_is_typed(run: Running, patient: str, chart: Chart) -> None:
    page = chart.browser.get(chart.at("goal/new"))
    more = go(chart.browser, page, do="more-steps", text="Sing", **{"step-1": "Ring", "step-2": "", "step-3": ""})
    assert more.status_code == 200
    assert 'name="step-6"' in more.text
    assert "Sing</textarea>" in more.text
    assert filed(run, patient, "Goal") == []


def test_a_step_is_shown_though_its_goal_can_not_be_read(run: Running, patient: str, chart: Chart) -> None:
    set_goal(chart, **{"step-1": "Ring the choir"})
    aim, _ = filed(run, patient, "Goal")
    steps.put(run, {**aim, "modifierExtension": [{"url": "https://other.example/negated", "valueBoolean": True}]})
    own = log_in(run, patient=patient, user=f"Patient/{patient}")
    for shown in (chart.browser.get(chart.url), own.browser.get(own.at("own/record"))):
        assert "Ring the choir" in text(shown).partition(say("goal.alone"))[2]


def test_a_step_and_somebody_s_copy_of_it_are_reviewed_in_one_go(
    run: Running, patient: str, chart: Chart, goal: dict[str, Any]
) -> None:
    (step, _) = (each for each in filed(run, patient, "Goal") if each["id"] != goal["id"])
    steps.put(run, step | {"id": f"{patient}-copy"})
    page = open_page(chart, goal, "review")
    names = [name for name in re.findall(r'name="(result-[^"]+)"', page.text) if name != "result-goal"]
    receipt = go(chart.browser, page, do="save", **dict.fromkeys(names, "done"))
    assert heading(receipt) == SAVED
    done = [each for each in filed(run, patient, "Goal") if each["lifecycleStatus"] == "completed"]
    assert len(done) == len(set(names)) == 3


def test_a_change_is_told_with_its_words_beside_what_helps(
    run: Running, patient: str, chart: Chart, goal: dict[str, Any]
) -> None:
    """Also what is printed, where the record takes no goals, is made of these lines."""
    page = open_page(chart, goal, "edit")
    fields = {"text": "Sing on stage", "theirs": "yes", "helps": "My sister\nThe sea\nA coat", "hinders": "No bus"}
    fields |= {"step-1": "Ring the choir", "step-due-1": "2026-12-24", "step-2": "Go and listen"}
    receipt = go(chart.browser, page, do="save", **fields)
    assert heading(receipt) == SAVED
    assert [word for word in ("Sing on stage", "A coat") if word not in text(receipt)] == []


def test_other_software_s_words_that_nobody_touched_stay_to_the_letter(
    run: Running, patient: str, chart: Chart, goal: dict[str, Any]
) -> None:
    """A browser gives back other line ends, and the page takes the spaces around off."""
    step = filed(run, patient, "Goal")[1]
    words = {goal["id"]: "\n Sing in\r\na choir ", step["id"]: " Ring\r\nthe choir\t"}
    for each in (goal, step):
        steps.put(run, each | {"description": {"text": words[each["id"]]}})
    typed = {
        "text": " Sing in\r\na choir ", "theirs": "yes", "area": "leisure-culture", "due": "2027-06-01", "do": "save",
        "helps": "My sister\nThe sea", "hinders": "No bus", "step-1": " Ringthe choir\t", "step-due-1": "2026-12-24",
        "step-2": "Go and listen", "step-due-2": "", "step-3": "", "step-due-3": "",
    }  # fmt: skip
    page = open_page(chart, goal, "edit")
    unchanged = go(chart.browser, page, **typed)
    assert say("form.error.unchanged") in text(unchanged)
    assert heading(go(chart.browser, unchanged, **typed | {"due": "2027-07-01", "step-due-1": "2026-12-31"})) == SAVED
    changed = {each["id"]: each for each in filed(run, patient, "Goal")}
    assert changed[goal["id"]]["target"] == [{"dueDate": "2027-07-01"}]
    assert {key: changed[key]["description"]["text"] for key in words} == words
    page = open_page(chart, goal, "edit")
    assert heading(go(chart.browser, page, **typed | {"text": "Sing in a choir"})) == SAVED
    (after,) = (each for each in filed(run, patient, "Goal") if each["id"] == goal["id"])
    assert after["description"]["text"] == "Sing in a choir"
