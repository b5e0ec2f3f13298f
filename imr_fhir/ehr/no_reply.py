"""Where no whole reply came: what went wrong, and whether something was sent, which filing needs to know."""

import socket
import ssl
from collections.abc import Iterator

from urllib3.exceptions import DecodeError, IncompleteRead

from imr_fhir.ehr import address
from imr_fhir.errors import LostReply, NotConnected, NotTrusted

# What went wrong, by the most telling error in the chain that urllib3 and requests wrap around it.
_REASONS: tuple[tuple[type[BaseException], str], ...] = (
    (ssl.SSLError, "TLS failed"),
    (TimeoutError, "time ran out"),
    (socket.gaierror, "no such name"),
    (ConnectionRefusedError, "it refused the connection"),
    (ConnectionResetError, "it closed the connection"),
    (IncompleteRead, "it stopped in the middle"),
    (DecodeError, "its compression is broken"),
)

# OpenSSL's X509_V_ERR_CERT_NOT_YET_VALID, _CERT_HAS_EXPIRED, _HOSTNAME_MISMATCH, _IP_ADDRESS_MISMATCH.
_DATES = "Tell the EHR's administrator to renew it, unless the clock of this machine is wrong."
_NAME = "Use a name that stands in it, or tell the EHR's administrator."
_WHATEVER_AUTHORITY = {9: _DATES, 10: _DATES, 62: _NAME, 64: _NAME}


def no_reply(url: str, error: Exception, *, sent: bool) -> NotConnected | LostReply:
    """The error for ``error``, with which a request to ``url`` ended; ``sent``: something of it may have arrived."""
    origin = address.parse(url).origin
    chain = list(_chain(error))
    why = next((said for kind, said in _REASONS if any(isinstance(link, kind) for link in chain)), "no HTTP reply")
    if sent:
        next_step = "Look at what the EHR has before anything is sent again."
        return LostReply(f"{origin} gave no whole reply: {why}.", next_step=next_step)
    if bad := next((link for link in chain if isinstance(link, ssl.SSLCertVerificationError)), None):
        message = f"{origin} has no certificate that we trust: {bad.verify_message.rstrip('.')}."
        if bad.verify_code in _WHATEVER_AUTHORITY:
            return NotConnected(message, next_step=f"Nothing was sent. {_WHATEVER_AUTHORITY[bad.verify_code]}")
        next_step = "Nothing was sent. The hospital's own certificate authority can be set for the site."
        return NotTrusted(message, next_step=next_step)
    return NotConnected(f"No connection to {origin}: {why}.", next_step="Nothing was sent. Try again in a minute.")


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
