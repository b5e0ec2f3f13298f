"""One rater's answers at one time: what a QuestionnaireResponse of the IMR Scales says."""

from dataclasses import dataclass
from datetime import datetime

from imr_fhir.scale import ITEM_COUNT, Rater, Ratings
from imr_fhir.scoring import Score, score


@dataclass(frozen=True)
class Response:
    rater: Rater
    status: str  # completed | stopped | amended | entered-in-error | in-progress
    ratings: Ratings
    comment: str  # "" where there is none
    identifier: str  # "urn:uuid:...", or "" where the EHR kept none
    id: str  # the server's, "" while new
    version_id: str
    patient: str  # id of the Patient
    source: str  # reference of who answered
    author: str  # reference of who recorded
    encounter: str  # reference, or ""
    measured: datetime  # first completed or stopped, with offset: the measurement's time, which no correction moves
    authored: datetime  # last written, with offset
    language: str  # shown while answering: "en" | "nb"
    questionnaire: str  # "url|version"

    @property
    def complete(self) -> bool:
        """All 15 answered, and handed in as such."""
        return self.status in ("completed", "amended") and len(self.ratings) == ITEM_COUNT

    @property
    def score(self) -> Score:
        return score(self.ratings)

    @property
    def key(self) -> str:
        """What stays the same through corrections: the identifier, or the server's id where it kept none."""
        return self.identifier or self.id
