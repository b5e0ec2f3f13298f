"""The panel in a real launch: from a first rating to what is noted from it, in a hospital of its own."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import requests

from imr_fhir.response import to_resource
from imr_fhir.scale import Rater
from tests.presenters.build import words
from tests.running import Chart, Running, log_in, running
from tests.spec.build import answers, response
from tests.web.steps import rows


@pytest.fixture
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A hospital with one patient more, who has no course on record: the first rating begins it."""
    with running(tmp_path_factory.mktemp("panel")) as world:
        keep(
            world, {"resourceType": "Patient", "id": "anna", "name": [{"text": "Anna Moe"}], "birthDate": "1986-03-12"}
        )
        yield world


def keep(run: Running, resource: dict[str, Any]) -> None:
    """Puts ``resource`` into the hospital's record, as another system there would."""
    run.hospital.hospital.interactions().update(resource, resource["resourceType"], resource["id"], "")


def open_chart(run: Running, user: str = "Practitioner/kari") -> Chart:
    return log_in(run, patient="anna", user=user)


def rated(run: Running, rater: Rater, days_ago: int, rating: int) -> None:
    """A complete rating that the record holds from before."""
    when = datetime.now(UTC).replace(microsecond=0) - timedelta(days=days_ago)
    who = "Patient/anna" if rater == "client" else "Practitioner/kari"
    before = response(days_ago, answers(rating), rater, measured=when, authored=when, source=who, author=who)
    keep(run, to_resource(before, filing=str(uuid4())))


def rate(chart: Chart, rater: Rater, rating: int, *, items: int = 15, do: str = "complete") -> requests.Response:
    """Answers ``items`` items with ``rating`` and saves; what the browser then shows."""
    form = chart.browser.follow(chart.browser.submit(panel(chart), f"form/{rater}/start"))
    answers = {f"{item:02}": f"{item:02}-{rating}" for item in range(1, items + 1)}
    return chart.browser.follow(chart.browser.submit(form, form.url, **answers, do=do))


def panel(chart: Chart, query: str = "") -> requests.Response:
    page = chart.browser.get(chart.url + query)
    assert page.status_code == 200, page.text
    return page


def figures(page: requests.Response) -> list[str]:
    return re.findall(r'<p class="figure"><b>(.*?)</b>', page.text)


def test_a_first_rating_is_seen_after_ones_own(run: Running) -> None:
    chart = open_chart(run)
    assert "No goal yet. What would you like more of in your life?" in panel(chart).text
    rate(chart, "client", 2)
    hidden = panel(chart)
    assert figures(hidden) == []
    assert "The answers are hidden until you have rated" in hidden.text
    assert "2.0" not in hidden.text
    rate(chart, "clinician", 4)
    seen = panel(chart)
    assert figures(seen) == ["2.0", "4.0"]
    assert "You see this differently: something to talk about" in seen.text


def test_answers_opened_first_are_noted_and_stay_open_in_the_next_launch(run: Running) -> None:
    chart = open_chart(run)
    rate(chart, "client", 2)
    opened = chart.browser.submit(panel(chart), "see-first")
    assert opened.status_code == 303
    assert figures(panel(chart)) == ["2.0"]
    filed = rows(run, "filing")
    chart.browser.submit(panel(chart), "see-first")
    assert rows(run, "filing") == filed
    assert figures(panel(open_chart(run))) == ["2.0"]
    assert figures(panel(open_chart(run, "Practitioner/ola"))) == []


def test_what_became_of_a_due_time_is_noted_once(run: Running) -> None:
    chart = open_chart(run)
    rate(chart, "client", 3)
    page = panel(chart)
    once = re.search(r'name="once" value="([^"]+)"', page.text)
    assert once
    assert "Still to answer: the clinician" in page.text
    for _ in range(2):
        noted = chart.browser.submit(
            page, "not-today", outcome="too-unwell", once=once[1], **{"new-date": "2030-01-01"}
        )
        assert noted.status_code == 303
    after = panel(chart).text
    assert "Noted: too unwell this time. Ask again 1 January 2030." in after
    assert rows(run, "filing") == 2


@pytest.mark.parametrize(
    "fields", [{}, {"outcome": "finished"}, {"outcome": "declined", "new-date": "tomorrow"}], ids=str
)
def test_what_no_form_of_ours_sends_is_refused(run: Running, fields: dict[str, str]) -> None:
    chart = open_chart(run)
    assert chart.browser.submit(panel(chart), "not-today", **fields).status_code == 400
    assert rows(run, "filing") == 0


def test_an_earlier_occasion_can_be_chosen_and_an_unknown_one_is_the_latest(run: Running) -> None:
    for rater, before, now in (("client", 2, 4), ("clinician", 3, 5)):
        rated(run, rater, 120, before)
        rated(run, rater, 30, now)
    chart = open_chart(run)
    latest = panel(chart)
    assert figures(latest) == ["4.0", "5.0"]
    keys = re.findall(r'<option value="([^"]+)"', latest.text)
    assert figures(panel(chart, f"?occasion={keys[1]}")) == ["2.0", "3.0"]
    assert figures(panel(chart, "?occasion=no-such")) == ["4.0", "5.0"]
    assert "Change of the sum" in chart.browser.get(chart.at("how")).text


def test_a_reader_sees_and_changes_nothing(run: Running) -> None:
    clinician = open_chart(run)
    rate(clinician, "client", 3)
    patient = open_chart(run, "Patient/anna")
    page = patient.browser.get(patient.at("./"))
    assert "You can see and print; nothing is saved from here." in page.text
    assert 'name="csrf"' in page.text  # language and log-out
    assert "form/client/start" not in page.text
    assert "Withdraw" not in page.text


def test_a_draft_that_was_left_can_be_gone_on_with(run: Running) -> None:
    chart = open_chart(run)
    rate(chart, "clinician", 3, items=6, do="later")
    assert "Clinician: 6 of 15 answered" in panel(chart).text


@pytest.mark.parametrize(("code", "courses"), [("IMR", 1), ("ACT", 0)])
def test_which_episodes_are_courses_is_the_site_s_to_say(tmp_path: Path, code: str, courses: int) -> None:
    with running(tmp_path, course_episode_types=("urn:oid:1.2.3|IMR",)) as world:
        keep(world, {"resourceType": "Patient", "id": "anna"})
        of = {"patient": {"reference": "Patient/anna"}, "period": {"start": "2026-01-01"}, "status": "active"}
        kind = [{"coding": [{"system": "urn:oid:1.2.3", "code": code}]}]
        keep(world, {"resourceType": "EpisodeOfCare", "id": "e", "type": kind, **of})
        rated(world, "client", 10, 3)
        assert (words("en").say("course.gap") in panel(open_chart(world)).text) is (courses == 0)
