"""Which request of which flow goes wrong, as data."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from tests.faults import flows
from tests.faults.answers import FAULTS, LATE, Answer, for_another_patient
from tests.faults.flows import Flow

_NOT_AGAIN = {LATE: "it is never sent a second time"}
_READ = {"reset when it is done": "nothing is done by reading"} | _NOT_AGAIN
_NOBODY_S = {"another patient's": "it is about no patient"}


@dataclass(frozen=True)
class Place:
    """``path``: a regular expression of the whole path. ``without``: faults that can't be, and why.

    ``lost``: the reply to the write before it was lost, so that the EHR is asked what it has.
    """

    flow: Flow
    request: str
    method: str
    path: str
    without: Mapping[str, str]
    instead: Mapping[str, Answer]
    lost: bool = False

    @property
    def name(self) -> str:
        return f"{self.flow.name}: {self.request}"

    def hits(self, method: str, path: str) -> bool:
        return method == self.method and bool(re.fullmatch(self.path, path))

    def faults(self) -> dict[str, Answer]:
        return {name: self.instead.get(name, answer) for name, answer in FAULTS.items() if name not in self.without}


def _read(flow: Flow, request: str, path: str, *, nobody: bool = False, lost: bool = False) -> Place:
    return Place(flow, request, "GET", path, _READ | (_NOBODY_S if nobody else {}), {}, lost)


def _write(flow: Flow, request: str, path: str, method: str = "POST", *, nobody: bool = False) -> Place:
    without = ({} if flow.files else _NOT_AGAIN) | (_NOBODY_S if nobody else {})
    return Place(flow, request, method, path, without, {})


_ID = r"[^/]+"
_TRANSACTION = "/fhir/?"

PLACES = (
    _read(flows.OPEN, "SMART configuration", "/fhir/.well-known/smart-configuration", nobody=True),
    _write(flows.OPEN, "token", "/oauth2/token", nobody=True),
    _read(flows.OPEN, "JWKS", "/oauth2/jwks", nobody=True),
    _read(flows.OPEN, "metadata", "/fhir/metadata", nobody=True),
    _read(flows.OPEN, "search of Questionnaire", "/fhir/Questionnaire", nobody=True),
    _read(flows.OPEN, "Patient", f"/fhir/Patient/{_ID}"),
    _read(flows.PANEL, "Patient", f"/fhir/Patient/{_ID}"),
    _read(flows.PANEL, "search of QuestionnaireResponse", "/fhir/QuestionnaireResponse"),
    _read(flows.PANEL, "search of Observation", "/fhir/Observation"),
    _read(flows.PANEL, "search of Goal", "/fhir/Goal"),
    _read(flows.PANEL, "search of EpisodeOfCare", "/fhir/EpisodeOfCare"),
    _write(flows.TELL, "create of AuditEvent", "/fhir/AuditEvent", nobody=True),
    _write(flows.RATE, "transaction", _TRANSACTION),
    _read(flows.RATE, "read-back of QuestionnaireResponse", f"/fhir/QuestionnaireResponse/{_ID}"),
    _read(flows.RATE, "read-back of Observation", f"/fhir/Observation/{_ID}"),
    _read(flows.RATE, "read-back of Provenance", f"/fhir/Provenance/{_ID}", nobody=True),
    _read(flows.RATE, "look back for QuestionnaireResponse", "/fhir/QuestionnaireResponse", lost=True),
    _read(flows.RATE, "look back for Observation", "/fhir/Observation", lost=True),
    _read(flows.RATE, "look back for Provenance", "/fhir/Provenance", nobody=True, lost=True),
    _write(flows.RATE_APART, "create of QuestionnaireResponse", "/fhir/QuestionnaireResponse"),
    _write(flows.RATE_APART, "create of Observation", "/fhir/Observation"),
    _write(flows.RATE_APART, "create of Provenance", "/fhir/Provenance", nobody=True),
    _read(flows.CORRECT, "QuestionnaireResponse", f"/fhir/QuestionnaireResponse/{_ID}"),
    _read(flows.CORRECT, "search of its score", "/fhir/Observation"),
    _write(flows.CORRECT, "transaction", _TRANSACTION),
    _write(flows.CORRECT_APART, "update of QuestionnaireResponse", f"/fhir/QuestionnaireResponse/{_ID}", "PUT"),
    _write(flows.CORRECT_APART, "update of Observation", f"/fhir/Observation/{_ID}", "PUT"),
    _write(flows.GOAL, "transaction", _TRANSACTION),
    _write(flows.GOAL_APART, "create of Goal", "/fhir/Goal"),
    _write(flows.GOAL_APART, "create of Observation", "/fhir/Observation"),
    _read(flows.REVIEW, "search of Goal", "/fhir/Goal"),
    _write(flows.REVIEW, "transaction", _TRANSACTION),
    _write(flows.REVIEW_APART, "update of Goal", f"/fhir/Goal/{_ID}", "PUT"),
    _write(flows.HAND_OVER, "transaction", _TRANSACTION),
    Place(flows.REFRESH, "refresh", "POST", "/oauth2/token", _NOT_AGAIN, {"another patient's": for_another_patient}),
    _write(flows.LOG_OUT, "revoke", "/oauth2/revoke", nobody=True),
)
