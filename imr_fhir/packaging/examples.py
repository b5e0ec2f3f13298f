"""Examples of what the app files, made by the same functions: one imagined patient, fixed times and identifiers."""

from datetime import date, datetime, timedelta, timezone
from typing import Any

from imr_fhir import artefacts
from imr_fhir.goal import Goal
from imr_fhir.goal import to_resource as goal_resource
from imr_fhir.observation import score_observation
from imr_fhir.record import Review
from imr_fhir.record import to_resource as note_resource
from imr_fhir.response import Response
from imr_fhir.response import to_resource as response_resource
from imr_fhir.scale import NA, scale

_PATIENT = "example-patient"
_FILING = "0b9a5c1e-1f0e-4a53-9a63-000000000001"
_SAID = datetime(2026, 3, 2, 10, 15, tzinfo=timezone(timedelta(hours=1)))
_TODAY = _SAID.date()
# Item 13: no medication is prescribed, so that the example shows the rarer case.
_RATINGS = dict(enumerate((3, 4, 2, 3, 2, 3, 3, 2, 4, 5, 3, 2, NA, 4, 5), 1))


def examples() -> list[dict[str, Any]]:
    """Each after what it refers to: Patient, response and its score, a goal with a step, a review of the step."""
    response = _response()
    goal = _goal("goal", "Sing in a choir again", 3, due=date(2026, 9, 1), category="leisure-culture")
    step = _goal("step", "Ring the choir leader", 4, due=date(2026, 3, 9), parent=f"Goal/{goal.id}")
    return [
        _patient(),
        response_resource(response, filing=_FILING, profile=True),
        score_observation(
            response,
            response_reference=response.reference,
            urn=_urn(2),
            filing=_FILING,
            observation_id="example-score",
            profile=True,
        ),
        goal_resource(goal, filing=_FILING, profile=True),
        goal_resource(step, filing=_FILING, profile=True),
        note_resource(_review(f"Goal/{step.id}"), filing=_FILING, profile=True),
    ]


def _urn(number: int) -> str:
    return f"urn:uuid:0b9a5c1e-1f0e-4a53-9a63-{number + 1:012}"


def _patient() -> dict[str, Any]:
    return {
        "resourceType": "Patient",
        "id": _PATIENT,
        "meta": {"tag": [{"system": artefacts.FILING, "code": _FILING}]},
        "name": [{"text": "Eva Example (not a real person)", "family": "Example", "given": ["Eva"]}],
        "birthDate": "1990-01-01",
    }


def _response() -> Response:
    return Response(
        rater="client",
        status="completed",
        ratings=_RATINGS,
        comment="It has been easier since I began to walk to the centre.",
        identifier=_urn(1),
        id="example-response",
        version_id="",
        patient=_PATIENT,
        source=f"Patient/{_PATIENT}",
        author=f"Patient/{_PATIENT}",
        encounter="",
        measured=_SAID,
        authored=_SAID,
        language="en",
        questionnaire=scale("client").canonical,
    )


def _goal(name: str, text: str, number: int, *, due: date, category: str = "", parent: str = "") -> Goal:
    return Goal(
        id=f"example-{name}",
        patient=_PATIENT,
        text=text,
        identifier=_urn(number),
        category=category,
        start=_TODAY,
        due=due,
        achievement="in-progress",
        status_date=_TODAY,
        parent=parent,
    )


def _review(focus: str) -> Review:
    return Review(
        id="example-review",
        patient=_PATIENT,
        said=_SAID + timedelta(days=7),
        performer=f"Patient/{_PATIENT}",
        identifier=_urn(5),
        focus=focus,
        result="partly",
        helped="My sister sat beside me when I rang",
        hindered_around="Nobody answered the first time",
    )
