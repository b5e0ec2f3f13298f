"""Between a draft and what it will be: its ratings, the form that it answers, and the response that it becomes."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from imr_fhir.bundle import Part
from imr_fhir.record import SeenFirst
from imr_fhir.response import Response
from imr_fhir.scale import ITEM_COUNT, Rater, Ratings, scale
from imr_fhir.scoring import rating_of
from smart_app.rungs import leading
from smart_app.sealing import Act, answers, note_part, seal, urn
from smart_app.store import Store
from smart_app.store.drafts import COMMENT, Draft
from smart_app.store.filing import Filing
from smart_app.store.owner import Owner


def ratings_of(draft: Draft) -> dict[int, int]:
    """Item number to rating, answered items only, in the form's order."""
    return ratings_in(draft.codes)


def ratings_in(values: Mapping[str, str]) -> dict[int, int]:
    """The same of ``values`` as drafts keep them (linkId -> code, and the comment)."""
    return dict(sorted(rating_of(code) for item, code in values.items() if item != COMMENT and code))


def codes_of(rater: Rater, ratings: Ratings) -> dict[str, str]:
    """linkId to code, as drafts keep answers: to begin a correction with what was filed."""
    form = scale(rater)
    return {form.item(number).link_id: form.item(number).anchor(rating).code for number, rating in ratings.items()}


def begin_draft(store: Store, owner: Owner, rater: Rater, *, language: str, now: datetime) -> Draft:
    """The draft of a new rating, or the one that is open; shown in ``language`` from the start."""
    canonical, identifier = scale(rater).canonical, urn()
    return store.drafts.start(owner, rater, questionnaire=canonical, language=language, identifier=identifier, now=now)


def response_of(draft: Draft, act: Act, *, author: str) -> Response:
    """The new response that ``draft`` becomes: complete with all 15 answered, else ended early.

    ``author`` is the reference of who recorded: the patient who tapped, or the clinician who typed.
    """
    ratings = ratings_of(draft)
    at = act.local_now
    return Response(
        rater=draft.rater,
        status="completed" if len(ratings) == ITEM_COUNT else "stopped",
        ratings=ratings,
        comment=draft.comment,
        identifier=draft.identifier,
        id="",
        version_id="",
        patient=act.session.patient,
        source=act.session.patient_reference if draft.rater == "client" else act.session.clinician,
        author=author,
        encounter=act.session.encounter,
        measured=at,
        authored=at,
        language=draft.language,
        questionnaire=draft.questionnaire,
    )


def _seen_first(act: Act, draft: Draft, response: Part) -> Part:
    """That a clinician opened these answers before rating. No Provenance of this filing tells of it, since that names
    the patient as author: it says itself who saw them and when."""
    seen = SeenFirst(
        patient=act.session.patient,
        said=act.local_now,
        performer=draft.seen_by,
        identifier=urn(),
        encounter=act.session.encounter,
        response=response.full_url,
    )
    return note_part(act, seen)


def seal_draft(store: Store, act: Act, owner: Owner, draft: Draft, *, author: str) -> Filing:
    """Seals a new rating."""
    response = response_of(draft, act, author=author)
    parts = answers(act, response, activity="create", author=response.source)
    holds = leading(parts, response)
    if draft.seen_by and holds and act.plan.rung("review") == "note":  # else the app's own log has it
        parts += (_seen_first(act, draft, holds),)
    details = {"rater": draft.rater, "author": author, "key": response.identifier}
    return seal(store, act, owner, parts, kind="response", details=details, draft=draft)
