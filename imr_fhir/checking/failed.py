"""A try that did not work, as a finding: whether it tells of the server, or of this moment and this log-in alone."""

from imr_fhir.checking.finding import Area, Finding, verdict
from imr_fhir.errors import (
    BadReply,
    Busy,
    Forbidden,
    HttpFailure,
    ImrError,
    LaunchError,
    LostReply,
    NotConnected,
    ServerFault,
    Unauthorized,
)

_NOBODY_KNOWS = (Unauthorized, Busy, NotConnected, LostReply, ServerFault, LaunchError)
GIVE_PATIENT = "Give --patient with the id of a test patient."


def failed(
    area: Area, what: str, error: ImrError, *, advertised: bool | None, patient: str | None = "", needed: bool = True
) -> Finding:
    """Of something that was tried and did not work: whether that tells of the server, or of this moment."""
    unseen = isinstance(error, _NOBODY_KNOWS)
    of_nobody = patient is None and not unseen and isinstance(error, HttpFailure)
    step = GIVE_PATIENT if of_nobody else next_step(error)
    works = None if unseen or of_nobody else False
    seen = not (unseen or of_nobody)
    return Finding(
        area, what, verdict(advertised=advertised, works=works), error.message, step, needed, unseen=not seen
    )


def next_step(error: ImrError) -> str:
    if isinstance(error, Unauthorized):
        return "Log in, or with a token that has not ended."
    if isinstance(error, Forbidden) and error.status == 403:
        return "Either the EHR refuses it or this log-in lacks the scope: try with one that has it."
    if isinstance(error, BadReply):
        return error.next_step
    return ""
