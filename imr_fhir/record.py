"""The small Observations about goals, due occasions and prompts: what was said or decided on one day."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal

from imr_fhir import artefacts
from imr_fhir.element import Element, require_patient, resource, server_id, shown, uuid_identifier, version_id
from imr_fhir.errors import NoteError
from imr_fhir.fhir_time import format_date_time
from imr_fhir.note_value import Part, one_of
from imr_fhir.rating_update import merged_meta
from imr_fhir.resource import SURVEY, Coding, checked, concept, identifier, meta, patient_reference

STATUSES = ("final", "corrected", "amended", "entered-in-error")
RESULTS = ("done", "partly", "not-yet", "not-wanted")
OUTCOMES = ("not-today", "declined", "too-unwell", "not-asked")
TAPS = ("talked-about", "will-follow-up", "known-already")
REASONS = ("relapse-recent", "hospital-recent", "total-down", "item-down", "comment", "stopped-early")


@dataclass(frozen=True, kw_only=True)
class Note:
    """What all of them have."""

    patient: str  # id of the Patient
    said: datetime  # with offset
    performer: str  # reference of who said or decided it
    identifier: str  # "urn:uuid:...", or "" where the EHR kept none
    encounter: str = ""  # reference, or ""
    status: str = "final"  # one of STATUSES
    id: str = ""  # the server's, "" while new
    version_id: str = ""


@dataclass(frozen=True, kw_only=True)
class Review(Note):
    """How it went with a goal or step, and in the person's own words what helped and what stood in the way."""

    focus: str  # reference of the Goal
    result: str  # one of RESULTS
    helped: str = ""
    hindered_person: str = ""
    hindered_around: str = ""
    hindered_services: str = ""


@dataclass(frozen=True, kw_only=True)
class Factor(Note):
    """What helps with a goal, or what stands in its way, in the person's own words."""

    kind: Literal["helps", "hinders"]
    text: str
    focus: str  # reference of the Goal


@dataclass(frozen=True, kw_only=True)
class DueOutcome(Note):
    """What became of a due rating that was not answered; ``said`` places it in the answering window."""

    outcome: str  # one of OUTCOMES
    new_date: date | None = None


@dataclass(frozen=True, kw_only=True)
class Prompt(Note):
    """The tap on one line of "worth talking about today"."""

    response: str  # reference of the QuestionnaireResponse that caused it
    reason: str  # one of REASONS
    tap: str  # one of TAPS
    item: int | None = None
    follow_up: date | None = None


@dataclass(frozen=True, kw_only=True)
class SeenFirst(Note):
    """The clinician opened the patient's current answers before rating: left out of agreement."""

    response: str  # reference of the QuestionnaireResponse that was seen


@dataclass(frozen=True, slots=True)
class _Shape:
    """How a kind of note stands in an Observation."""

    kind: type[Note]
    value: Part
    components: Mapping[str, Part]
    link: tuple[str, str]  # element that refers to what the note is about, and its field; ("", "") for none


_FACTOR = _Shape(Factor, Part("text", "text"), {}, ("focus", "focus"))
_SHAPES: Mapping[str, _Shape] = {
    "review": _Shape(
        Review,
        Part("result", "code", RESULTS),
        {
            "what-helped": Part("helped", "text"),
            "hindered-person": Part("hindered_person", "text"),
            "hindered-around": Part("hindered_around", "text"),
            "hindered-services": Part("hindered_services", "text"),
        },
        ("focus", "focus"),
    ),
    "helps": _FACTOR,
    "hinders": _FACTOR,
    "due-outcome": _Shape(
        DueOutcome, Part("outcome", "code", OUTCOMES), {"new-date": Part("new_date", "day")}, ("", "")
    ),
    "prompt": _Shape(
        Prompt,
        Part("tap", "code", TAPS),
        {
            "prompt-reason": Part("reason", "code", REASONS, required=True),
            "prompt-item": Part("item", "item"),
            "follow-up-date": Part("follow_up", "day"),
        },
        ("derivedFrom", "response"),
    ),
    "seen-first": _Shape(SeenFirst, Part("", "true"), {}, ("derivedFrom", "response")),
}
CODES = tuple(_SHAPES)  # by which to search for all of them
TOKENS = tuple(f"{artefacts.CODES}|{code}" for code in CODES)  # the same as a search names them


def withdrawn(raw: Mapping[str, Any], *, filing: str, security: Sequence[Coding] = ()) -> dict[str, Any]:
    """The Observation ``raw`` of a note as entered in error. All else in it stays, what others wrote too, but for a
    narrative, which may say that it stands. ``filing``, ``security``: as of ``to_resource``. Raises NoteError."""
    found = resource(raw, "Observation", NoteError)
    rest = {name: value for name, value in raw.items() if name.lstrip("_") != "text"}
    labels = merged_meta(meta(filing, security=security), found.one("meta"))
    return {**rest, "status": "entered-in-error", "meta": labels}


def to_resource(note: Note, *, filing: str, profile: bool = False, security: Sequence[Coding] = ()) -> dict[str, Any]:
    """The Observation of ``note``, one of the five kinds.

    ``filing``: UUID of the filing. ``profile``: name our profile in ``meta`` (a review has one), where the server has
    it. ``security``: the site's labels. A component of spaces alone is left out. Raises NoteError.
    """
    code = _code(note)
    shape = _SHAPES[code]
    element, field = shape.link
    one_of(note.status, STATUSES, "status")
    if isinstance(note, Prompt) and (note.tap == "will-follow-up") != (note.follow_up is not None):
        raise NoteError("A date goes with what will be followed up, and with nothing else.", next_step="Give the date.")
    named = artefacts.REVIEW_PROFILE if profile and isinstance(note, Review) else ""
    components = [
        {"code": concept(name), **part.written(getattr(note, part.field))}
        for name, part in shape.components.items()
        if str(getattr(note, part.field) or "").strip()
    ]
    built: dict[str, Any] = {
        "resourceType": "Observation",
        **({"id": note.id} if note.id else {}),
        "meta": meta(filing, profile=named, security=security),
        **({"identifier": [identifier(note.identifier)]} if note.identifier else {}),
        "status": note.status,
        "category": [SURVEY],
        "code": concept(code),
        "subject": patient_reference(note.patient),
        **({element: [{"reference": getattr(note, field)}]} if element else {}),
        **({"encounter": {"reference": note.encounter}} if note.encounter else {}),
        "effectiveDateTime": format_date_time(note.said),
        "performer": [{"reference": note.performer}],
        **shape.value.written(getattr(note, shape.value.field, True)),
        **({"component": components} if components else {}),
    }
    return checked(built, NoteError)


def _code(note: Note) -> str:
    if isinstance(note, Factor):
        one_of(note.kind, ("helps", "hinders"), "kind")
        return note.kind
    return next(code for code, shape in _SHAPES.items() if shape.kind is type(note))


def from_resource(raw: Mapping[str, Any], *, patient: str) -> Note:
    """The note that the Observation ``raw`` of the patient with id ``patient`` holds: one of the five kinds.

    Raises NoteError where it is none of ours, or other software wrote it with our codes and not our meaning;
    WrongPatient for another's.
    """
    found = resource(raw, "Observation", NoteError)
    require_patient(found, "subject", patient)
    codes = found.codes("code", artefacts.CODES)
    if len(codes) != 1 or codes[0] not in _SHAPES:
        raise found.fault(f"has code {shown(', '.join(codes))}, which is none of {', '.join(_SHAPES)}")
    shape = _SHAPES[codes[0]]
    said = found.moment("effectiveDateTime")
    if said is None:
        raise found.fault("does not say when it was said (effectiveDateTime)")
    element, field = shape.link
    fields = {field: _one_reference(found, element)} if element else {}
    if shape.kind is Factor:
        fields["kind"] = codes[0]
    value = shape.value.read(found)
    if value is None:
        raise found.fault(f"has no {shape.value.name}")
    performers = found.many("performer")
    return shape.kind(
        patient=patient,
        said=said,
        performer=performers[0].text("reference") if performers else "",
        identifier=uuid_identifier(found.many("identifier")),
        encounter=found.reference("encounter"),
        status=found.code("status", STATUSES),
        id=server_id(found),
        version_id=version_id(found),
        **fields,
        **({shape.value.field: value} if shape.value.field else {}),
        **_components(found, shape),
    )


def _one_reference(found: Element, element: str) -> str:
    references = [each.text("reference") for each in found.many(element)]
    if len(references) != 1 or not references[0]:
        raise found.fault(f"has {len(references)} references as {element}, and needs one")
    return references[0]


def _components(found: Element, shape: _Shape) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    for component in found.many("component"):
        component.unmodified()
        for code in component.codes("code", artefacts.CODES):
            part = shape.components.get(code)
            value = part.read(component) if part else None
            if part is None or value is None or part.field in fields:
                raise component.fault(f"has code {shown(code)} without its value, a second time or out of place")
            fields[part.field] = value
    for code, part in shape.components.items():
        if part.required and part.field not in fields:
            raise found.fault(f"has no component {code}")
    return fields
