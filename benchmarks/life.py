"""A generated life with IMR, filed through FHIR, for the benchmarks."""

import uuid
from datetime import timedelta

from benchmarks.rules import ratings
from imr_fhir import goal, record
from imr_fhir.bundle import Part, transaction
from imr_fhir.ehr.client import FhirClient
from imr_fhir.goal import LIFE_AREAS, Goal
from imr_fhir.observation import score_observation
from imr_fhir.record import Factor
from imr_fhir.response import Response, to_resource
from imr_fhir.scale import RATERS, scale
from smart_app.state import state_of
from tests.running import SITE, Running, log_in

STEPS = 2


def file_life(run: Running, patient: str, *, occasions: int, goals: int) -> None:
    """``occasions`` three months apart with both raters, each with its score as the app files it, and ``goals`` of two
    steps and one thing that helps each."""
    chart = log_in(run, patient=patient)
    secret = chart.browser.jar["127.0.0.1"][f"__Host-l-{chart.id[:8]}"]
    launch = run.store.launches.access(chart.id, secret, run.clock())
    transport = state_of(run.app).hospitals[SITE].transport
    client = FhirClient(transport, run.site.iss, token=lambda: launch.tokens.access_token, patient=patient)
    for part in _parts(run, patient, occasions, goals):
        client.transaction(transaction(part))


def _urn() -> str:
    return f"urn:uuid:{uuid.uuid4()}"


def _parts(run: Running, patient: str, occasions: int, goals: int) -> list[list[Part]]:
    now, filing = run.clock().replace(microsecond=0), str(uuid.uuid4())
    responses = []
    for number in range(occasions):
        at = now - timedelta(days=91 * (occasions - number))
        for rater in RATERS:
            found = Response(
                rater=rater, status="completed", ratings=ratings(number), comment="", identifier=_urn(), id="",
                version_id="", patient=patient, author="Practitioner/kari", encounter="", measured=at, authored=at,
                source=f"Patient/{patient}" if rater == "client" else "Practitioner/kari", language="en",
                questionnaire=scale(rater).canonical,
            )  # fmt: skip
            score = score_observation(found, response_reference=found.identifier, urn=_urn(), filing=filing)
            responses.append(Part(to_resource(found, filing=filing), found.identifier))
            responses.append(Part(score, str(score["identifier"][0]["value"])))
    wishes = []
    for number in range(goals):
        whole = Goal(patient=patient, text=f"Goal number {number}", identifier=_urn(), start=now.date(),
                     category=LIFE_AREAS[number % len(LIFE_AREAS)])  # fmt: skip
        steps = [
            Goal(
                patient=patient, text=f"Step {step} of it", identifier=_urn(), start=now.date(), parent=whole.identifier
            )
            for step in range(STEPS)
        ]
        wishes += [Part(goal.to_resource(each, filing=filing), each.identifier) for each in (whole, *steps)]
        helps = Factor(kind="helps", text="A walk before", focus=whole.identifier, patient=patient, said=now,
                       performer=f"Patient/{patient}", identifier=_urn())  # fmt: skip
        wishes.append(Part(record.to_resource(helps, filing=filing), helps.identifier))
    return [responses, wishes]
