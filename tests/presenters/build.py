"""Charts for the panel: short words on top of tests/spec/build.py (day 0 is 1 January 2026)."""

from collections.abc import Iterable
from datetime import datetime, time
from typing import Any

from babel.support import Translations

from imr_fhir.course import Course
from imr_fhir.ehr.chart import Chart, Problem
from imr_fhir.ehr.ladder import LADDERS
from imr_fhir.ehr.patient import Patient
from imr_fhir.goal import Goal
from imr_fhir.record import Note
from imr_fhir.response import Response
from smart_app.language import Words
from smart_app.plan import Plan
from smart_app.presenters.known import known
from smart_app.presenters.panel import Panel, panel
from smart_app.presenters.situation import Situation
from tests.spec.build import ZONE, clinician, d
from tests.spec.build import client as client_rating

EVERYTHING = ("QuestionnaireResponse", "Observation", "Goal", "Provenance")
PLAN = Plan(
    in_transaction=True,
    conditional=True,
    versioned=True,
    updates=EVERYTHING,
    ladders={artefact: {rung.name: "" for rung in ladder} for artefact, ladder in LADDERS.items()},
)
VIEWER = "Practitioner/berg"


def words(language: str = "en") -> Words:
    return Words(language, Translations.load("smart_app/translations", [language]))


def chart(
    responses: Iterable[Response] = (),
    *,
    goals: Iterable[Goal] = (),
    notes: Iterable[Note] = (),
    episodes: Iterable[Course] = (),
    problems: Iterable[Problem] = (),
    name: str = "Anna Moe",
) -> Chart:
    patient = Patient(id="anna", name=name, birth_date="1986-03-12", gender="female", deceased=False)
    return Chart(patient, tuple(responses), tuple(goals), tuple(notes), tuple(episodes), tuple(problems))


def shown(of: Chart, today: int = 320, language: str = "en", **situation: Any) -> Panel:
    """The panel of ``of`` on day ``today``, for a clinician who may write unless said."""
    given: dict[str, Any] = {"may_write": True, "clinician_on": True, "viewer": VIEWER, "plan": PLAN} | situation
    now = Situation(today=d(today), **given)
    spoken = words(language)
    return panel(spoken, of, known(spoken, of, now, name="Anna"), now)


def pair(on: int, client: Any = None, rated: Any = None, **said: Any) -> tuple[Response, Response]:
    """Both raters on the same day."""
    return client_rating(on, client, **said), clinician(on, rated)


def goal(text: str, number: int, **said: Any) -> Goal:
    return Goal(patient="anna", text=text, identifier=f"urn:uuid:{number}", id=f"g{number}", **said)


def noted(note: type[Note], on: int, /, **said: Any) -> Any:
    """A small Observation of day ``on``."""
    when = datetime.combine(d(on), time(11), ZONE)
    return note(**{"patient": "anna", "said": when, "performer": VIEWER, "identifier": ""} | said)
