"""The table of this EHR for the app's settings file, ready to be pasted; what only the hospital knows is marked."""

import json
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from imr_fhir.checking.hosts import elsewhere
from imr_fhir.checking.smart import offered_scopes
from imr_fhir.ehr.address import parse
from imr_fhir.ehr.discovery import SmartConfiguration
from imr_fhir.ehr.ladder import TYPES, RungName
from imr_fhir.ehr.scopes import NEEDED, Need, granted, to_ask
from imr_fhir.score_shape import Shape


@dataclass(frozen=True, slots=True)
class Known:
    """What was found out. ``refused``, ``open``: rungs that were tried. ``headers``: names of those that were sent on
    each call. ``observations``: the EHR says that it takes some."""

    config: SmartConfiguration
    refused: Collection[RungName] = ()
    open: Collection[RungName] = ()
    shape: Shape = "components"
    headers: Collection[str] = ()
    ca: str = ""
    profiles: bool = False
    observations: bool = True


def site_table(known: Known) -> str:
    """TOML. Its strings are JSON's, which TOML reads too."""
    return "\n".join((f"[sites.{site_name(known.config.fhir_base)}]", *_lines(known))) + "\n"


def site_name(base: str) -> str:
    """A name that can stand in the callback's address: of the host's first label that is a name."""
    labels = [re.sub(r"[^a-z0-9-]", "", label) for label in parse(base).host.split(".")]
    return next((label[:31] for label in labels if re.match(r"[a-z]", label) and label not in _NO_NAMES), "hospital")


def scopes_to_ask(config: SmartConfiguration) -> tuple[str, ...]:
    """What the app asks for by itself; where the server lists less, what it lists of that."""
    asked = to_ask(config.capabilities)
    offered = offered_scopes(config)
    if not offered or all(granted(offered, need.resource, letter) for need in NEEDED for letter in need.operations):
        return asked
    general = tuple(scope for scope in asked if "/" not in scope or scope.startswith("launch"))
    found = (_narrowest(offered, need, letter) for need in NEEDED for letter in need.operations)
    return (*general, *dict.fromkeys(filter(None, found)))


def _narrowest(offered: Collection[str], need: Need, letter: str) -> str:
    """The scope that gives this right and least else, as OpenEMR lists them for each kind of record; "" for none."""
    giving = [scope for scope in offered if granted([scope], need.resource, letter)]
    return min(giving, key=lambda scope: (not scope.startswith(f"{need.level}/"), "/*." in scope), default="")


def _lines(known: Known) -> Iterator[str]:
    config = known.config
    yield f"organization = {_toml('the hospital, as patients know it')}"
    yield f"phone = {_toml('the number for somebody who needs help now')}"
    yield f"iss = {_toml(config.fhir_base)}"
    yield f"client_id = {_toml('as the EHR registered the app')}"
    yield from _authentication(config)
    asked = scopes_to_ask(config)
    if asked != to_ask(config.capabilities):
        yield f"scopes = {_toml(' '.join(asked))}"
    if other := elsewhere(config):
        yield f"allowed_hosts = {_toml(list(other))}"
    if known.headers:
        pairs = ", ".join(f"{_toml(name)} = {_toml('its value')}" for name in known.headers)
        yield f"extra_headers = {{ {pairs} }}"
    if known.ca:
        yield f"ca_file = {_toml(known.ca)}"
    yield '# frame_ancestors = ["https://…"]  # the origin of the chart, where it shows the app in a frame'
    if known.profiles:
        yield "profiles_loaded = true"
    yield from _writing(known)


def _authentication(config: SmartConfiguration) -> Iterator[str]:
    methods, able = config.token_endpoint_auth_methods, config.capabilities
    if "private_key_jwt" in methods or "client-confidential-asymmetric" in able:
        yield 'authentication = "private_key_jwt"'
        yield 'key_file = "imr.pem"  # 0600; the EHR fetches its public half from <public_url>/.well-known/jwks.json'
    elif "none" not in methods and ("client_secret_basic" in methods or "client-confidential-symmetric" in able):
        yield 'authentication = "client_secret_basic"'
        yield 'client_secret_file = "imr.secret"  # 0600'


def _writing(known: Known) -> Iterator[str]:
    open_types = {TYPES[rung] for rung in known.open}
    never = sorted({TYPES[rung] for rung in known.refused} - open_types)
    if never:
        yield f"never_write = {_toml(never)}  # tried and refused"
    if known.shape == "members":
        yield 'observation_shape = "members"'
    elif known.shape == "flat" and known.observations:
        yield "# Where the EHR has codes of its own for figures (Epic's flowsheet rows), take Observation out of"
        yield '# never_write and give them: observation_shape = "flat" and flat_codes'
    if "pdf" in known.open and "text" in known.refused:
        yield 'document_format = "pdf"'


def _toml(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


_NO_NAMES = frozenset({"www", "api", "fhir", "localhost"})
