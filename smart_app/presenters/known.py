"""What is worked out of a chart once, for all parts of the panel; what may not be seen yet is taken out here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from imr_fhir.blind import hidden_from_clinician, hidden_from_patient
from imr_fhir.change import CannotSay, Change, change
from imr_fhir.course import Course, course_of, courses, firsts_of, responses_in
from imr_fhir.documented import Document
from imr_fhir.documented import standing as standing_documents
from imr_fhir.due import DueOccasion, current
from imr_fhir.ehr.chart import Chart
from imr_fhir.history import LISTED, Among, ahead, in_time
from imr_fhir.pairing import Pair, pairs
from imr_fhir.record import Note
from imr_fhir.response import Response
from imr_fhir.scale import RATERS, Rater
from smart_app.language import Words
from smart_app.presenters.notes import seen_first, standing
from smart_app.presenters.occasions import Occasion, occasions
from smart_app.presenters.situation import Situation


@dataclass(frozen=True, slots=True)
class Known:
    names: Mapping[Rater, str]  # of the raters that this site shows, client first
    courses: tuple[Course, ...]
    course: Course | None  # the one that runs, else the last
    open: DueOccasion | None  # whose due window is open today
    notes: tuple[Note, ...]
    visible: tuple[Response, ...]
    hidden: Among
    occasions: tuple[Occasion, ...]  # latest first; the hidden ones too
    ahead: Among  # dated after today: they count for nothing
    superseded: frozenset[str]
    firsts: Mapping[tuple[Course, Rater], Response | None]
    documents: tuple[Document, ...]  # those that stand

    def seen(self, occasion: Occasion, rater: Rater) -> Response | None:
        """The rater's response at ``occasion``, unless it may not be seen yet."""
        response = occasion.of(rater)
        return None if response in self.hidden else response

    def pair(self, occasion: Occasion) -> Pair | None:
        """Both raters' responses at ``occasion``, where both may be seen."""
        client, clinician = self.seen(occasion, "client"), self.seen(occasion, "clinician")
        return Pair(client, clinician) if client and clinician else None

    def whole_pair(self, occasion: Occasion) -> Pair | None:
        """The same where both are complete: what was stopped is not looked at together."""
        found = self.pair(occasion)
        return found if found and found.client.complete and found.clinician.complete else None

    def first(self, response: Response) -> Response | None:
        """The First of the course in which ``response`` was given, by the same rater."""
        course = course_of(response, self.courses)
        return None if course is None else self.firsts[course, response.rater]

    def latest(self, rater: Rater) -> Response | None:
        return next(iter(self._own(rater)), None)

    def _own(self, rater: Rater) -> list[Response]:
        """The rater's that may be seen, latest first: occasions go by the later of two days, and where a site pairs
        over more than four weeks a later one may hold the rater's earlier rating."""
        seen = (self.seen(occasion, rater) for occasion in self.occasions)
        return sorted((response for response in seen if response), key=in_time, reverse=True)

    def before(self, response: Response) -> Response | None:
        """The same rater's rating before, at an earlier occasion."""
        own = self._own(response.rater)
        place = own.index(response)
        return own[place + 1] if place + 1 < len(own) else None

    def change(self, response: Response, situation: Situation) -> Change | CannotSay | None:
        """From First to ``response`` where it is its rater's latest (one flag a rater), else None."""
        course = course_of(response, self.courses)
        if course is None or response != self.latest(response.rater):
            return None
        own = [one for one in responses_in(course, self.visible) if one.rater == response.rater]
        return change(own, first=self.firsts[course, response.rater], table=situation.parameters)


def known(words: Words, chart: Chart, situation: Situation, *, name: str) -> Known:
    """``name`` is what the patient is called, "" where the record has no name."""
    notes = standing(chart.notes)
    listed = [response for response in chart.responses if response.status in LISTED]
    later = ahead(listed, situation.today)
    counted = [response for response in listed if response not in later]
    found = () if chart.episodes is None else courses(chart.episodes, counted, situation.table, today=situation.today)
    course = current_course(found, situation.today)
    now_due = current(course, situation.today) if course else None
    scheduled = None if chart.episodes is None else course is not None and course.runs(situation.today)
    opened = situation.opened | seen_first(notes, chart.responses, situation.viewer)
    if situation.own_record:  # which lists all there is, also what was taken back or only begun
        hidden = hidden_from_patient(
            chart.responses,
            now_due,
            today=situation.today,
            seen_first=opened,
            scheduled=scheduled,
            elsewhere=_documented(chart, "client"),
        )
    else:
        hidden = hidden_from_clinician(
            listed,
            now_due,
            today=situation.today,
            clinician_on=situation.clinician_on,
            may_rate=situation.may_write,
            scheduled=scheduled,
            seen_first=opened,
            elsewhere=_documented(chart, "clinician"),
        )
    pairing = pairs(counted, found, situation.pair_window)
    visible = tuple(response for response in counted if response not in hidden)
    both = situation.clinician_on or any(response.rater == "clinician" for response in listed)
    names: dict[Rater, str] = {"client": name or words.say("header.unnamed"), "clinician": words.say("rater.clinician")}
    return Known(
        names={rater: names[rater] for rater in (RATERS if both else RATERS[:1])},
        courses=found,
        course=course,
        open=now_due,
        notes=notes,
        visible=visible,
        hidden=hidden,
        occasions=occasions(pairing),
        ahead=later,
        superseded=frozenset(response.key for response in pairing.superseded),
        firsts={
            (course, rater): firsts.get(rater)
            for course in found
            for firsts in (firsts_of(course, visible),)
            for rater in RATERS
        },
        documents=standing_documents(chart.documents),
    )


def _documented(chart: Chart, rater: Rater) -> frozenset[date]:
    """Days of whole ratings of ``rater`` that the record has as documents and that stand."""
    return frozenset(each.day for each in standing_documents(chart.documents) if each.rater == rater and each.complete)


def current_course(found: Sequence[Course], today: date) -> Course | None:
    """The course that runs today, else the last one."""
    running = [course for course in found if course.runs(today)]
    return max(running or found, key=lambda course: course.start, default=None)
