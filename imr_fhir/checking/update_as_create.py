"""Whether a resource can be put under an id of ours, as `imr-fhir load` puts the artefacts: many servers do not say."""

import uuid
from collections.abc import Iterator

from imr_fhir.artefacts import artefact_resources
from imr_fhir.checking.failed import failed
from imr_fhir.checking.finding import Finding, verdict
from imr_fhir.checking.samples import OWN_ID
from imr_fhir.checking.statement import Statement
from imr_fhir.checking.trial import Trial
from imr_fhir.errors import HttpFailure, ImrError, NotConnected, ServerFault


def findings(statement: Statement, trial: Trial) -> Iterator[Finding]:
    """One of each type, a draft under a made-up name; not tried where it could not be deleted again."""
    first = {str(each["resourceType"]): each for each in reversed(artefact_resources())}
    for resource_type, ours in first.items():
        what = f"{resource_type}: update as create"
        advertised = statement.says(resource_type, "updateCreate") is True
        if not statement.offers(resource_type, "delete"):
            said = "" if advertised else "not "
            why = f"{said}advertised; not tried, since it could not be deleted again"
            yield Finding("write", what, "unknown", why, needed=False)
            continue
        name = f"{OWN_ID}{uuid.uuid4()}"
        resource = {**ours, "id": name, "url": f"{ours['url']}-{name}", "status": "draft", "experimental": True}
        trial.note(f"{resource_type}/{name}")
        try:
            receipt = trial.client.update(resource)
            trial.client.read(resource_type, name)
        except ImrError as error:
            if _not_taken(error):
                trial.made.remove(f"{resource_type}/{name}")
            yield failed("write", what, error, advertised=advertised, needed=False)
            continue
        found = verdict(advertised=advertised, works=True)
        yield Finding("write", what, found, f"{receipt.status}, read back", needed=False)


def _not_taken(error: ImrError) -> bool:
    return isinstance(error, HttpFailure | NotConnected) and not isinstance(error, ServerFault)
