"""The launch's patient as the record has it now, and the situation in which this viewer looks."""

from __future__ import annotations

from imr_fhir.ehr.address import local_reference
from imr_fhir.ehr.chart import Chart, read_chart
from smart_app.access import Launch, audit
from smart_app.language import words
from smart_app.presenters.header import called
from smart_app.presenters.known import Known, known
from smart_app.presenters.situation import Situation


def read(launch: Launch) -> tuple[Chart, Known, Situation]:
    """The chart, what is worked out of it for this viewer, and the situation. Raises EhrError, LaunchError."""
    chart = read_chart(launch.client(), launch.patient, zone=launch.site.zone)
    for problem in chart.problems:
        if problem.kind == "other-patient":
            audit("foreign-dropped", launch, outcome="refused", purpose=f"{problem.count} of {problem.about}")
    user = local_reference(launch.fhir_user, launch.record.context.fhir_base)
    situation = Situation(
        today=launch.today,
        may_write=launch.role == "clinician",
        clinician_on=launch.site.allow_unverified_clinician_scale,
        viewer=f"{user.type}/{user.id}" if user else "",
        opened=frozenset(launch.record.context.opened),
        pair_window=launch.site.pair_window_days,
    )
    return chart, known(words(), chart, situation, name=called(chart.patient.name)), situation
