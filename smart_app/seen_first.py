"""What the patient answered alone and gave back unfinished, opened by a clinician who has yet to rate.

It is allowed, as everywhere: whoever goes on typing has to see it. It is remembered with the draft, and noted in the
record with the answers, whoever hands them in, so that the pair is left out of agreement (rule 11).
"""

from __future__ import annotations

from smart_app.access import Launch
from smart_app.charting import read_with
from smart_app.drafting import response_of
from smart_app.saving import begin
from smart_app.state import now, state
from smart_app.store.drafts import Draft


def seen_first(launch: Launch, draft: Draft) -> Draft:
    """``draft`` as it is to be shown. Raises LaunchError where the log-in is over."""
    answered_alone = draft.handed_over and bool(draft.codes or draft.comment)
    if draft.rater != "client" or not answered_alone or draft.seen_by:
        return draft
    act = begin(launch)
    so_far = response_of(draft, act, author=act.session.patient_reference)
    known, _ = read_with(launch, (so_far,))
    if so_far not in known.hidden:
        return draft  # the clinician's own rating is complete, or none is made here
    return state().store.drafts.set_seen(draft.id, launch.record.owner, act.session.clinician, now())
