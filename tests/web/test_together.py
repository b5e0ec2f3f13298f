"""The page that both look at: the goal first, both answers in their own words, nothing of an unfinished rating."""

import html
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
import requests

from imr_fhir.response import to_resource
from imr_fhir.scale import RATERS, Rater
from tests.flows import steps
from tests.flows.steps import go, say, text
from tests.running import SITE, Chart, Running, log_in
from tests.spec.build import answers, response


@pytest.fixture
def patient(run: Running) -> str:
    return steps.new_patient(run)


def file(
    run: Running,
    patient: str,
    rater: Rater,
    said: Mapping[int, int],
    *,
    days_ago: int,
    status: str = "completed",
    comment: str = "",
) -> datetime:
    """As an earlier visit left it, at the time that is given back."""
    when = datetime.now(UTC).replace(microsecond=0) - timedelta(days=days_ago)
    who = f"Patient/{patient}" if rater == "client" else "Practitioner/kari"
    fields = {"id": f"{rater}-{patient}", "patient": patient, "source": who, "author": who}
    rating = response(0, said, rater, status, measured=when, authored=when, comment=comment, **fields)
    resource = to_resource(rating, filing=str(uuid4()))
    run.hospital.hospital.interactions().update(resource, resource["resourceType"], resource["id"], "")
    return when


def chart_zone(run: Running) -> ZoneInfo:
    return run.config.sites[SITE].zone


def page_of(chart: Chart) -> requests.Response:
    found = chart.browser.get(chart.at("together"))
    assert found.status_code == 200, found.text
    return found


def test_the_goal_both_answers_and_the_question_of_medication(run: Running, patient: str) -> None:
    file(run, patient, "client", answers(2, {1: 5, 2: 5, 13: 0}), days_ago=2)
    file(run, patient, "clinician", answers(5), days_ago=1)
    chart = log_in(run, patient=patient)
    form = chart.browser.get(chart.at("goal/new"))
    go(chart.browser, form, text="Sing in a choir again", theirs="yes", do="save")
    page = page_of(chart).text
    shown = html.unescape(page)
    assert shown.index("“Sing in a choir again”") < shown.index(say("gap"))
    assert re.search(r'href="[^"]+/review"', page)
    more = re.search(r"<summary[^>]*>(\d+) more</summary>", page)
    assert more, "three are offered, the others folded"
    before = shown.partition(say("gap.medication"))[0]
    assert "<summary>" in before, "asked inside the fold"
    assert before.rstrip().rpartition("<h3>")[2].startswith("Using medication effectively")


def test_what_each_wrote_beside_the_answers_and_when(run: Running, patient: str) -> None:
    words = "You ask about family.\nMine is far away."
    days = [
        file(run, patient, "client", answers(3), days_ago=9, comment=words),
        file(run, patient, "clinician", answers(3), days_ago=1, comment="Seen at home"),
    ]
    chart = log_in(run, patient=patient)
    page = page_of(chart)
    shown = html.unescape(page.text)
    after = shown.partition(f"<summary>{say('comments.title')}</summary>")[2]
    assert words in after, "closed, as what can be about anything is with a relative in the room"
    assert "Seen at home" in after
    for day, who in zip(days, ("Eva", "Clinician"), strict=True):
        local = day.astimezone(chart_zone(run))
        assert f"{who}: {local.day} {local:%B %Y}" in text(page)


def test_of_one_day_the_page_says_it_once(run: Running, patient: str) -> None:
    for rater in RATERS:
        when = file(run, patient, rater, answers(3), days_ago=1)
    local = when.astimezone(chart_zone(run))
    assert text(page_of(log_in(run, patient=patient))).count(f"{local.day} {local:%B %Y}") == 1


def test_what_was_stopped_is_not_looked_at_together(run: Running, patient: str) -> None:
    file(run, patient, "client", {1: 3, 2: 3}, days_ago=2, status="stopped")
    file(run, patient, "clinician", answers(3), days_ago=1)
    chart = log_in(run, patient=patient)
    assert say("together.none") in html.unescape(page_of(chart).text)
    assert chart.at("together") not in chart.browser.get(chart.url).text
