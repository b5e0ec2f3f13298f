"""SMART App Launch at this server: what its configuration says that the app needs, and the hosts it names."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from imr_fhir.checking.failed import failed
from imr_fhir.checking.finding import Finding, verdict
from imr_fhir.checking.needs import needed, without
from imr_fhir.ehr.discovery import SmartConfiguration, discover
from imr_fhir.ehr.identity import JwksCache
from imr_fhir.ehr.outcome import plain
from imr_fhir.ehr.scopes import NEEDED, granted
from imr_fhir.ehr.transport import Transport
from imr_fhir.errors import EhrError, IdentityError, NotFound, RefusedUrl


@dataclass(frozen=True, slots=True)
class _Row:
    """A capability of SMART App Launch 2.2, or one of several that do; ``without``: what is missing then."""

    names: tuple[str, ...]
    what: str
    without: str
    needed: bool = True


_ROWS = (
    _Row(("launch-ehr",), "launch from the patient's chart", "the app opens from outside the EHR at best"),
    _Row(("context-ehr-patient",), "the chart's patient is told at launch", "the app does not open"),
    _Row(("sso-openid-connect",), "who logs in is known", "the app reads and prints only"),
    _Row(
        ("client-public", "client-confidential-asymmetric", "client-confidential-symmetric"),
        "a way for the app to prove who it is", "the app can't be registered",
    ),
    _Row(("permission-patient", "permission-user"), "scopes for one patient or user", "nothing is granted"),
    _Row(("permission-v2",), "scopes of SMART 2", "the wider ones of SMART 1 are asked for", needed=False),
    _Row(
        ("permission-online", "permission-offline"), "the log-in outlives its first token",
        "it ends with its first token, in the middle of a form perhaps; what was typed is kept", needed=False,
    ),
    _Row(("launch-standalone",), "launch from outside the chart", "the app opens from the chart alone", needed=False),
    _Row(("context-ehr-encounter",), "the visit is told at launch", "notes are filed without a visit", needed=False),
)  # fmt: skip


def configuration(transport: Transport, base: str) -> SmartConfiguration | Finding:
    """What the server says; else why it can't be had."""
    try:
        return discover(transport, base, called=())
    except NotFound:
        what = "this FHIR server has none: imr-fhir works with it, the app can't be launched from it"
        return Finding("smart", "SMART configuration", "no", what, "Give the base that the EHR sends as iss at launch.")
    except EhrError as error:
        return failed("smart", "SMART configuration", error, advertised=None)


def findings(transport: Transport, config: SmartConfiguration, now: datetime) -> Iterator[Finding]:
    where = "200 from .well-known/smart-configuration" if config.capabilities else "SMART 1.0, without capabilities"
    yield Finding("smart", "SMART configuration", "yes", where)
    ends = {"authorization_endpoint": config.authorization_endpoint, "token_endpoint": config.token_endpoint}
    for name, address in ends.items():
        yield Finding("smart", name, "yes" if address else "no", plain(address, 120) or "not told")
    pkce = "S256" in config.code_challenge_methods or None
    said = plain(", ".join(config.code_challenge_methods), 60) or "not told; the app sends it always"
    yield Finding("smart", "PKCE with S256", verdict(advertised=pkce, works=pkce), said)
    yield _keys(transport, config, now)
    yield from (_capability(row, config) for row in _ROWS)
    yield from _scopes(config)


def _capability(row: _Row, config: SmartConfiguration) -> Finding:
    if not config.capabilities:
        return Finding("smart", row.what, "unknown", "the server lists no capabilities", needed=row.needed)
    offered = [name for name in row.names if name in config.capabilities]
    if offered:
        return Finding("smart", row.what, "yes", f"it says {' '.join(offered)}", needed=row.needed)
    step = f"Without it: {row.without}."
    return Finding("smart", row.what, "no", f"it does not say {' or '.join(row.names)}", step, row.needed)


def _keys(transport: Transport, config: SmartConfiguration, now: datetime) -> Finding:
    """A key that nobody has is asked for: who gets as far as "not published" has read all of them."""
    what = "keys and issuer of id_tokens"
    if not (config.jwks_uri and config.issuer):
        return Finding(
            "smart", what, "no", "jwks_uri or issuer is not told", "Without it: the app reads and prints only."
        )
    try:
        JwksCache(transport, config.jwks_uri).key("a name of no key", now)
    except IdentityError:
        pass
    except RefusedUrl as error:
        return Finding("smart", what, "unknown", f"{error.message} {error.next_step}")
    except EhrError as error:
        return failed("smart", what, error, advertised=True)
    return Finding("smart", what, "yes", f"200 from {plain(config.jwks_uri, 100)}")


def offered_scopes(config: SmartConfiguration) -> tuple[str, ...]:
    """Those of a user or a patient that the server lists; a server may grant others too (SMART 2.2, Conformance)."""
    return tuple(scope for scope in config.scopes_supported if scope.startswith(("patient/", "user/")))


def _scopes(config: SmartConfiguration) -> Iterator[Finding]:
    offered = offered_scopes(config)
    if not offered:
        yield Finding("smart", "scopes that the app asks for", "unknown", "the server lists none of a patient or user")
        return
    lacking = {
        need: [letter for letter in need.operations if not granted(offered, need.resource, letter)] for need in NEEDED
    }
    if not any(lacking.values()):
        yield Finding("smart", "scopes that the app asks for", "yes", "scopes_supported covers all of them")
    for need, letters in lacking.items():
        if letters:
            evidence = f"scopes_supported has nothing for {need.level}/{need.resource}.{''.join(letters)}"
            step = without(need.resource)
            yield Finding("smart", f"scope for {need.resource}", "no", evidence, step, needed(need.resource))
