"""A readable record of one rating as a DocumentReference, for an EHR that takes documents only; listed, never counted.

The first attachment is the whole of it: Epic keeps no other.
"""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, tzinfo
from typing import Any

from imr_fhir import artefacts
from imr_fhir.element import require_patient, resource, server_id
from imr_fhir.errors import ResponseError
from imr_fhir.fhir_time import format_date_time
from imr_fhir.pdf import pdf_of
from imr_fhir.resource import Coding, checked, identifier, meta, patient_reference
from imr_fhir.response import Response
from imr_fhir.scale import NA, RATERS, Rater, scale

# Of the response -> of the composition that the document is (R4, composition-status).
_STATUSES = {"completed": "final", "stopped": "final", "amended": "amended", "entered-in-error": "entered-in-error"}

_WORDS: Mapping[str, Mapping[str, str]] = {
    "en": {
        "rated": "Rated",
        "client": "Answered by the patient",
        "clinician": "Rated by the clinician",
        "recorded": "Recorded",
        "completed": "Complete",
        "stopped": "Ended early: what is missing was not answered",
        "amended": "Corrected",
        "entered-in-error": "Withdrawn: entered in error, not to be used",
        "unverified": "The wording of this scale has not been verified: draft",
        "language": "Shown in English",
        "score": "Score: mean {mean} on a scale from 1 to 5, sum {sum}, {rated} questions rated",
        "no-score": "No score: {rated} questions rated",
        "comment": "Comment",
        "unanswered": "not answered",
    },
    "nb": {
        "rated": "Vurdert",
        "client": "Besvart av pasienten",
        "clinician": "Vurdert av behandler",
        "recorded": "Registrert",
        "completed": "Fullført",
        "stopped": "Avsluttet underveis: det som mangler, ble ikke besvart",
        "amended": "Rettet",
        "entered-in-error": "Trukket tilbake: ført ved en feil, skal ikke brukes",
        "unverified": "Ordlyden i dette skjemaet er ikke kontrollert: utkast",
        "language": "Vist på bokmål, i en oversettelse som ikke er validert",
        "score": "Skår: gjennomsnitt {mean} på en skala fra 1 til 5, sum {sum}, {rated} spørsmål vurdert",
        "no-score": "Ingen skår: {rated} spørsmål vurdert",
        "comment": "Kommentar",
        "unanswered": "ikke besvart",
    },
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Document:
    """A record of a rating that the EHR has as a document: it exists, from that day."""

    id: str
    rater: Rater
    day: date
    withdrawn: bool


def readable(response: Response, zone: tzinfo) -> str:
    """The answers in words, in the language in which they were given, with all that is needed to judge them."""
    form, score, said = scale(response.rater), response.score, _WORDS[response.language]
    when = response.measured.astimezone(zone)
    lines = [
        form.title.in_(response.language),
        f"{said['rated']}: {when:%Y-%m-%d %H:%M}",
        f"{said['recorded']}: {response.authored.astimezone(zone):%Y-%m-%d %H:%M}",
        f"{said[response.rater]}. {said[response.status]}.",
        f"{said['language']}.",
        *([] if form.verified else [f"{said['unverified']}."]),
    ]
    whole = response.status != "stopped" and score.mean is not None
    lines += [said["score" if whole else "no-score"].format(mean=score.mean, sum=score.sum, rated=score.rated), ""]
    for item in form.items:
        rating = response.ratings.get(item.number)
        text = said["unanswered"] if rating is None else item.anchor(rating).text.in_(response.language)
        figure = "" if rating in (None, NA) else f" ({rating})"
        lines.append(f"{item.number}. {item.label.in_(response.language)}: {text}{figure}")
    if response.comment.strip():
        lines += ["", f"{said['comment']}:", response.comment]
    return "\n".join(lines) + "\n"


def document_reference(
    response: Response,
    *,
    urn: str,
    pdf: bool,
    type_coding: Coding,
    zone: tzinfo,
    filing: str,
    security: Sequence[Coding] = (),
) -> dict[str, Any]:
    """The DocumentReference of ``response``.

    ``urn``: its own identifier, "urn:uuid:...". ``pdf``: laid out, which needs the extra ``pdf``. ``type_coding``: the
    site's. Raises ResponseError.
    """
    text = readable(response, zone)
    form, day = scale(response.rater), response.measured.astimezone(zone).date()
    built = {
        "resourceType": "DocumentReference",
        "meta": meta(filing, security=security),
        "identifier": [identifier(urn)],
        "status": "current",
        "docStatus": _STATUSES[response.status],
        "type": {"coding": [dict(type_coding)], "text": form.title.en},
        "subject": patient_reference(response.patient),
        "date": format_date_time(response.authored),
        **({"author": [{"reference": response.source}]} if response.source else {}),
        "description": f"{form.title.en}, {day}",
        "content": [
            {
                "attachment": {
                    "contentType": "application/pdf" if pdf else "text/plain; charset=utf-8",
                    "language": response.language,
                    "data": base64.b64encode(pdf_of(text, response.language) if pdf else text.encode()).decode(),
                    "title": f"{form.title.en}, {day}",
                    "creation": format_date_time(response.authored),
                }
            }
        ],
        "context": {
            **({"encounter": [{"reference": response.encounter}]} if response.encounter else {}),
            "period": {"start": format_date_time(response.measured)},
        },
    }
    return checked(built, ResponseError)


def read_document(raw: Mapping[str, Any], *, patient: str, zone: tzinfo) -> Document | None:
    """The document ``raw``, None where it is none of ours. What it says is not read: an attachment is for people."""
    found = resource(raw, "DocumentReference", ResponseError)
    labels = found.one("meta")
    tagged = labels is not None and any(tag.text("system") == artefacts.FILING for tag in labels.many("tag"))
    described = found.text("description")
    rater = next((rater for rater in RATERS if described.startswith(f"{scale(rater).title.en}, ")), None)
    if rater is None or not (tagged or described):
        return None
    require_patient(found, "subject", patient)
    context = found.one("context")
    period = context.one("period") if context else None
    when: datetime | None = (period.moment("start") if period else None) or found.moment("date")
    if when is None:
        raise found.fault("does not say of which day it is (context.period, date)")
    withdrawn = "entered-in-error" in (found.text("status"), found.text("docStatus"))
    return Document(server_id(found), rater, when.astimezone(zone).date(), withdrawn)
