"""The next step of an error as whoever typed the command can take it: the library's are for a user of the app."""

from imr_fhir.errors import AuthorizationError, Forbidden, ImrError, NotTrusted, Unauthorized

_LOG_IN = "Log in in a way that the server takes: --token-file, --user or --client-id (see --help)."
_RIGHT = "This log-in lacks the scope or the right to: let the EHR's administrator give it, or use another."
_SCOPE = "Give --scope with the scopes that this client is registered with."
_AUTHORITY = "Nothing was sent. Where the hospital has an authority of its own, give its certificate with --ca FILE."


def next_step(error: ImrError) -> str:
    if isinstance(error, Unauthorized):
        return _LOG_IN
    if isinstance(error, Forbidden) and error.status == 403:
        return _RIGHT
    if isinstance(error, AuthorizationError) and error.error == "invalid_scope":
        return _SCOPE
    if isinstance(error, NotTrusted):
        return _AUTHORITY
    return error.next_step


def sentences(error: ImrError) -> str:
    return f"{error.message} {next_step(error)}".strip()
