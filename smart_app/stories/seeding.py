"""Fills the sandbox hospital as a SMART backend service does: the artefacts by the loader, then the stories."""

from collections.abc import Callable
from datetime import date, datetime, tzinfo

from imr_fhir.artefacts import artefact_resources
from imr_fhir.bundle import Part, if_none_exist, transaction
from imr_fhir.ehr.address import parse
from imr_fhir.ehr.backend_services import BackendServices
from imr_fhir.ehr.client import FhirClient
from imr_fhir.ehr.token import PrivateKeyJwt
from imr_fhir.ehr.transport import Transport
from imr_fhir.loader.load import load
from smart_app.stories.story import Story, stories
from smart_app.stories.telling import Setting, parts

# The visit that goes on when the hospital starts for the first time: the stories count their days from it.
_TODAY = "eva-berg-today"

Tell = Callable[[str], None]


def backend_client(fhir_base: str, authentication: PrivateKeyJwt, *, now: datetime) -> FhirClient:
    """A client of the hospital on this machine, with a token of its own."""
    transport = Transport([parse(fhir_base).origin], allow_loopback_http=True)
    return BackendServices(transport, fhir_base, authentication, clock=lambda: now).client()


def seed(client: FhirClient, *, zone: tzinfo, tell: Tell) -> None:
    """What is there already stays as it is, whatever became of it; ``tell`` is given a line a step. Raises EhrError."""
    loaded = load(client, artefact_resources())
    if loaded.error:
        raise loaded.error
    if loaded.done:
        tell(f"Loaded {len(loaded.done)} questionnaires, profiles and code lists.")
    if changed := loaded.plan.of("conflict"):
        tell(f"Left as they are, since they are not as they were loaded: {', '.join(step.target for step in changed)}.")
    today = _first_day(client)
    for story in stories():
        told = parts(story, Setting(today, zone, _visits(client, story)))
        first = next(told, None)
        if first and not _is_there(client, first):
            client.transaction(transaction((first, *told)))
            tell(f"Filed {story.name}: {story.story}.")


def _first_day(client: FhirClient) -> date:
    return _day(client.read("Encounter", _TODAY)["period"]["start"])


def _visits(client: FhirClient, story: Story) -> dict[date, str]:
    found = client.search("Encounter", [("patient", story.patient)])
    return {_day(each["period"]["start"]): f"Encounter/{each['id']}" for each in found.resources}


def _is_there(client: FhirClient, first: Part) -> bool:
    """A story is one transaction: with its first part all of it was taken."""
    name, _, value = if_none_exist(first.resource).partition("=")
    return bool(client.search(first.type, [(name, value)]).resources)


def _day(moment: str) -> date:
    return date.fromisoformat(moment[:10])
