"""How hospitals' EHRs differ in what they take and how they answer: a table, each row an EHR that the hospital can be.

``HospitalConfig(ehr="epic")`` chooses; ``admission`` holds every FHIR request and reply to it, ``capability`` tells of
it. The hospital's own systems (``Hospital.interactions()``, ``Hospital.access_token()`` without a user, the packaged
records) are held to nothing: so a record is filled that the EHR would not let an application fill.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal
from urllib.parse import urlsplit

from .faults import cut
from .indexing import values
from .outcome import FhirError
from .scopes import LEVELS, grantable

Rule = Callable[[Mapping[str, Any]], bool]

ALL = "*"
# The code system of a hospital's flowsheet rows at Epic; the hospital's own number stands before "7.2.707679".
FLOWSHEET = "urn:oid:1.2.840.114350.1.13.861.1.7.2.707679"


@dataclass(frozen=True)
class Takes:
    """A write that is taken where ``rule`` holds; ``what`` says so to who sent another. ``levels``: of scopes.
    ``first_content``: of a document's attachments the first is kept, and no word is said of the others."""

    what: str = ""
    rule: Rule | None = None
    levels: frozenset[str] = frozenset(LEVELS)
    first_content: bool = False


@dataclass(frozen=True)
class Refusal:
    """How an operation that is not there is answered: with an OperationOutcome, or ``silent``, without a body."""

    status: int
    code: str = "not-supported"
    silent: bool = False

    def error(self, text: str) -> FhirError:
        return FhirError(self.status, self.code, text, silent=self.silent)


@dataclass(frozen=True, kw_only=True)
class Ehr:
    """``creates``, ``updates``: resource type (or ``*``) -> what is taken. ``claims``: types whose create the
    CapabilityStatement names although it is refused. ``reads``: types that are there at all.

    ``conditional``: If-None-Exist and conditional updates; where not, the header is ignored, not refused. ``versions``:
    ETag, ``meta.versionId``, histories; where not, If-Match is ignored. ``client_ids``: an update may make what is not
    there. ``headers``: wanted on each call. ``unsearchable``: search parameters (type, name) that are not there.
    ``scopes``: all that are granted, where not each is. ``wildcards``: those for all types are taken; else a request
    with one is refused. ``jwks_url``: a confidential client's keys are fetched, a key set that was handed in is not
    taken. ``key_ids``: id_tokens say with which of its keys they are signed; where not, there is one. ``binaries``:
    what a document holds is shown as a Binary of its own, which its attachment names "relative" or "absolute"; "" where
    it stands in it.
    """

    creates: Mapping[str, Takes] = field(default_factory=lambda: {ALL: Takes()})
    updates: Mapping[str, Takes] = field(default_factory=lambda: {ALL: Takes()})
    claims: frozenset[str] = frozenset()
    reads: frozenset[str] = frozenset({ALL})
    bundles: frozenset[str] = frozenset({"transaction", "batch"})
    conditional: bool = True
    versions: bool = True
    client_ids: bool = True
    relative_location: bool = False
    refusal: Refusal = Refusal(405)
    headers: Mapping[str, str] = field(default_factory=dict)
    unsearchable: frozenset[tuple[str, str]] = frozenset()
    scopes: tuple[str, ...] = ()
    jwks_url: bool = False
    key_ids: bool = True
    wildcards: bool = True
    binaries: Literal["", "relative", "absolute"] = ""

    def granted(self, scopes: list[str]) -> list[str]:
        return grantable(self.scopes, cut(scopes)) if self.scopes else scopes

    def takes(self, operation: str, resource_type: str) -> Takes | None:
        """``operation``: create or update."""
        table = self.creates if operation == "create" else self.updates
        return table.get(resource_type, table.get(ALL))

    def reads_type(self, resource_type: str) -> bool:
        return bool({resource_type, ALL} & self.reads)


def _category(*codes: str) -> Rule:
    return lambda resource: bool(set(codes) & set(values(resource, ["category", "coding", "code"])))


def _vital_sign_or_row(resource: Mapping[str, Any]) -> bool:
    row = FLOWSHEET in values(resource, ["code", "coding", "system"]) and not {"component", "hasMember"} & set(resource)
    return row or _category("vital-signs")(resource)


def _assigned(resource: Mapping[str, Any]) -> bool:
    """One that the EHR gave the patient is named by where it stands there, never by a canonical URL of others."""
    return urlsplit(str(resource.get("questionnaire", ""))).path.startswith("/fhir/Questionnaire/")


def _document(*types: str, encounter: bool = False) -> Rule:
    def taken(resource: Mapping[str, Any]) -> bool:
        first = next(values(resource, ["content", "attachment", "contentType"]), "")
        visits = list(values(resource, ["context", "encounter", "reference"]))
        return str(first).partition(";")[0].strip() in types and bool(visits or not encounter)

    return taken


GENERIC = Ehr()
_ONE_BY_ONE = Ehr(creates={}, updates={}, bundles=frozenset(), conditional=False, client_ids=False)

EHRS: Mapping[str, Ehr] = {
    "generic": GENERIC,  # HAPI, Medplum, Aidbox, Google
    "azure": replace(GENERIC, unsearchable=frozenset({("QuestionnaireResponse", "questionnaire")})),
    "epic": replace(
        _ONE_BY_ONE,
        creates={
            "QuestionnaireResponse": Takes("a Questionnaire that was assigned here", _assigned),
            "Observation": Takes("a vital sign, or one value of a flowsheet row", _vital_sign_or_row),
            "DocumentReference": Takes(
                "text/plain, with context.encounter", _document("text/plain", encounter=True), first_content=True
            ),
        },
        # Its CapabilityStatement lists what Epic has, not what a hospital enabled for one application.
        claims=frozenset({"Goal"}),
        versions=False,
        relative_location=True,
        refusal=Refusal(403, silent=True),
        jwks_url=True,
        binaries="relative",
    ),
    "oracle-health": replace(
        _ONE_BY_ONE,
        creates={
            "Observation": Takes("a vital sign or a laboratory result", _category("vital-signs", "laboratory")),
            "DocumentReference": Takes(
                "application/pdf, text/plain, text/html or application/xml",
                _document("application/pdf", "text/plain", "text/html", "application/xml"),
            ),
            "Provenance": Takes(),
        },
        updates={
            "QuestionnaireResponse": Takes(
                "social history", lambda resource: "social-history" in str(resource.get("questionnaire", ""))
            ),
        },
        refusal=Refusal(422),
        binaries="absolute",
    ),
    "meditech": replace(
        _ONE_BY_ONE,
        creates={"QuestionnaireResponse": Takes()},
        updates={"QuestionnaireResponse": Takes()},
    ),
    "openemr": replace(
        _ONE_BY_ONE,
        creates={
            "QuestionnaireResponse": Takes(levels=frozenset({"user", "system"})),
            "Goal": Takes(levels=frozenset({"system"})),  # its administrators' only: no user here is one
        },
        reads=frozenset(
            {"Patient", "Practitioner", "PractitionerRole", "Organization", "Encounter", "Observation", "Goal"}
            | {"Questionnaire", "QuestionnaireResponse", "DocumentReference", "Binary", "Provenance"}
        ),
        versions=False,
        key_ids=False,
        wildcards=False,  # its issue 7775
    ),
    "dips": replace(
        _ONE_BY_ONE,
        refusal=Refusal(403, "forbidden"),
        headers={"Ocp-Apim-Subscription-Key": "sandbox-subscription"},
        scopes=("openid", "fhirUser", "launch", "online_access", "offline_access", "patient/*.read"),
    ),
    "observation-only": Ehr(
        creates={"Observation": Takes()},
        updates={"Observation": Takes()},
        reads=frozenset({"Patient", "Practitioner", "Organization", "Encounter", "Observation"}),
        bundles=frozenset({"transaction"}),
        client_ids=False,
        refusal=Refusal(404),  # R4: a type that a server does not have
    ),
}
