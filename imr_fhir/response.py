"""One rater's answers at one time: what a QuestionnaireResponse of the IMR Scales says."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, tzinfo
from functools import cached_property
from typing import Any, Literal

from imr_fhir import artefacts
from imr_fhir.answers import items, read_items
from imr_fhir.element import (
    Element,
    local_type_and_id,
    require_patient,
    resource,
    server_id,
    shown,
    type_and_id,
    uuid_identifier,
    version_id,
)
from imr_fhir.errors import ResponseError
from imr_fhir.fhir_time import format_date_time, format_instant, in_zone
from imr_fhir.resource import Coding, checked, identifier, meta, patient_reference
from imr_fhir.scale import ITEM_COUNT, RATERS, Rater, Ratings, Scale, scale, scale_of
from imr_fhir.scoring import Score, score

STATUSES = ("in-progress", "completed", "amended", "stopped", "entered-in-error")


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
    language: str  # shown while answering: "en" | "nb", "" where the EHR's single figures do not tell
    questionnaire: str  # "url|version", "" where the EHR's single figures do not tell
    # As the EHR has it: all but a form and a document (text, pdf) are Observations; what is to be printed it has not.
    kept: Literal["form", "components", "members", "flat", "text", "pdf", "print"] = "form"

    @cached_property
    def reference(self) -> str:
        """Where the EHR has it: the response, else the Observation or document that stands for it; "" while new."""
        return f"{self._type}/{self.id}" if self.id else ""

    @property
    def _type(self) -> str:
        documented = "DocumentReference" if self.kept in ("text", "pdf") else "Observation"
        return "QuestionnaireResponse" if self.kept == "form" else documented

    @property
    def link(self) -> str:
        """How an address of the app names it: "12", and "Observation~12" for what is no form ("~" is in no id)."""
        return self.id if self.kept == "form" or not self.id else f"{self._type}~{self.id}"

    @property
    def complete(self) -> bool:
        """All 15 answered, and handed in as such."""
        return self.status in ("completed", "amended") and len(self.ratings) == ITEM_COUNT

    @property
    def form(self) -> Scale:
        """The scale in the version that was answered; the one in use where that is not known."""
        return scale_of(self.questionnaire) or scale(self.rater)

    @cached_property
    def score(self) -> Score:
        return score(self.ratings)

    @cached_property
    def key(self) -> str:
        """What stays the same through corrections and is no other response's: where the EHR has it; its identifier
        while it is new. Two in the record may have one identifier: somebody's copy, or a number given twice."""
        return self.reference or self.identifier

    @cached_property
    def day(self) -> date:
        """Of the measurement, by the clock of its own offset: put it in the site's time zone when reading it."""
        return self.measured.date()

    @cached_property
    def in_time(self) -> tuple[datetime, datetime, str]:
        """What orders responses: by when they were measured, as instants. Of two of one time (copies of one act, since
        no correction moves it) the one last written comes later, and so counts: a correction is somebody's last word.
        """
        return self.measured.astimezone(UTC), self.authored.astimezone(UTC), self.key

    def in_zone(self, zone: tzinfo) -> "Response":
        """Its times by the clock of ``zone``, which decides on which day they were."""
        return replace(self, measured=in_zone(self.measured, zone), authored=in_zone(self.authored, zone))


def corrected(response: Response, *, ratings: Ratings, comment: str, author: str, authored: datetime) -> Response:
    """``response`` with other answers: same ids, same measurement's time; ``author`` recorded them at ``authored``.

    A stopped response stays stopped, even with all 15 answered: a later correction moves nothing (rules, the report's
    figures). Raises ResponseError for a draft and for what was withdrawn.
    """
    if response.status not in ("completed", "amended", "stopped"):
        raise ResponseError(
            f"A response that is {response.status} can't be corrected.", next_step="Fill in the form once more."
        )
    status = "stopped" if response.status == "stopped" else "amended"
    return replace(response, status=status, ratings=ratings, comment=comment, author=author, authored=authored)


def withdrawn(response: Response, *, authored: datetime) -> Response:
    """``response`` as entered in error; its answers stay in it. Raises ResponseError where it is withdrawn already."""
    if response.status == "entered-in-error":
        raise ResponseError("This response is withdrawn already.", next_step="Nothing is left to do.")
    return replace(response, status="entered-in-error", authored=authored)


def to_resource(
    response: Response, *, filing: str, profile: bool = False, security: Sequence[Coding] = ()
) -> dict[str, Any]:
    """The QuestionnaireResponse of ``response``, its score worked out afresh.

    ``filing``: UUID of the filing. ``profile``: name our profile in ``meta``, where the server has it. ``security``:
    the site's labels. A comment of spaces alone is no comment. Raises ResponseError, RatingError.
    """
    form = _require_whole(response)
    built: dict[str, Any] = {
        "resourceType": "QuestionnaireResponse",
        **({"id": response.id} if response.id else {}),
        "meta": meta(filing, profile=artefacts.RESPONSE_PROFILE if profile else "", security=security),
        "extension": [
            {"url": artefacts.FIRST_COMPLETED, "valueDateTime": format_instant(response.measured)},
            {"url": artefacts.SHOWN_LANGUAGE, "valueCode": response.language},
        ],
        **({"identifier": identifier(response.identifier)} if response.identifier else {}),
        "questionnaire": response.questionnaire,
        "status": response.status,
        "subject": patient_reference(response.patient),
        **({"encounter": {"reference": response.encounter}} if response.encounter else {}),
        "authored": format_date_time(response.authored),
        **({"author": {"reference": response.author}} if response.author else {}),
        **({"source": {"reference": response.source}} if response.source else {}),
        "item": items(form, response.ratings, response.comment, response.language),
    }
    return checked(built, ResponseError)


def _require_whole(response: Response) -> Scale:
    if response.status not in STATUSES:
        raise ResponseError(f"{response.status!r} is no status of a response.", next_step=f"Use {', '.join(STATUSES)}.")
    form = scale_of(response.questionnaire)
    if form is None or form.rater != response.rater:
        raise ResponseError(
            f"The response is to {response.questionnaire!r}, and the form here is {scale(response.rater).canonical}.",
            next_step="Fill in the form of this version.",
        )
    if response.rater == "client" and local_type_and_id(response.source) != ("Patient", response.patient):
        raise ResponseError(
            f"The client scale is the patient's own, and {shown(response.source)} would have answered it.",
            next_step="Name the patient as the source.",
        )
    if response.status in ("completed", "amended") and len(response.ratings) != ITEM_COUNT:
        raise ResponseError(
            f"{ITEM_COUNT - len(response.ratings)} questions have no answer, so the response is not {response.status}.",
            next_step="Answer them, or end the form early.",
        )
    return form


def from_resource(raw: Mapping[str, Any], *, patient: str) -> Response:
    """What the QuestionnaireResponse ``raw`` says about the patient with id ``patient``.

    Only codes count: weights, displays and stored scores are not read. Without the extension of the first completion
    (other software wrote it), the measurement's time is ``authored``. Raises ResponseError for what is not an answer to
    one of our forms in this version, WrongPatient for another's.
    """
    found = resource(raw, "QuestionnaireResponse", ResponseError)
    form = _form(found)
    _require_patient_throughout(found, patient)
    authored = found.moment("authored")
    if authored is None:
        raise found.fault("does not say when it was answered (authored)")
    first = found.extension(artefacts.FIRST_COMPLETED)
    measured = first.moment("valueDateTime") if first else authored
    if measured is None:
        raise found.fault("does not say when it was first completed (extension first-completed)")
    named = found.one("identifier")
    ratings, comment = read_items(found, form)
    return Response(
        rater=form.rater,
        status=found.code("status", STATUSES),
        ratings=ratings,
        comment=comment,
        identifier=uuid_identifier((named,)) if named else "",
        id=server_id(found),
        version_id=version_id(found),
        patient=patient,
        source=_source(found, form, patient),
        author=found.reference("author"),
        encounter=found.reference("encounter"),
        measured=measured,
        authored=authored,
        language=_language(found),
        questionnaire=form.canonical,
    )


def _form(found: Element) -> Scale:
    canonical = found.text("questionnaire")
    if form := scale_of(canonical):
        return form
    if canonical.split("|")[0] in [scale(rater).url for rater in RATERS]:
        raise found.fault(f"answers {shown(canonical)}, a version that is not known here")
    raise found.fault(f"answers {shown(canonical)}, which is no IMR Scale")


def _require_patient_throughout(found: Element, patient: str) -> None:
    require_patient(found, "subject", patient)
    for name in ("source", "author"):
        if type_and_id(found.reference(name))[0] == "Patient":
            require_patient(found, name, patient)


def _source(found: Element, form: Scale, patient: str) -> str:
    source = found.reference("source")
    if form.rater == "client":
        if not source:
            return f"Patient/{patient}"  # left out by other software; a self-rating has no other source
        if type_and_id(source)[0] != "Patient":
            raise found.fault(f"was answered by {shown(source)}, and the client scale is the patient's own")
    return source


def _language(found: Element) -> str:
    extension = found.extension(artefacts.SHOWN_LANGUAGE)
    if extension:
        return extension.code("valueCode", ("en", "nb"))
    return "nb" if found.text("language")[:2] in ("nb", "no", "nn") else "en"  # other software's only trace of it
