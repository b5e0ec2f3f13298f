"""The score Observation that belongs to a response: a correction or withdrawal changes both together."""

from imr_fhir import observation
from imr_fhir.artefacts import CODES
from imr_fhir.ehr.client import FhirClient
from imr_fhir.element import type_and_id
from imr_fhir.errors import ResourceError, ResponseError
from imr_fhir.observation import StoredScore
from imr_fhir.response import Response


def score_of(client: FhirClient, response: Response) -> StoredScore | None:
    """None where the EHR has none. Raises EhrError, ResponseError where it has several."""
    found = client.search("Observation", [("patient", response.patient), ("code", f"{CODES}|score-{response.rater}")])
    scores = []
    for raw in found.resources:
        try:
            scores.append(observation.from_resource(raw, patient=response.patient))
        except ResourceError:
            continue  # other software's, or another code where the EHR can't search by it: no score of ours
    own = [score for score in scores if type_and_id(score.derived_from) == ("QuestionnaireResponse", response.id)]
    if len(own) > 1:
        raise ResponseError(
            f"The chart has {len(own)} scores of QuestionnaireResponse/{response.id}.",
            next_step="Withdraw all but one in the record, then correct it here.",
        )
    return own[0] if own else None
