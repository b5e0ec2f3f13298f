"""Whether a write can be made safe: a create that looks first, and an update that names the version it replaces."""

from imr_fhir.bundle import Part, if_none_exist
from imr_fhir.checking.failed import failed
from imr_fhir.checking.finding import Finding, verdict
from imr_fhir.checking.statement import Statement
from imr_fhir.checking.trial import Trial
from imr_fhir.errors import Conflict, ImrError
from imr_fhir.version import etag

_LOOKS = "The app looks before it sends again; after a lost answer a person decides."
_COMPARES = "The app compares what is there before it writes, which leaves a moment in between."


def once(trial: Trial, statement: Statement, form: Part, first: str) -> Finding:
    what = "QuestionnaireResponse: conditional create"
    advertised = statement.says("QuestionnaireResponse", "conditionalCreate")
    try:
        again = trial.client.create(form.resource, if_none_exist=if_none_exist(form.resource))
    except Conflict as error:
        return Finding("write", what, verdict(advertised=advertised, works=False), error.message, _LOOKS)
    except ImrError as error:
        trial.doubtful.append(form)
        return failed("write", what, error, advertised=advertised, needed=False)
    trial.note(again.reference)
    works = again.id == first
    evidence = f"{again.status}, {'the first one again' if works else 'a second copy'}"
    return Finding(
        "write", what, verdict(advertised=advertised, works=works), evidence, "" if works else _LOOKS, needed=False
    )


def guarded(trial: Trial, statement: Statement, part: Part) -> Finding:
    """The same update again names a version that is no longer there."""
    what = f"{part.type}: update with If-Match"
    said = statement.says(part.type, "versioning")
    advertised = None if said is None else said == "versioned-update"
    if not etag(part.if_match):
        return Finding(
            "write",
            what,
            verdict(advertised=advertised, works=False),
            "it gives no versions",
            _COMPARES,
            needed=False,
        )
    try:
        trial.client.update(part.resource, if_match=part.if_match)
    except Conflict as error:
        return Finding(
            "write",
            what,
            verdict(advertised=advertised, works=True),
            f"{error.status} for an old version, as it should",
            needed=False,
        )
    except ImrError as error:
        return failed("write", what, error, advertised=advertised, needed=False)
    return Finding(
        "write",
        what,
        verdict(advertised=advertised, works=False),
        "an old version was taken, and the newer one written over",
        _COMPARES,
        needed=False,
    )
