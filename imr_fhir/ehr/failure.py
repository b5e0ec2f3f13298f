"""A reply with a failure status as the error that says what to do next."""

from email.utils import parsedate_to_datetime

from imr_fhir.ehr.outcome import sentence
from imr_fhir.ehr.transport import Incoming, Reply
from imr_fhir.errors import (
    BadReply,
    Busy,
    Conflict,
    EhrError,
    Forbidden,
    HttpFailure,
    Invalid,
    NotFound,
    NotJson,
    ServerFault,
    Unauthorized,
)

_Kind = tuple[type[HttpFailure], str]
_KINDS: dict[int, _Kind] = {
    401: (Unauthorized, "Log in again from the patient's chart."),
    403: (Forbidden, "The EHR does not allow this to you or to the app; its administrator can change that."),
    404: (NotFound, "It may have been moved or deleted."),
    405: (Forbidden, "The EHR does not offer this at all."),
    409: (Conflict, "Look at what the EHR has now."),
    410: (NotFound, "It has been deleted."),
    412: (Conflict, "Look at what the EHR has now."),
    429: (Busy, "The EHR asks us to wait; try again later."),
}
_OTHER_CLIENT: _Kind = (Invalid, "The EHR does not accept it as it is; its administrator can see why.")
_FAULT: _Kind = (ServerFault, "The EHR has a fault; try again later.")
_WAIT: _Kind = (Busy, "The EHR is busy; try again later.")


def failure(reply: Reply, doing: str) -> EhrError:
    """The error for a reply that is no success; ``doing`` completes "The EHR refused …"."""
    if reply.status < 400:
        return BadReply(
            f"The EHR answered {reply.status} when we asked {doing}; no redirect is followed.",
            next_step="Check the site's addresses.",
        )
    wait = retry_after(reply)
    if reply.status >= 500:
        kind, next_step = _FAULT if reply.status != 503 or wait is None else _WAIT
    else:
        kind, next_step = _KINDS.get(reply.status, _OTHER_CLIENT)
    message = f"The EHR refused {doing} ({reply.status}). {_said(reply)}".strip()
    return kind(message, status=reply.status, next_step=next_step, retry_after=wait)


def read_failed(incoming: Incoming, doing: str) -> EhrError:
    """The same for a file; of what it says instead a little is read."""
    said = b""
    for piece in incoming.pieces:
        said += piece
        if len(said) > 256_000:
            break
    return failure(Reply(incoming.status, incoming.headers, said), doing)


def retry_after(reply: Reply) -> int | None:
    """Seconds to wait by ``Retry-After``: a number, or a date counted from the reply's own ``Date``."""
    value = reply.headers.get("Retry-After", "").strip()
    if value.isascii() and value.isdigit():
        return min(int(value[:9]), 86_400)
    try:
        seconds = (parsedate_to_datetime(value) - parsedate_to_datetime(reply.headers["Date"])).total_seconds()
    except (ValueError, TypeError, KeyError):
        return None
    return min(max(0, round(seconds)), 86_400)


def _said(reply: Reply) -> str:
    try:
        return sentence(reply.json())
    except NotJson:  # Epic answers 403 with nothing, a gateway with HTML: the status says enough
        return ""
