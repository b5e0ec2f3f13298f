"""What may leave a hospital, element by element: a table a resource type. What has no rule here stays behind.

So no name, display, narrative, note, contained resource, address, telecom, photo or unknown extension can leave, also
where an EHR adds one that nobody thought of. A person's own words have a rule that keeps them behind unless asked for.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from imr_fhir import artefacts, goal, record, response
from imr_fhir.course import EPISODE_STATUS
from imr_fhir.ehr.address import local_reference
from imr_fhir.observation import INSTANTIATES
from imr_fhir.reporting.export.release import (
    GONE,
    UCUM,
    VERSION,
    Release,
    Rule,
    boolean,
    coding,
    extensions,
    fields,
    identifier,
    matching,
    moment,
    number,
    one_of,
    reference,
    resource_id,
    tag_code,
    text,
    unit_name,
    unit_reference,
    user_identifier,
    words_of_concept,
)  # fmt: skip
from imr_fhir.scale import RATERS, scale

Json = Mapping[str, Any]

_FORMS = {rater: scale(rater).canonical.partition("|")[0] for rater in RATERS}
_OURS = frozenset([artefacts.CODES, *(scale(rater).system for rater in RATERS)])

_when = moment()
_concept = fields({"coding": coding})
_reference = fields({"reference": reference})
_user = fields({"reference": reference, "identifier": user_identifier})
_unit = fields({"reference": unit_reference, "display": unit_name})
_period = fields({"start": _when, "end": _when})


def _replaced(link: Any, release: Release) -> Any:
    """That a record was merged into another, and into which. Links of other types say who somebody else is."""
    return _LINK(link, release) if _of(link, "type") == "replaced-by" else GONE


_LINK = fields({"other": _reference, "type": one_of("replaced-by")})
_canonical = matching(rf"({'|'.join(_FORMS.values())})(\|{VERSION})?", "canonical")
_language = {"valueCode": one_of("en", "nb")}
_link_id = matching(r"imr|introduction|comment|score|sum|rated|mean|\d\d", "linkId")
_words_of_note = fields({"text": text()})


def _updated(value: Any, release: Release) -> Any:
    """A server's own time, which others know: a night in which it wrote all anew would tell the shift of each."""
    return GONE if release.shift else _when(value, release)


def _tag(tag: Any, release: Release) -> Any:
    """Of which filing it is. Other tags are a server's or a loader's own, as unknown extensions are."""
    return _FILING(tag, release) if _of(tag, "system") == artefacts.FILING else GONE


_FILING = fields({"system": one_of(artefacts.FILING), "code": tag_code})
_META = fields(
    {
        "versionId": matching(r"\d{1,5}", "version"),
        "lastUpdated": _updated,
        "security": coding,  # HTEST: a test patient
        "tag": _tag,
    }
)
_VALUES: Mapping[str, Rule] = {
    "valueQuantity": fields({"value": number, "system": one_of(UCUM), "code": one_of("{score}")}),
    "valueInteger": number,
    "valueBoolean": boolean,
    "valueDateTime": _when,
    "valueCodeableConcept": _concept,
    "valueString": text(masked="dataAbsentReason"),
    "dataAbsentReason": _concept,
}


def _item(item: Any, release: Release) -> Any:
    return _ITEM(item, release)  # an item holds items


_ITEM = fields(
    {
        "linkId": _link_id,
        "item": _item,
        "answer": fields(
            {
                "valueCoding": coding,
                "valueInteger": number,
                "valueDecimal": number,
                "valueString": text(),
                "item": _item,
            }
        ),
    }
)


def _question(item: Any, release: Release) -> Any:
    return _QUESTION(item, release)


_QUESTION = fields(
    {
        "linkId": _link_id,
        "type": one_of("group", "display", "choice", "text", "string", "integer", "decimal"),
        "answerOption": fields({"valueCoding": coding}),
        "item": _question,
    }
)

ALLOWED: Mapping[str, Mapping[str, Rule]] = {
    "Patient": {
        "active": boolean,
        "deceasedBoolean": boolean,
        "deceasedDateTime": _when,
        "link": _replaced,
    },
    "Questionnaire": {
        "url": _canonical,
        "version": matching(VERSION, "version"),
        "status": one_of("draft", "active", "retired", "unknown"),
        "item": _question,
    },
    "QuestionnaireResponse": {
        "extension": extensions(
            {artefacts.FIRST_COMPLETED: {"valueDateTime": _when}, artefacts.SHOWN_LANGUAGE: _language}
        ),
        "language": matching(r"[a-z]{2}(-[A-Z]{2})?", "code"),
        "identifier": identifier,
        "questionnaire": _canonical,
        "status": one_of(*response.STATUSES),
        "subject": _reference,
        "encounter": _reference,
        "authored": _when,
        "author": _reference,
        "source": _reference,
        "item": _item,
    },
    "Observation": {
        "extension": extensions({INSTANTIATES: {"valueCanonical": _canonical}, artefacts.SHOWN_LANGUAGE: _language}),
        "identifier": identifier,
        "status": one_of("registered", "preliminary", "cancelled", "unknown", *record.STATUSES),
        "category": _concept,
        "code": _concept,
        "subject": _reference,
        "focus": _reference,
        "encounter": _reference,
        "effectiveDateTime": _when,
        "issued": _when,
        "performer": _reference,
        **_VALUES,
        "note": _words_of_note,
        "hasMember": _reference,
        "derivedFrom": _reference,
        "component": fields({"code": _concept, **_VALUES}),
    },
    "Goal": {
        "extension": extensions(
            {
                goal.RELATIONSHIP: {
                    "extension": extensions(
                        {"type": {"valueCodeableConcept": _concept}, "target": {"valueReference": _reference}}
                    )
                }
            }
        ),
        "identifier": identifier,
        "lifecycleStatus": one_of(*goal.LIFECYCLES),
        "achievementStatus": _concept,
        "category": _concept,
        "description": words_of_concept,
        "subject": _reference,
        "startDate": _when,
        "target": fields({"dueDate": _when}),
        "statusDate": _when,
        "expressedBy": _reference,
    },
    "EpisodeOfCare": {
        "status": one_of("entered-in-error", *EPISODE_STATUS),
        "statusHistory": fields({"status": one_of("entered-in-error", *EPISODE_STATUS), "period": _period}),
        "type": _concept,
        "patient": _reference,
        "managingOrganization": _unit,
        "period": _period,
    },
    "Encounter": {
        "status": one_of(
            "planned", "arrived", "triaged", "in-progress", "onleave", "finished", "cancelled", "entered-in-error",
            "unknown",
        ),
        "class": coding,
        "subject": _reference,
        "episodeOfCare": _reference,
        "period": _period,
        "serviceProvider": _unit,
    },
    "Provenance": {
        "target": _reference,
        "recorded": moment(masked="_recorded"),
        "reason": fields({"text": text()}),
        "activity": _concept,
        "agent": fields({"type": _concept, "who": _user}),
    },
    "AuditEvent": {
        "type": coding,
        "subtype": coding,
        "action": one_of("C", "R", "U", "D", "E"),
        "recorded": moment(masked="_recorded"),
        "outcome": one_of("0", "4", "8", "12"),
        "outcomeDesc": matching(r"[A-Za-z-]{1,60}", "outcomeDesc"),  # an action's or an error's name, of our app alone
        "agent": fields({"type": _concept, "who": _user, "requestor": boolean}),
        "source": fields({"observer": _user}),
        "entity": fields(
            {"what": fields({"reference": reference, "identifier": identifier}), "type": coding, "role": coding}
        ),
    },
}  # fmt: skip
TYPES = tuple(ALLOWED)

_RULES = {name: fields({**rules, "meta": _META}) for name, rules in ALLOWED.items()}


def leaving(resource: Json, release: Release, *, episode_types: frozenset[str] = frozenset()) -> dict[str, Any] | str:
    """What leaves of ``resource``, beginning with its type and id, or in a word why it stays behind.

    ``other-type``: of none of our types; ``no-id``; ``not-imr``: of no IMR form, code, goal or course, or not written
    by this app (Provenance, AuditEvent).
    """
    resource_type = resource.get("resourceType")
    rule = _RULES.get(resource_type) if isinstance(resource_type, str) else None
    if rule is None:
        return "other-type"
    own = resource_id(resource.get("id"))
    if not own:
        return "no-id"
    if not _is_imr(resource, release, episode_types):
        return "not-imr"
    if release.shift and release.pseudonyms:
        patient = patient_of(resource, release.base)
        release.back = release.pseudonyms.shift(patient) if patient else None
    kept = rule(resource, release)
    return {"resourceType": resource_type, "id": release.id(str(resource_type), own), **({} if kept is GONE else kept)}


def _is_imr(resource: Json, release: Release, episode_types: frozenset[str]) -> bool:
    match resource["resourceType"]:
        case "QuestionnaireResponse":
            return str(resource.get("questionnaire")).partition("|")[0] in _FORMS.values()
        case "Questionnaire":
            return resource.get("url") in _FORMS.values()
        case "Observation":
            return any(system in _OURS or system in release.systems for system, _ in _codings(resource.get("code")))
        case "Goal":
            return any(each in _GOALS for category in _all(resource.get("category")) for each in _codings(category))
        case "EpisodeOfCare" if episode_types:
            kinds = (f"{s}|{c}" for kind in _all(resource.get("type")) for s, c in _codings(kind))
            return any(kind in episode_types for kind in kinds)
        case "Provenance" | "AuditEvent":
            return _is_app(resource)
    return True


_GOALS = frozenset((artefacts.CODES, code) for code in ("goal", "step"))


def _is_app(resource: Json) -> bool:
    """Written by this app: by its tag, or it names itself."""
    tags = _all(_of(resource.get("meta"), "tag"))
    if any(_of(tag, "system") == artefacts.FILING for tag in tags):
        return True
    who = [_of(agent, "who") for agent in _all(resource.get("agent"))]
    named = (_of(_of(each, "identifier"), "value") for each in [*who, _of(resource.get("source"), "observer")])
    return artefacts.BASE in named


def patient_of(resource: Json, base: str) -> str:
    """The id of the Patient that it is about; "" where it does not say so, or not here."""
    if resource["resourceType"] == "Patient":
        return str(resource["id"])
    about = [resource.get("subject"), resource.get("patient"), *_all(resource.get("target"))]
    about += [_of(entity, "what") for entity in _all(resource.get("entity"))]
    for each in about:
        here = local_reference(_of(each, "reference"), base)
        if here and here.type == "Patient":
            return here.id
    return ""


def _codings(concept: Any) -> Iterator[tuple[Any, Any]]:
    for each in _all(_of(concept, "coding")):
        system, code = _of(each, "system"), _of(each, "code")
        if isinstance(system, str) and isinstance(code, str):
            yield system, code


def _of(value: Any, name: str) -> Any:
    return value.get(name) if isinstance(value, Mapping) else None


def _all(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
