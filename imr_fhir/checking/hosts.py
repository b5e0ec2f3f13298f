"""Which hosts a firewall must let through, and from where."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Literal

from imr_fhir.ehr.address import origin
from imr_fhir.ehr.discovery import SmartConfiguration
from imr_fhir.errors import RefusedUrl

Caller = Literal["app", "browser", "EHR"]


@dataclass(frozen=True, slots=True)
class Host:
    """``host``: an origin; of the app itself, which nobody here knows, how its settings name it."""

    caller: Caller
    host: str
    why: str


_ENDPOINTS: tuple[tuple[str, Caller, str], ...] = (
    ("fhir_base", "app", "FHIR"),
    ("token_endpoint", "app", "tokens"),
    ("jwks_uri", "app", "keys of id_tokens"),
    ("revocation_endpoint", "app", "log-out"),
    ("authorization_endpoint", "browser", "log-in"),
)


def hosts(config: SmartConfiguration) -> tuple[Host, ...]:
    """From the app's server, from users' browsers, and from the EHR."""
    called = sorted(_called(config), key=lambda host: (host.caller, host.host))
    grouped = [
        Host(caller, host, ", ".join(each.why for each in some))
        for (caller, host), some in groupby(called, key=lambda host: (host.caller, host.host))
    ]
    own = [
        Host("browser", "<public_url>", "the app"),
        Host("EHR", "<public_url>/.well-known/jwks.json", "the app's key"),
    ]
    return (*grouped, *(own if config.token_endpoint else ()))


def elsewhere(config: SmartConfiguration) -> tuple[str, ...]:
    """Origins other than that of the FHIR base that the app calls, or sends a browser to."""
    base = origin(config.fhir_base)
    return tuple(dict.fromkeys(each.host for each in _called(config) if each.host != base))


def _called(config: SmartConfiguration) -> Iterator[Host]:
    for name, caller, why in _ENDPOINTS:
        if address := getattr(config, name):
            try:
                yield Host(caller, origin(address), why)
            except RefusedUrl:
                continue  # told as a finding: it is not an address that the app would call
