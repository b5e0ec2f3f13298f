"""A panel is given again where it would be the same to the letter, and only there.

That it is the same is looked at in every test of the whole run too (tests/panels_again.py).
"""

import re
from collections.abc import Iterator
from dataclasses import fields, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from markupsafe import Markup

from imr_fhir.course import Course
from imr_fhir.documented import Document
from imr_fhir.ehr.chart import Chart, Problem
from imr_fhir.parameters import PARAMETERS
from smart_app.language import Words
from smart_app.panels_shown import PanelsShown, Source
from smart_app.presenters.situation import OpenDraft, OpenGoalDraft, Situation
from smart_app.state import state_of
from tests.filed import GOAL, NOTES, RESPONSES
from tests.presenters.build import PLAN, chart, words
from tests.running import Running, log_in, running

TODAY = date(2026, 11, 28)
COURSE = Course(TODAY, None, "active", "", "episode")
CHART = replace(
    chart([RESPONSES["client"]], goals=[GOAL], notes=[NOTES["due outcome"]], episodes=[COURSE]),
    documents=(Document("d1", "client", TODAY, withdrawn=False),),
)
SITUATION = Situation(today=TODAY, may_write=True, clinician_on=True, plan=PLAN)
ENGLISH = words()
FIELD = Markup('<input name="csrf" value="one">')

OTHER_CHARTS: dict[str, list[Any]] = {
    "patient": [replace(CHART.patient, name="Anna Li"), replace(CHART.patient, deceased=True)],
    "responses": [(), (*CHART.responses, RESPONSES["clinician"]), (RESPONSES["clinician"],)],
    "goals": [(), (GOAL, replace(GOAL, id="other"))],
    "notes": [()],
    "episodes": [(), None, (replace(COURSE, status="onhold"),)],
    "problems": [(Problem("cut-short", "Goal"),)],
    "documents": [(), (replace(CHART.documents[0], withdrawn=True),)],
}
OTHER_SITUATIONS: dict[str, Any] = {
    "today": TODAY + timedelta(days=1),
    "may_write": False,
    "clinician_on": False,
    "own_record": True,
    "viewer": "Practitioner/ola",
    "opened": frozenset({"urn:uuid:1"}),
    "occasion": "QuestionnaireResponse/1",
    "pair_window": 14,
    "drafts": (OpenDraft("client", 3, TODAY, TODAY, expiring=False),),
    "goal_drafts": (OpenGoalDraft("new", TODAY, TODAY, expiring=False),),
    "clock_off": timedelta(minutes=4),
    "outbox": (object(),),
    "waiting": 1,
    "printed": 1,
    "placed": 1,
    "left": 1,
    "plan": replace(PLAN, versioned=False),
    "table": (COURSE,),
    "parameters": PARAMETERS[:1],
}


def again(source: Source, before: Source) -> bool:
    """Whether the panel of ``before`` is given for ``source``."""
    shown = PanelsShown()
    shown.of("launch", before, FIELD, lambda: Markup("before"))
    return shown.of("launch", source, FIELD, lambda: Markup("anew")) == "before"


def test_what_is_read_from_the_same_is_given_again() -> None:
    source = Source(CHART, SITUATION, ENGLISH)
    same = Source(replace(CHART), replace(SITUATION), Words("en", ENGLISH.catalogue))
    assert again(same, source)
    assert again(
        replace(same, chart=replace(CHART, episodes=None)), replace(source, chart=replace(CHART, episodes=None))
    )


@pytest.mark.parametrize(("name", "value"), [(name, each) for name, them in OTHER_CHARTS.items() for each in them])
def test_of_another_chart_it_is_worked_out_anew(name: str, value: object) -> None:
    other = replace(CHART, **{name: value})  # type: ignore[arg-type]
    assert not again(Source(other, SITUATION, ENGLISH), Source(CHART, SITUATION, ENGLISH))
    assert not again(Source(CHART, SITUATION, ENGLISH), Source(other, SITUATION, ENGLISH))


@pytest.mark.parametrize(("name", "value"), OTHER_SITUATIONS.items())
def test_in_another_situation_it_is_worked_out_anew(name: str, value: object) -> None:
    other = replace(SITUATION, **{name: value})  # type: ignore[arg-type]
    assert not again(Source(CHART, other, ENGLISH), Source(CHART, SITUATION, ENGLISH))


def test_each_thing_that_a_panel_is_worked_out_from_is_tried_above() -> None:
    assert {field.name for field in fields(Chart)} == set(OTHER_CHARTS)
    assert {field.name for field in fields(Situation)} == set(OTHER_SITUATIONS)
    assert {field.name for field in fields(Source)} == {"chart", "situation", "words"}


def test_in_another_language_it_is_worked_out_anew() -> None:
    assert not again(Source(CHART, SITUATION, words("nb")), Source(CHART, SITUATION, ENGLISH))


def test_that_there_is_no_course_is_not_that_none_could_be_read() -> None:
    without, unread = (Source(replace(CHART, episodes=found), SITUATION, ENGLISH) for found in ((), None))
    assert not again(without, unread)
    assert not again(unread, without)


def test_what_is_equal_and_was_read_anew_does_not_count_as_the_same() -> None:
    """The same instant in two zones is equal, and is another day."""
    one, two = (
        replace(RESPONSES["client"], measured=datetime(2026, 11, 27, 23, 30, tzinfo=UTC).astimezone(zone))
        for zone in (UTC, ZoneInfo("Europe/Oslo"))
    )
    assert one.measured == two.measured
    assert one.measured.date() != two.measured.date()
    before, now = (Source(replace(CHART, responses=(each,)), SITUATION, ENGLISH) for each in (one, two))
    assert not again(now, before)


def test_another_launch_gets_its_own() -> None:
    shown, source = PanelsShown(), Source(CHART, SITUATION, ENGLISH)
    assert shown.of("one", source, FIELD, lambda: Markup("of one")) == "of one"
    assert shown.of("two", source, FIELD, lambda: Markup("of two")) == "of two"
    assert shown.of("one", source, FIELD, lambda: Markup("anew")) == "of one"


def test_each_form_gets_the_field_of_this_request() -> None:
    shown, source = PanelsShown(), Source(CHART, SITUATION, ENGLISH)
    shown.of("launch", source, FIELD, lambda: Markup("<form>{0}</form><p>&lt;</p><form>{0}</form>").format(FIELD))
    other = Markup('<input name="csrf" value="two">')
    given = shown.of("launch", source, other, lambda: Markup("anew"))
    assert given == f"<form>{other}</form><p>&lt;</p><form>{other}</form>"
    assert isinstance(given, Markup)


def test_it_is_given_again_for_so_long_and_of_so_many_launches() -> None:
    source = Source(CHART, SITUATION, ENGLISH)
    old, few = PanelsShown(seconds=0), PanelsShown(most=2)
    for number in range(3):
        for shown in (old, few):
            shown.of(str(number), source, FIELD, lambda: Markup("before"))
    assert old.of("2", source, FIELD, lambda: Markup("anew")) == "anew"
    assert list(few._last) == ["1", "2"]
    old.forget()
    few.forget()
    assert (len(old._last), len(few._last)) == (0, 2)


@pytest.fixture
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(tmp_path_factory.mktemp("panels")) as world:
        yield world


def test_a_panel_that_is_loaded_again_is_given_again(run: Running) -> None:
    chart = log_in(run)
    kept = state_of(run.app).panels._last
    pages, sources = [], []
    for _ in range(2):
        pages.append(chart.browser.get(chart.url).text)
        sources.append(kept[chart.id][0])
    assert sources[0] is sources[1]
    tokens = [re.findall(r'name="csrf" value="([^"]+)"', page) for page in pages]
    assert len(set(tokens[0])) == len(set(tokens[1])) == 1
    assert tokens[0] != tokens[1]
    assert pages[0].replace(tokens[0][0], tokens[1][0]) == pages[1]
