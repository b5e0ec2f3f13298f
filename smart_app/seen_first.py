"""What the patient answered, opened by a clinician who has yet to rate: given back unfinished, or on the page of what
was saved.

It is allowed, as everywhere: whoever goes on typing has to see it. It is remembered with the draft or the filing, and
noted in the record with the answers, whoever takes them there, so that the pair is left out of agreement (rule 11).
"""

from __future__ import annotations

from collections.abc import Iterable

from imr_fhir.bundle import Part
from imr_fhir.record import SeenFirst
from imr_fhir.response import Response
from imr_fhir.score_shape import stored_urns
from smart_app.auditing import audit
from smart_app.charting import beside, read_with, uncovered
from smart_app.delivery import references_of
from smart_app.drafting import response_of
from smart_app.noting import note, said
from smart_app.open_launch import Launch
from smart_app.saving import begin
from smart_app.sealing import Act, note_part
from smart_app.state import now, state
from smart_app.store.drafts import Draft
from smart_app.store.filing import Filing
from smart_app.store.filing_states import State
from smart_app.store.owner import Owner


def seen_first(launch: Launch, draft: Draft) -> Draft:
    """``draft`` as it is to be shown. Raises LaunchError where the log-in is over."""
    if not is_blind(launch, draft):
        return draft
    return state().store.drafts.set_seen(draft.id, draft.owner, begin(launch).session.clinician, now())


def is_blind(launch: Launch, draft: Draft) -> bool:
    """The patient answered alone and nobody has opened it, and this clinician is still to rate. Raises LaunchError."""
    answered_alone = draft.handed_over and not draft.empty
    if launch.role != "clinician" or draft.rater != "client" or not answered_alone or draft.seen_by:
        return False
    act = begin(launch)
    so_far = response_of(draft, act, author=act.session.patient_reference)
    known, _ = read_with(launch, (so_far,))
    return so_far in known.hidden  # else the own rating is complete, or none is made here


def open_first(launch: Launch, filing: Filing, owner: Owner, written: Response | None) -> Filing:
    """The answers that ``filing`` is about as ``owner`` may see them: those ``written`` in it, and beside them what the
    record has instead, which is noted at once: whatever becomes of the filing, that stands. Raises LaunchError."""
    names = names_of(filing)
    known, _ = read_with(launch, (written.in_zone(launch.site.zone),) if written else ())
    hidden = [one for one in known.hidden if one.identifier in names]
    if not hidden:
        return filing
    audit("view", launch, resources=names[:1], purpose="seen before rating")
    if filing.state is State.DUPLICATE:
        for reference in filter(None, (one.reference for one in hidden)):
            act = begin(launch)
            note(launch, act, SeenFirst(response=reference, **said(act)), once=f"seen-first {reference}")
    return state().store.filings.seen(filing.id, owner, begin(launch).session.person)


def seen_beside(launch: Launch, act: Act, gone: Response) -> tuple[Part, ...]:
    """Parts that go with the withdrawal of ``gone``: who takes a rating back has seen what it was compared with, and
    rates that occasion blind no more. None where this EHR takes no notes. Raises EhrError, LaunchError."""
    return _noted(act, uncovered(launch, gone)) if _is_noted(act, gone) else ()


def seen_before_correcting(launch: Launch, act: Act, before: Response, after: Response) -> tuple[Part, ...]:
    """Parts that go with a correction: who rates an item otherwise, having seen the patient's answers beside it, did
    not rate it blind. The same answers with another comment were given blind all the same.

    Of answers that the record does not have yet it is remembered with their filing, and noted with them. None where
    this EHR takes no notes. Raises EhrError, LaunchError.
    """
    if before.ratings == after.ratings or not _is_noted(act, before):
        return ()
    seen = beside(launch, before)
    filings, owner = state().store.filings, launch.record.owner
    waiting = {one.identifier for one in seen if not one.reference}
    for filing in filings.outbox(owner) if waiting else ():
        if filing.details.get("key") in waiting:
            filings.seen(filing.id, owner, act.session.person)
    return _noted(act, seen)


def _is_noted(act: Act, rating: Response) -> bool:
    return rating.rater == "clinician" and act.plan.rung("review") == "note"


def _noted(act: Act, seen: Iterable[Response]) -> tuple[Part, ...]:
    references = [one.reference for one in seen if one.reference]
    return tuple(note_part(act, SeenFirst(response=reference, **said(act))) for reference in references)


def names_of(filing: Filing) -> tuple[str, ...]:
    """The identifiers by which the record may know the answers of ``filing``, first the one they were written with."""
    key = str(filing.details.get("key") or filing.id)
    return (key, *stored_urns(key))


def note_seen(launch: Launch, filing: Filing) -> None:
    """Once the record has the answers; pressed again it is noted already. Who had seen them when they were sealed is
    noted in the filing itself, unless they had no place then."""
    goes_with_them = any(part.request["name"] == "seen-first" for part in filing.kept)
    before = () if goes_with_them else filter(None, (filing.details.get("seen_before", ""),))
    for who in dict.fromkeys((*before, *filing.details.get("seen_by", ()))):
        references, act = references_of(filing), begin(launch)
        reference = next((references[name] for name in names_of(filing) if name in references), "")
        if not reference:
            return
        once = f"seen-first {reference}" if who == act.session.person else f"seen-first {reference} {who}"
        note(launch, act, SeenFirst(response=reference, **said(act) | {"performer": who}), once=once)
