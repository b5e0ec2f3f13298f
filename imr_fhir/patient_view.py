"""What the patient may see, and when."""

from collections.abc import Mapping
from typing import Literal

Thing = Literal[
    "own-answers",
    "own-corrections",  # with their reasons
    "clinician-rating",
    "score",
    "change",
    "gaps",
    "who-opened",
    "what-was-filed",
    "use-in-reports",
    "other-patients",
    "norms",
    "ranks",
    "labels",
]
Moment = Literal[
    "answering",
    "handed-in",  # right after answering, alone
    "shared-page",  # both look at both sets of answers
    "own-record",  # the patient opens the record
]

# pasient- og brukerrettighetsloven § 5-1: nothing of a patient's own record is hidden from the patient.
_OWN_RECORD: frozenset[Thing] = frozenset(
    {
        "own-answers",
        "own-corrections",
        "clinician-rating",
        "score",
        "change",
        "gaps",
        "who-opened",
        "what-was-filed",
        "use-in-reports",
    }
)

# Figures come on the shared page, where there is somebody to talk to; the clinician's rating never comes first.
# Other patients, norms, ranks and labels are in no row.
PATIENT_SEES: Mapping[Moment, frozenset[Thing]] = {
    "answering": frozenset({"own-answers"}),
    "handed-in": frozenset({"own-answers"}),
    "shared-page": _OWN_RECORD,
    "own-record": _OWN_RECORD,
}

# Medication, alcohol, drugs: can be folded on the shared page when a relative is in the room.
FOLDABLE_ITEMS = (13, 14, 15)
