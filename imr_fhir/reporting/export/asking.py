"""What is asked of the server: types, and searches that leave out what is no IMR, where it takes them."""

from collections.abc import Iterable, Mapping, Sequence

from imr_fhir import artefacts
from imr_fhir.scale import RATERS, scale

Params = Sequence[tuple[str, str]]

# By patient or not, all but the first of what a report is made of; Questionnaires are of no patient.
TYPES = (
    "Patient",
    "EpisodeOfCare",
    "Encounter",
    "QuestionnaireResponse",
    "Observation",
    "Goal",
    "Provenance",
    "AuditEvent",
)
QUESTIONNAIRES: Params = (
    ("url", ",".join(scale(rater).canonical.partition("|")[0] for rater in RATERS)),
)  # fmt: skip


def narrow(systems: Iterable[str]) -> Mapping[str, Params]:
    """A search a type that finds all of ours. Responses have none, since canonicals are searched for in many ways, nor
    what has our tag, since a tag's system alone is no search to HAPI."""
    codes = (artefacts.CODES, *(scale(rater).system for rater in RATERS), *systems)
    return {
        "Observation": (("code", ",".join(f"{system}|" for system in codes)),),
        "Goal": (("category", f"{artefacts.CODES}|"),),
    }


def type_filters(types: Iterable[str], systems: Iterable[str]) -> tuple[str, ...]:
    """The same for ``_typeFilter``; one a value, since servers part them at commas."""
    searches = narrow(systems)
    return tuple(
        f"{name}?{key}={value}"
        for name in types
        for key, values in searches.get(name, ())
        for value in values.split(",")
    )
