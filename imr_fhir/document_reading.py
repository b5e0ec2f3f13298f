"""A rating that the EHR has as a document: that it exists, and its answers where the text came with it and is ours."""

import base64
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, tzinfo
from typing import Any

from imr_fhir.document import EARLY, comment_heading, item_line, readable
from imr_fhir.documented import Document
from imr_fhir.element import (
    Element,
    local_type_and_id,
    require_patient,
    resource,
    server_id,
    uuid_identifier,
    version_id,
)
from imr_fhir.errors import ResponseError
from imr_fhir.fhir_time import in_zone
from imr_fhir.rating_update import merged_meta
from imr_fhir.resource import meta
from imr_fhir.response import Response
from imr_fhir.scale import RATERS, Rater, Ratings, Scale, scale

_STATUSES = {"amended": "amended", "entered-in-error": "entered-in-error"}


def read_document(raw: Mapping[str, Any], *, patient: str, zone: tzinfo) -> Document | None:
    """The document ``raw``, None where it is none of ours. What it says is not read: an attachment is for people."""
    found = resource(raw, "DocumentReference", ResponseError)
    rater = _rater(found)
    if rater is None:
        return None
    require_patient(found, "subject", patient)
    related = [each for each in found.many("relatesTo") if each.text("code") == "replaces"]
    named = [local_type_and_id(each.reference("target")) for each in related]
    return Document(
        id=server_id(found),
        rater=rater,
        day=in_zone(_measured(found), zone).date(),
        withdrawn="entered-in-error" in (found.text("status"), found.text("docStatus")),
        complete=not found.text("description").endswith(EARLY),
        replaces=tuple(each for kind, each in named if kind == "DocumentReference"),
        gone=found.text("status") == "superseded",
    )


def rating_in(raw: Mapping[str, Any], *, patient: str, zone: tzinfo) -> Response:
    """The rating that the document ``raw`` holds; without answers where its text did not come with it, or is not to the
    letter what is written here.

    Raises ResponseError where it is none of ours, WrongPatient.
    """
    found = resource(raw, "DocumentReference", ResponseError)
    document = read_document(raw, patient=patient, zone=zone)
    if document is None:
        raise found.fault("is no rating of the IMR Scales")
    authors = found.many("author")
    source = f"Patient/{patient}" if document.rater == "client" else authors[0].text("reference") if authors else ""
    contexts = found.one("context")
    visits = contexts.many("encounter") if contexts else []
    early = "completed" if document.complete else "stopped"
    status = "entered-in-error" if document.withdrawn else _STATUSES.get(found.text("docStatus"), early)
    text, language = _text(found)
    rating = Response(
        rater=document.rater,
        status=status,
        ratings={},
        comment="",
        identifier=uuid_identifier(found.many("identifier")),
        id=document.id,
        version_id=version_id(found),
        patient=patient,
        source=source,
        author=source,
        encounter=visits[0].text("reference") if visits else "",
        measured=_measured(found),
        authored=found.moment("date") or _measured(found),
        language=language,
        questionnaire=scale(document.rater).canonical,
        kept="text",
    )
    return _answered(rating, text, zone) if text else rating


def withdrawn_document(raw: Mapping[str, Any], *, filing: str) -> dict[str, Any]:
    """``raw`` as entered in error; its content stays. ``filing``: UUID of the filing."""
    return _tagged(raw, filing) | {"status": "entered-in-error", "docStatus": "entered-in-error"}


def superseded_document(raw: Mapping[str, Any], *, filing: str) -> dict[str, Any]:
    """``raw`` as replaced by another, which names it in ``relatesTo``; its content stays."""
    return _tagged(raw, filing) | {"status": "superseded"}


def _tagged(raw: Mapping[str, Any], filing: str) -> dict[str, Any]:
    found = resource(raw, "DocumentReference", ResponseError)
    return {**raw, "meta": merged_meta(meta(filing), found.one("meta"))}


def _rater(found: Element) -> Rater | None:
    described = found.text("description")
    return next((rater for rater in RATERS if described.startswith(f"{scale(rater).title.en}, ")), None)


def _measured(found: Element) -> datetime:
    context = found.one("context")
    period = context.one("period") if context else None
    when: datetime | None = (period.moment("start") if period else None) or found.moment("date")
    if when is None:
        raise found.fault("does not say of which day it is (context.period, date)")
    return when


def _text(found: Element) -> tuple[str, str]:
    """The text of the first attachment, "" where it is no text or is elsewhere, and its language."""
    for content in found.many("content")[:1]:
        attachment = content.one("attachment")
        if attachment:
            language = "nb" if attachment.text("language")[:2] in ("nb", "no") else "en"
            try:
                data = base64.b64decode(attachment.text("data"), validate=True)
                plain = attachment.text("contentType").startswith("text/plain")
                return (data.decode() if plain else ""), language
            except ValueError:  # no base64, or no text
                return "", language
    return "", "en"


def _answered(rating: Response, text: str, zone: tzinfo) -> Response:
    """With the answers of ``text``, if that is what is written of them to the letter."""
    body, _, comment = text.partition(comment_heading(rating.language))
    ratings = _ratings(scale(rating.rater), body, rating.language)
    whole = replace(rating, ratings=ratings, comment=comment.removesuffix("\n"))
    return whole if readable(whole, zone) == text else rating


def _ratings(form: Scale, body: str, language: str) -> Ratings:
    said = {
        item_line(item, anchor.rating, language): (item.number, anchor.rating)
        for item in form.items
        for anchor in item.anchors
    }
    return dict(said[line] for line in body.splitlines() if line in said)
