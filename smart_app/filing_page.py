"""The page of one filing: what became of it, what was written, what the record has instead, and what can be done."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass, replace
from decimal import Decimal

from flask import render_template, url_for

from imr_fhir import response
from imr_fhir.ehr.address import local_reference
from imr_fhir.errors import EhrError
from imr_fhir.response import Response
from smart_app.auditing import audit
from smart_app.charting import read
from smart_app.choosing import seen_of
from smart_app.delivery import to_print
from smart_app.language import say, words
from smart_app.open_launch import Launch
from smart_app.placing import place_now
from smart_app.presenters import receipt, written
from smart_app.presenters.receipt import Receipt
from smart_app.presenters.versions import Known, Versions, versions
from smart_app.presenters.written import Written
from smart_app.saving import courier_of, plan_of
from smart_app.scale_page import title
from smart_app.seen_first import names_of
from smart_app.state import now, state
from smart_app.store.errors import BodyPurged, NoAccess
from smart_app.store.filing import Filing
from smart_app.store.filing_states import State
from smart_app.store.filing_steps import SETTLED
from smart_app.store.owner import Owner


@dataclass(frozen=True)
class Viewed:
    """A filing as this launch may see it: ``owner`` with the key of its ``patient`` (id), ``here`` the launch's own."""

    filing: Filing
    owner: Owner
    patient: str
    here: bool

    @property
    def is_others(self) -> bool:
        return self.filing.owner.user_key != self.owner.user_key

    @property
    def asks_reason(self) -> bool:
        """For whatever is done with it."""
        return self.is_others or not self.here

    @property
    def settled(self) -> bool:
        """A reply that was lost so long ago may not arrive any more."""
        return self.filing.lost is None or now() - self.filing.lost > SETTLED


def places(launch: Launch) -> tuple[tuple[Owner, str], ...]:
    """Whose filings this launch may see: its patient's, and theirs whose records the EHR merged into this one.

    Of the latter nothing is ever sent: they are read, printed, and taken back with a reason.
    """
    own, keys = launch.record.owner, state().store.launches
    merged = (
        (replace(own, patient_key=keys.patient_key(own.site, each)), each) for each in launch.record.context.replaces
    )
    return ((own, launch.patient), *merged)


def left_elsewhere(launch: Launch) -> tuple[Filing, ...]:
    """What is not saved of records that were merged into this one, by whomever."""
    filings = state().store.filings
    return tuple(each for of, _ in places(launch)[1:] for each in (*filings.outbox(of), *filings.left_by_others(of)))


def find(launch: Launch, fid: str) -> Viewed:
    """Raises NoAccess."""
    for owner, patient in places(launch):
        with suppress(NoAccess):
            return Viewed(state().store.filings.get(fid, owner), owner, patient, here=patient == launch.patient)
    raise NoAccess


def is_blind(launch: Launch, viewed: Viewed) -> bool:
    """This clinician did not type the patient's answers and may have yet to rate: they open by a press of their own. Of
    answers that are taken back only what the record has instead is shown: they are compared."""
    details, compared = viewed.filing.details, viewed.filing.state is State.DUPLICATE
    kinds = ("response", "correction", *(("withdrawal",) if compared else ()))
    answers = details["kind"] in kinds and details.get("rater") == "client"
    typed = not viewed.is_others and details.get("author") != f"Patient/{viewed.patient}"
    rates = launch.role == "clinician" and launch.site.allow_unverified_clinician_scale
    opened = names_of(viewed.filing)[0] in launch.record.context.opened
    return answers and not typed and rates and not opened and not _compared(launch, viewed)


def _compared(launch: Launch, viewed: Viewed) -> bool:
    """What is only here, and no more hidden on the panel: this clinician has rated."""
    if viewed.is_others or not viewed.here or viewed.filing.state is not State.SEALED or not to_print(viewed.filing):
        return False
    with suppress(EhrError):
        return viewed.filing.details["key"] not in {one.identifier for one in read(launch)[1].hidden}
    return False


def show(launch: Launch, viewed: Viewed, *, reason: str = "", error: str = "", which_error: str = "") -> str:
    """``reason`` as it was typed, where something stands in the way."""
    found, here = viewed.filing, viewed.here
    audit("view", launch, resources=(*(str(part.request["full_url"]) for part in found.parts), *found.candidates))
    blind, may_act = is_blind(launch, viewed), launch.role == "clinician"
    plan, settled = plan_of(launch), viewed.settled
    actions = receipt.actions(words(), found, plan, settled=settled, here=here, blind=blind) if may_act else ()
    rating = _rating(viewed)
    compared = _versions(launch, viewed) if found.state is State.DUPLICATE and here and not blind else ()
    choices = receipt.choices(actions, compared)
    can = {"choose": bool(choices), "correct": any(each.correct for each in choices)}
    # what there is to be compared, another look would find again
    can |= {"send": found.state is not State.DUPLICATE or not (compared or blind)}
    page = Receipt(
        title=receipt.title(words(), found),
        sentence=receipt.sentence(
            words(),
            found,
            here=here,
            blind=blind,
            placed=here and bool(place_now(found, plan)),
            compared=bool(compared),
        ),
        about=(receipt.act_line(words(), found), *(_about(launch, found, rating) if rating and not blind else ())),
        marks=receipt.marks(words(), rating) if rating else (),
        facts=receipt.facts(words(), found, launch.site.zone, settled=settled, here=here),
        said=receipt.said(found),
        why=receipt.why(found),
        by=say("filing.by", name=found.details["by"]) if viewed.is_others else "",
        parts=receipt.part_groups(words(), found, launch.site.record_link),
        actions=tuple(action for action in actions if can.get(action.do, True)),
        asks_reason=viewed.asks_reason,
        reason=reason,
        error=error,
        which_error=which_error,
        prints=to_print(found) and not blind,
        blind=blind,
        record=() if blind else _written(viewed),
        versions=compared,
        choices=choices,
        post_to=url_for("filing.act", lid=launch.id, fid=found.id),
        again_url=_again_url(launch, found) if here else "",
        next_url=url_for("panel.show", lid=launch.id),
        next_label=say("page.to_panel"),
    )
    return render_template("filing/receipt.html", page=page)


def written_answers(viewed: Viewed) -> Response | None:
    """The answers of a rating or a correction, as they were sealed; None where it is neither. Raises BodyPurged."""
    bodies = (json.loads(body, parse_float=Decimal) for body in state().store.filings.bodies(viewed.filing).values())
    answers = [body for body in bodies if body["resourceType"] == "QuestionnaireResponse"]
    rates = viewed.filing.details["kind"] in ("response", "correction") and answers
    return response.from_resource(answers[0], patient=viewed.patient) if rates else None


def _rating(viewed: Viewed) -> Response | None:
    """The same, None too where the record has it and here it was deleted on time."""
    try:
        return written_answers(viewed)
    except BodyPurged:
        return None


def _about(launch: Launch, found: Filing, rating: Response) -> tuple[str, ...]:
    return receipt.about(words(), rating.in_zone(launch.site.zone), title(launch, rating.rater), found.details["by"])


def _versions(launch: Launch, viewed: Viewed) -> tuple[Versions, ...]:
    found, record = viewed.filing, launch.record
    user = local_reference(launch.fhir_user, record.context.fhir_base)
    names = {f"Patient/{launch.patient}": launch.patient_name} | ({str(user): launch.user_name} if user else {})
    known = Known(launch.patient, names, launch.site.zone, launch.site.record_link)
    seen = zip(found.current, seen_of(found, courier_of(launch)), strict=True)
    return tuple(
        versions(words(), str(part.request["name"]), each.part.resource, each.resources, known)
        for part, each in seen
        if each.clashes
    )


def _written(viewed: Viewed) -> tuple[Written, ...]:
    # of an old document that the record lets the app not mark, it is said that it stays current
    unmarked = {part.number for part in viewed.filing.kept if part.unsent and part.request["name"] == "superseded"}
    try:
        bodies = state().store.filings.bodies(viewed.filing)
        kept = [body for number, body in bodies.items() if number not in unmarked]
        return written.written(words(), kept, viewed.patient)
    except BodyPurged:
        return ()  # the record has it, and here it was deleted on time


def _again_url(launch: Launch, found: Filing) -> str:
    """To the page of what the record has now, after a change that came too late and is no correction."""
    ids = {kind: identity for kind, _, identity in (each.partition("/") for each in found.candidates)}
    if found.details["kind"] == "withdrawal" and "QuestionnaireResponse" in ids:
        return url_for("form.withdraw", lid=launch.id, response_id=ids["QuestionnaireResponse"])
    if found.details["kind"] == "goal" and "Goal" in ids:
        return url_for("goals.edit", lid=launch.id, goal_id=ids["Goal"])
    return ""
