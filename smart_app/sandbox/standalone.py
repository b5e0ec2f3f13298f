"""SMART's standalone launch: the application names no launch, so the hospital asks who it is and which patient."""

from collections.abc import Mapping
from urllib.parse import urlencode

from .hospital import Hospital
from .launches import Launch
from .records import Person, people, user_reference

SCOPE = "launch/patient"
_OF_THE_PAGE = ("user", "patient", "lang")


def asks_for_patient(asked: Mapping[str, str]) -> bool:
    """Whether an authorization request has to be completed by a person."""
    return SCOPE in asked.get("scope", "").split() and not asked.get("launch")


def candidates(hospital: Hospital) -> list[Person]:
    return people(hospital, "Patient")


def completed(hospital: Hospital, asked: Mapping[str, str]) -> str:
    """The query of the same request with a launch token for whom and for which patient was chosen."""
    told = Launch(user=user_reference(asked["user"], asked["patient"]), patient=asked["patient"])
    kept = {name: value for name, value in asked.items() if name not in _OF_THE_PAGE}
    return urlencode({**kept, "launch": hospital.launch(told)})
