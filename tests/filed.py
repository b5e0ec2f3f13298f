"""One of each kind of what the app files, all of patient "anna", for the tests of the FHIR mapping."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any

from imr_fhir.audit_event import audit_event
from imr_fhir.goal import Goal
from imr_fhir.goal import to_resource as goal_resource
from imr_fhir.observation import score_observation
from imr_fhir.provenance import provenance
from imr_fhir.record import DueOutcome, Factor, Note, Prompt, Review, SeenFirst
from imr_fhir.record import to_resource as note_resource
from imr_fhir.response import Response
from imr_fhir.response import to_resource as response_resource
from imr_fhir.scale import NA
from tests.spec.build import answers, response

FILING = "0e4f7b65-f185-469c-aaf2-8c3fae59ef17"
NOW = datetime(2026, 3, 31, 9, 30, tzinfo=UTC)


def urn(number: int) -> str:
    return f"urn:uuid:6566f1e9-c964-482e-b11d-{number:012}"


def new_response(**said: Any) -> Response:
    """A new response of day 0, as the app makes it."""
    return response(0, **{"id": "", "version_id": "", "identifier": urn(1), **said})


RESPONSES = {
    "client": new_response(comment="Søvn: <b>dårlig</b>\r\n\tog & \N{SLIGHTLY SMILING FACE}"),
    "clinician": new_response(rater="clinician", encounter="Encounter/3", ratings=answers(4)),
    "not applicable": new_response(ratings=answers(2, {13: NA}), language="nb"),
    "stopped": new_response(status="stopped", ratings=answers(5, {13: NA}, without=range(1, 9)), language="nb"),
    "stopped at once": new_response(status="stopped", ratings={}, comment="Too tired today"),
    "amended": new_response(status="amended", id="7", version_id="2", authored=NOW),
    "withdrawn": new_response(status="entered-in-error", id="7", version_id="3", authored=NOW),
}

GOAL = Goal(
    patient="anna", text="Sing in a choir again", identifier=urn(2), category="leisure-culture",
    start=date(2026, 1, 1), due=date(2026, 6, 30), achievement="in-progress", status_date=date(2026, 1, 1),
)  # fmt: skip
STEP = Goal(patient="anna", text="Ring the choir", identifier=urn(3), parent="Goal/2", start=date(2026, 1, 1))

_SAID: dict[str, Any] = {"patient": "anna", "said": NOW, "performer": "Patient/anna", "identifier": urn(4)}
NOTES: dict[str, Note] = {
    "review": Review(
        **_SAID, focus="Goal/2", result="partly", helped="My sister came along", hindered_person="Nervous",
        hindered_around="No bus", hindered_services="Waiting list", encounter="Encounter/3",
    ),
    "review in one tap": Review(**_SAID, focus="Goal/2", result="not-wanted"),
    "helps": Factor(**_SAID, kind="helps", text="Walking by the sea", focus="Goal/2"),
    "hinders": Factor(**_SAID, kind="hinders", text="Noise at night", focus="Goal/2"),
    "due outcome": DueOutcome(**_SAID, outcome="too-unwell", new_date=date(2026, 4, 7)),
    "prompt": Prompt(
        **_SAID, response="QuestionnaireResponse/7", reason="item-down", item=6, tap="will-follow-up",
        follow_up=date(2026, 4, 2),
    ),
    "prompt without an item": Prompt(
        **_SAID, response="QuestionnaireResponse/7", reason="comment", tap="talked-about"
    ),
    "seen first": SeenFirst(**_SAID, response="QuestionnaireResponse/7", status="entered-in-error"),
}  # fmt: skip


def every_resource(*, profile: bool) -> Iterator[tuple[str, dict[str, Any]]]:
    """Name and resource of one of each kind."""
    for name, said in RESPONSES.items():
        yield f"response {name}", response_resource(said, filing=FILING, profile=profile)
        yield (
            f"score {name}",
            score_observation(
                said, response_reference="QuestionnaireResponse/7", urn=urn(5), filing=FILING, profile=profile
            ),
        )
    for goal in (GOAL, STEP):
        yield f"goal {goal.text}", goal_resource(goal, filing=FILING, profile=profile)
    for name, note in NOTES.items():
        yield name, note_resource(note, filing=FILING, profile=profile)
    yield "provenance", provenance(
        "update", targets=["QuestionnaireResponse/7", "Observation/8"], author="Patient/anna",
        enterer="Practitioner/berg", recorded=NOW, filing=FILING, reason="Question 4 was read aloud wrongly",
    )  # fmt: skip
    for kind in ("view", "create", "update", "refusal", "log-in"):
        yield f"audit {kind}", audit_event(
            kind, user={"reference": "Practitioner/berg"}, patient="anna", recorded=NOW, filing=FILING,
            resources=["Goal/2", urn(5)], refused="WrongPatient" if kind == "refusal" else "",
        )  # fmt: skip
    yield "audit failed log-in", audit_event(
        "log-in", user=None, patient=None, recorded=NOW, filing=FILING, refused="log-in"
    )  # fmt: skip
