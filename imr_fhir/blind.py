"""Each rates blind: which of the other's current answers stay hidden until the viewer has rated."""

from collections.abc import Collection, Iterable
from datetime import date, timedelta

from imr_fhir.due import CLOSES_AFTER, FIRST_OPENS_BEFORE, DueOccasion
from imr_fhir.history import CLOSE_DAYS, Among, day
from imr_fhir.response import Response
from imr_fhir.scale import Rater

_LONGEST = FIRST_OPENS_BEFORE + CLOSES_AFTER  # of the due windows: the first one


def hidden_from_clinician(
    responses: Iterable[Response],
    occasion: DueOccasion | None,
    *,
    today: date,
    clinician_on: bool,
    may_rate: bool,
    seen_first: Collection[str] = (),
    scheduled: bool | None = True,
    elsewhere: Collection[date] = (),
) -> Among:
    """The patient's current answers that panel and form hide from this viewer today, whatever their status.

    ``occasion`` is the one whose due window is open (due.current); its answers are hidden until its clinician rating
    is complete or the window has closed. Those of earlier occasions stay. ``clinician_on``: the site uses the
    clinician scale; ``may_rate``: the viewer could still rate on it. ``seen_first``: keys or identifiers of the
    responses that this viewer opened first, which is recorded and leaves the pair out of agreement. Hidden answers are
    hidden in every form: change, gaps and lines too. Only the one answer that a "worth talking about today" line
    quotes is shown.

    ``scheduled``: a course runs today, so that there are due windows. Where none does (offered, ended, none at all) the
    occasion is the last 28 days, within which the two would be a pair: the rule's purpose, its window being missing.
    None where nobody can say now whether any does: then it is as long as the longest due window, so that no failure of
    the EHR shows what was hidden before it.
    ``elsewhere``: days of complete clinician ratings that are none of ``responses``, since the record has them as
    documents, which say whose they are and of which day.
    """
    if not (clinician_on and may_rate):
        return Among()
    return _until_rated(
        "clinician",
        responses,
        occasion,
        today=today,
        seen_first=seen_first,
        scheduled=scheduled,
        elsewhere=elsewhere,
    )


def hidden_from_patient(
    responses: Iterable[Response],
    occasion: DueOccasion | None,
    *,
    today: date,
    seen_first: Collection[str] = (),
    scheduled: bool | None = True,
    elsewhere: Collection[date] = (),
) -> Among:
    """The clinician's current ratings that do not come before the patient's own answers; as above, the other way.

    They are the patient's to open at any time (rule 20), so a press opens them, which is recorded.
    """
    return _until_rated(
        "client", responses, occasion, today=today, seen_first=seen_first, scheduled=scheduled, elsewhere=elsewhere
    )


def _until_rated(
    viewer: Rater,
    responses: Iterable[Response],
    occasion: DueOccasion | None,
    *,
    today: date,
    seen_first: Collection[str],
    scheduled: bool | None,
    elsewhere: Collection[date],
) -> Among:
    if occasion is not None and occasion.opens <= today <= occasion.closes:
        opens, closes = occasion.opens, occasion.closes
    elif not scheduled:
        opens, closes = today - (_LONGEST if scheduled is None else timedelta(days=CLOSE_DAYS)), today
    else:
        return Among()
    # What is dated after today may be of this occasion, and may not: it is hidden, and lifts nothing.
    at_occasion = [one for one in responses if opens <= day(one) <= closes or day(one) > today]
    rated = any(one.rater == viewer and one.complete and day(one) <= today for one in at_occasion)
    if rated or any(opens <= each <= min(closes, today) for each in elsewhere):
        return Among()
    others = [response for response in at_occasion if response.rater != viewer]
    # By its identifier it may have been opened here before the record had it.
    return Among(one for one in others if one.key not in seen_first and one.identifier not in seen_first)
