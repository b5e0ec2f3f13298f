"""The launch's patient as the record has it now, and the situation in which this viewer looks."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import replace
from decimal import Decimal

from imr_fhir import response
from imr_fhir.documented import standing
from imr_fhir.ehr.address import local_reference
from imr_fhir.ehr.chart import Chart, read_chart
from imr_fhir.ehr.patient import Patient
from imr_fhir.errors import EhrError
from imr_fhir.response import Response
from imr_fhir.score_reading import not_filed
from smart_app.auditing import audit
from smart_app.delivery import to_print
from smart_app.language import words
from smart_app.open_launch import Launch
from smart_app.plan import Plan
from smart_app.presenters.header import called
from smart_app.presenters.known import Known, known
from smart_app.presenters.notes import seen_first
from smart_app.presenters.situation import Situation
from smart_app.saving import plan_of
from smart_app.site_codes import figure_codes
from smart_app.state import state
from smart_app.store.errors import BodyPurged
from smart_app.store.filing import Filing
from smart_app.store.filing_states import State


def read(launch: Launch) -> tuple[Chart, Known, Situation]:
    """The chart, what is worked out of it for this viewer, and the situation. Raises EhrError, LaunchError.

    With it what this clinician saved and this EHR takes nowhere: a rating all the same, or each would stay blind for
    the other for ever.
    """
    outbox: tuple[Filing, ...] = ()
    here: tuple[Response, ...] = ()
    # before the chart: what gets into the record meanwhile is in both and known by its name, not in neither
    with state().store.reading():
        plan = plan_of(launch)
        if launch.role == "clinician":
            outbox = state().store.filings.outbox(launch.record.owner)
            here = _printed_ratings(launch, outbox)
    chart, situation = _chart(launch, plan), replace(_situation(launch, plan), outbox=outbox)
    if more := not_filed(here, chart.responses):
        chart = replace(chart, responses=(*chart.responses, *more))
    return chart, _known(chart, situation), situation


def read_with(launch: Launch, waiting: Iterable[Response], *, documented: bool = False) -> tuple[Known, Situation]:
    """The same with ratings that the record does not have yet; of them alone where it can't be read now.
    ``documented``: with those too that it has as documents, as far as they are still here.

    Raises EhrError where there is nothing to show at all.
    """
    waiting, plan = tuple(waiting), plan_of(launch)
    try:
        chart = _chart(launch, plan)
    except EhrError:
        if not waiting:
            raise
        of = Patient(launch.patient, launch.patient_name, launch.record.context.birth_date, gender="", deceased=False)
        chart = Chart(of, (), (), (), None, ())
    situation = _situation(launch, plan)
    if documented:
        waiting = (*waiting, *_documented(launch, chart))
    more = replace(chart, responses=(*chart.responses, *not_filed(waiting, chart.responses)))
    return _known(more, situation), situation


def uncovered(launch: Launch, gone: Response) -> tuple[Response, ...]:
    """What is open to this viewer now, and would not be without the rating ``gone``. Raises EhrError, LaunchError."""
    return _uncovered(gone, *read(launch))


def beside(launch: Launch, rating: Response) -> tuple[Response, ...]:
    """What is open to this viewer now and stands beside the clinician's ``rating``: the patient's answers of its pair,
    however long ago, and what would not be open without it; also of those that this user saved and the record does not
    have yet. Not what is noted as seen by this viewer already.

    Raises EhrError, LaunchError.
    """
    chart, all_of, situation = read(launch)
    found = _beside(rating, chart, all_of, situation)
    theirs = [one for one in _ratings(launch, situation.outbox) if one.rater == "client"]
    if more := not_filed(theirs, chart.responses):  # as if they were there, and as if they never will be
        chart = replace(chart, responses=(*chart.responses, *more))
        with_them = _beside(rating, chart, _known(chart, situation), situation)
        found = (*found, *(one for one in with_them if one not in found))
    return found


def _beside(rating: Response, chart: Chart, all_of: Known, situation: Situation) -> tuple[Response, ...]:
    own = [each for each in all_of.occasions if (of := each.of("clinician")) and of.reference == rating.reference]
    paired = [theirs for each in own if (theirs := all_of.seen(each, "client"))]
    noted = seen_first(all_of.notes, paired, situation.viewer)
    more = _uncovered(rating, chart, all_of, situation)
    return (*(one for one in paired if one.key not in noted and one not in more), *more)


def _uncovered(gone: Response, chart: Chart, all_of: Known, situation: Situation) -> tuple[Response, ...]:
    rest = replace(
        chart,
        responses=tuple(one for one in chart.responses if one.reference != gone.reference),
        documents=tuple(one for one in chart.documents if f"DocumentReference/{one.id}" != gone.reference),
    )
    return tuple(one for one in _known(rest, situation).hidden if one not in all_of.hidden)


def waiting_ratings(launch: Launch) -> tuple[Response, ...]:
    """New ratings that this user saved for this patient and the record does not have yet, in the hospital's time."""
    return _ratings(launch, state().store.filings.outbox(launch.record.owner))


def _printed_ratings(launch: Launch, outbox: Iterable[Filing]) -> tuple[Response, ...]:
    """Those of them that this EHR takes nowhere, until they are said to be printed."""
    found = _ratings(launch, [each for each in outbox if each.state is State.SEALED and to_print(each)])
    return tuple(replace(one, kept="print") for one in found)


def _documented(launch: Launch, chart: Chart) -> Iterator[Response]:
    """What this user saved for this patient as documents, in the hours for which the app keeps what it filed."""
    filings, stand = state().store.filings, {each.id for each in standing(chart.documents)}
    for filing in filings.filed(launch.record.owner) if stand else ():
        named = {part.receipt.id for part in filing.parts if part.type == "DocumentReference" and part.receipt}
        if named & stand:
            with suppress(BodyPurged):
                for body in filings.bodies(filing).values():
                    found = json.loads(body, parse_float=Decimal)
                    if found["resourceType"] == "QuestionnaireResponse":
                        rating = response.from_resource(found, patient=launch.patient).in_zone(launch.site.zone)
                        yield replace(rating, kept="text")


def _ratings(launch: Launch, outbox: Iterable[Filing]) -> tuple[Response, ...]:
    filings, zone = state().store.filings, launch.site.zone
    saved = [filing for filing in outbox if filing.details["kind"] == "response"]
    bodies = (json.loads(body, parse_float=Decimal) for filing in saved for body in filings.bodies(filing).values())
    found = [
        response.from_resource(body, patient=launch.patient)
        for body in bodies
        if body["resourceType"] == "QuestionnaireResponse"
    ]
    return tuple(one.in_zone(zone) for one in found)


def _chart(launch: Launch, plan: Plan) -> Chart:
    site = launch.site
    chart = read_chart(
        launch.client(),
        launch.patient,
        zone=site.zone,
        episode_types=site.course_episode_types,
        codes=figure_codes(site),
        document_type=site.document_type if plan.documents else "",
        unknown=plan.unknown,
    )
    for problem in chart.problems:
        if problem.kind == "other-patient":
            audit("foreign-dropped", launch, outcome="refused", purpose=f"{problem.count} of {problem.about}")
    return chart


def _situation(launch: Launch, plan: Plan) -> Situation:
    user = local_reference(launch.fhir_user, launch.record.context.fhir_base)
    return Situation(
        today=launch.today,
        may_write=launch.role == "clinician",
        clinician_on=launch.site.allow_unverified_clinician_scale,
        own_record=launch.role == "patient",
        viewer=f"{user.type}/{user.id}" if user else "",
        opened=frozenset(launch.record.context.opened),
        pair_window=launch.site.pair_window_days,
        plan=plan if launch.role == "clinician" else None,
    )


def _known(chart: Chart, situation: Situation) -> Known:
    return known(words(), chart, situation, name=called(chart.patient.name))
