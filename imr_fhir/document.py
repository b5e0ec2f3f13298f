"""A readable record of one rating as a DocumentReference, for an EHR that takes documents only; listed, never counted
(`document_reading`).

The first attachment is the whole of it: Epic keeps no other.
"""

import base64
from collections.abc import Mapping, Sequence
from datetime import tzinfo
from typing import Any

from imr_fhir.errors import ResponseError
from imr_fhir.fhir_time import DayAlone, format_date_time, format_instant, in_zone
from imr_fhir.pdf import pdf_of
from imr_fhir.resource import Coding, checked, identifier, meta, patient_reference
from imr_fhir.response import Response
from imr_fhir.scale import NA, Item

# How the description of one that was ended early goes on: the only trace of it where the content is not read.
EARLY = ", ended early"

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
        "language": "Vist på bokmål",
        "not-validated": "Vist på bokmål, i en oversettelse som ikke er validert",
        "score": "Skår: gjennomsnitt {mean} på en skala fra 1 til 5, sum {sum}, {rated} spørsmål vurdert",
        "no-score": "Ingen skår: {rated} spørsmål vurdert",
        "comment": "Kommentar",
        "unanswered": "ikke besvart",
    },
}  # fmt: skip


def readable(response: Response, zone: tzinfo) -> str:
    """The answers in words, in the language in which they were given, with all that is needed to judge them."""
    form, score, said = response.form, response.score, _WORDS[response.language]
    when = in_zone(response.measured, zone)
    alone = isinstance(when, DayAlone)
    lines = [
        form.title.in_(response.language),
        f"{said['rated']}: {when:{'%Y-%m-%d' if alone else '%Y-%m-%d %H:%M'}}",
        f"{said['recorded']}: {response.authored.astimezone(zone):%Y-%m-%d %H:%M}",
        f"{said[response.rater]}. {said[response.status]}.",
        f"{said['language' if form.validated_in(response.language) else 'not-validated']}.",
        *([] if form.verified else [f"{said['unverified']}."]),
    ]
    whole = response.status != "stopped" and score.mean is not None
    lines += [said["score" if whole else "no-score"].format(mean=score.mean, sum=score.sum, rated=score.rated), ""]
    lines += [item_line(item, response.ratings.get(item.number), response.language) for item in form.items]
    if response.comment.strip():
        lines += ["", f"{said['comment']}:", response.comment]
    return "\n".join(lines) + "\n"


def item_line(item: Item, rating: int | None, language: str) -> str:
    """One question as ``readable`` says it."""
    text = _WORDS[language]["unanswered"] if rating is None else item.anchor(rating).text.in_(language)
    figure = "" if rating in (None, NA) else f" ({rating})"
    return f"{item.number}. {item.label.in_(language)}: {text}{figure}"


def comment_heading(language: str) -> str:
    """What stands before the comment."""
    return f"\n\n{_WORDS[language]['comment']}:\n"


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
    """The DocumentReference of ``response``; of a correction, a new one that says which it replaces.

    ``urn``: its own identifier, "urn:uuid:...". ``pdf``: laid out, which needs the extra ``pdf``. ``type_coding``: the
    site's. Raises ResponseError.
    """
    text = readable(response, zone)
    form, day = response.form, in_zone(response.measured, zone).date()
    built = {
        "resourceType": "DocumentReference",
        "meta": meta(filing, security=security),
        "identifier": [identifier(urn)],
        "status": "current",
        "docStatus": _STATUSES[response.status],
        "type": {"coding": [dict(type_coding)], "text": form.title.en},
        "subject": patient_reference(response.patient),
        "date": format_instant(response.authored),
        **({"author": [{"reference": response.source}]} if response.source else {}),
        **({"relatesTo": [{"code": "replaces", "target": {"reference": response.reference}}]} if response.id else {}),
        "description": f"{form.title.en}, {day}{EARLY if response.status == 'stopped' else ''}",
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
