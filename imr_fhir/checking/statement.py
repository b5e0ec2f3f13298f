"""What the server says of itself: FHIR's release, formats, and what it advertises."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from imr_fhir.checking.finding import Finding, verdict
from imr_fhir.ehr.capability import interactions, resources_of, rest_of, search_parameters
from imr_fhir.ehr.client import FhirClient
from imr_fhir.ehr.outcome import plain
from imr_fhir.errors import BadReply, Invalid, NotFound

_JSON = frozenset({"json", "application/json", "application/fhir+json"})


@dataclass(frozen=True, slots=True)
class Statement:
    """A CapabilityStatement, and what it leaves unsaid as None."""

    raw: Mapping[str, Any]

    @property
    def software(self) -> str:
        said = [_part(self.raw, "software", "name"), _part(self.raw, "software", "version")]
        return plain(" ".join(filter(None, said)) or _part(self.raw, "implementation", "description"), 80)

    @property
    def release(self) -> str:
        return plain(str(self.raw.get("fhirVersion", "")), 20)

    @property
    def transactions(self) -> bool:
        return "transaction" in interactions(rest_of(self.raw))

    def offers(self, resource_type: str, interaction: str) -> bool | None:
        there = resources_of(self.raw)
        return interaction in interactions(there.get(resource_type, {})) if there else None

    def says(self, resource_type: str, element: str) -> Any:
        """An element of ``rest.resource``, such as ``updateCreate``."""
        return resources_of(self.raw).get(resource_type, {}).get(element)

    def searches_by(self, resource_type: str, names: tuple[str, ...]) -> bool | None:
        """By all of these parameters; None where it lists none at all."""
        part = resources_of(self.raw).get(resource_type)
        if part is None or "search-type" not in interactions(part):
            return False if resources_of(self.raw) else None
        known = search_parameters(part) | search_parameters(rest_of(self.raw))
        return {name.partition(":")[0] for name in names} <= known if known else None


def read_statement(client: FhirClient) -> Statement:
    """Raises EhrError: of a server that is none of FHIR, or of another release, with what to do about it."""
    try:
        found = Statement(client.capabilities())
    except (BadReply, NotFound, Invalid) as error:
        raise BadReply(
            f"{client.base}/metadata gave no CapabilityStatement, so this is no FHIR server's address. {error.message}",
            next_step="Give the FHIR base: the address to which /metadata is added, without a page of it.",
        ) from error
    if not found.release.startswith("4.0"):
        raise BadReply(
            f"{client.base} speaks FHIR {found.release or 'of a release that it does not tell'}; "
            "the app and its artefacts are R4 (4.0.1).",
            next_step="Ask the EHR's administrator for the R4 address; many servers have one for each release.",
        )
    return found


def findings(statement: Statement) -> Iterator[Finding]:
    yield Finding("server", "FHIR R4", "yes", f"fhirVersion {statement.release}")
    formats = [str(each) for each in statement.raw.get("format") or () if isinstance(each, str)]
    json = [plain(each, 40) for each in formats if each.partition(";")[0].strip() in _JSON]
    evidence = f"format {', '.join(json) or 'does not name it' if formats else 'is not told'}; it answered in JSON"
    yield Finding("server", "JSON", verdict(advertised=bool(json) if formats else None, works=True), evidence)


def _part(raw: Mapping[str, Any], element: str, name: str) -> str:
    part = raw.get(element)
    value = part.get(name) if isinstance(part, Mapping) else None
    return value if isinstance(value, str) else ""
