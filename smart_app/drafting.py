"""Between a draft and what it will be: its ratings, the form that it answers, and the response that it becomes."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime

from imr_fhir.bundle import Part
from imr_fhir.record import SeenFirst
from imr_fhir.response import Response
from imr_fhir.scale import ITEM_COUNT, Rater, Ratings, Scale, scale, scale_of
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


def form_of(draft: Draft) -> Scale:
    """The form that its answers are given to. Of a version that is packaged nowhere, the one in use: its codes mean
    the same, though its words may differ."""
    return scale_of(draft.questionnaire) or scale(draft.rater)


def is_earlier(draft: Draft) -> bool:
    """A new rating on a version of the form that is no longer in use, so that nothing more can be handed in on it.

    A correction stays with the version that was answered.
    """
    return draft.state == "open" and not draft.about and draft.questionnaire != scale(draft.rater).canonical


def begin_draft(store: Store, owner: Owner, rater: Rater, *, language: str, now: datetime) -> Draft:
    """The draft of a new rating, or the one that is open; shown in ``language`` from the start. One ``is_earlier`` is
    given only where it holds anything."""
    canonical, identifier = scale(rater).canonical, urn()
    found = store.drafts.start(owner, rater, questionnaire=canonical, language=language, identifier=identifier, now=now)
    return (
        begin_anew(store, found, owner, (), language=language, now=now) if is_earlier(found) and found.empty else found
    )


def begin_anew(
    store: Store, read: Draft, owner: Owner, confirmed: Collection[str], *, language: str, now: datetime
) -> Draft:
    """A new draft on the form in use in place of ``read``, which is set aside; of ``read`` it has what is ``confirmed``
    (linkIds, and the comment's) and asked in the same words still, nothing else. Raises StaleDraft, DraftSealed."""
    answers = {item: read.answers[item].value for item in (*same_items(read), COMMENT) if item in read.answers}
    return store.drafts.begin_anew(
        read,
        owner,
        questionnaire=scale(read.rater).canonical,
        language=language,
        identifier=urn(),
        answers={item: value for item, value in answers.items() if item in confirmed and value},
        now=now,
    )


def same_items(draft: Draft) -> frozenset[str]:
    """linkIds of the questions that are asked to the letter as when ``draft`` was begun, with each of their answers, in
    both languages. None where the words of that version are not known, or another introduction is read before them."""
    then, now = scale_of(draft.questionnaire), scale(draft.rater)
    if then is None or then.introduction != now.introduction:
        return frozenset()
    return frozenset(item.link_id for item in then.items if item in now.items)


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
    details |= {"seen_before": draft.seen_by} if draft.seen_by else {}
    return seal(store, act, owner, parts, kind="response", details=details, draft=draft)
