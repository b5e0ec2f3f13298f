"""What the app can't do without, and what is missing where it has to do without the rest: by its own tables."""

from imr_fhir.ehr.ladder import LADDERS
from imr_fhir.ehr.lookup import SELDOM_SHOWN
from imr_fhir.ehr.scopes import NEEDED

# The patient, and where answers, scores and goals are kept best.
_ALWAYS = frozenset({"Patient"} | {ladder[0].creates for ladder in LADDERS.values()} - SELDOM_SHOWN)


def needed(resource_type: str) -> bool:
    return resource_type in _ALWAYS


def without(resource_type: str) -> str:
    """A sentence; "" for a type of which nothing is asked."""
    need = next((need for need in NEEDED if need.resource == resource_type), None)
    return f"Without it: {need.without}." if need else ""
