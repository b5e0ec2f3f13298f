"""Whether answers in the record point to a Questionnaire: then it stays."""

from imr_fhir.ehr.client import FhirClient
from imr_fhir.errors import EhrError


def answers_to(client: FhirClient, url: str, version: str) -> str:
    """Why the Questionnaire stays, as a sentence; "" where no answers point to it.

    One that names no version may mean any. Servers read ``questionnaire=`` differently (HAPI gives all versions where
    none is asked for, Medplum those without one, others know no such search), so what comes is looked through.
    """
    named = (f"{url}|{version}", url)
    asked = [("questionnaire", ",".join(named)), ("_elements", "questionnaire")]
    try:
        found = client.search("QuestionnaireResponse", asked)
    except EhrError as error:
        return (
            f"Whether answers point to it can't be seen: {error.message} "
            "The token needs system/QuestionnaireResponse.s for that."
        )
    pointing = sum(each.get("questionnaire") in named for each in found.resources)
    if pointing:
        return (
            f"{pointing} {'QuestionnaireResponse points' if pointing == 1 else 'QuestionnaireResponses point'} to it."
        )
    return "Whether answers point to it can't be seen: there are too many." if found.truncated else ""
