"""A story as the resources that the app would have filed in that life, with their Provenance. Pure."""

import uuid
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Any

from imr_fhir import artefacts, record, response
from imr_fhir.bundle import Part
from imr_fhir.goal import Goal, reviewed
from imr_fhir.goal import to_resource as goal_resource
from imr_fhir.observation import score_observation
from imr_fhir.provenance import provenance
from imr_fhir.record import DueOutcome, Factor, Note
from imr_fhir.scale import ITEM_COUNT, Rater, scale
from smart_app.stories.story import Aim, NotRated, Rating, Review, Story

# Within the packaged visits, which all begin at 08:00 UTC and last 50 minutes.
_ANSWERED: Mapping[Rater, time] = {"client": time(8, 20), "clinician": time(8, 45)}
_TALKED = time(8, 35)
_NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, f"{artefacts.BASE}/stories")


@dataclass(frozen=True)
class Setting:
    """The hospital that a story is told to. ``visits``: the day of each visit of this patient -> its Encounter."""

    today: date  # day 0
    zone: tzinfo
    visits: Mapping[date, str]


def parts(story: Story, setting: Setting) -> Iterator[Part]:
    """All of the life, one act after the other, each act with its own filing; told again, the identifiers are the same.

    The parts refer to each other by "urn:uuid:...": one transaction takes them all. Raises ResourceError.
    """
    telling = _Telling(story, setting)
    for rating in story.ratings:
        yield from telling.rating(rating)
    for each in story.not_rated:
        yield from telling.not_rated(each)
    for number, aim in enumerate(story.goals, start=1):
        yield from telling.goal(f"goal-{number}", aim)


class _Telling:
    """``place`` is the name of a thing in the story ("goal-1/step-2"), from which its UUID follows."""

    def __init__(self, story: Story, setting: Setting) -> None:
        self._story = story
        self._setting = setting
        self._patient = f"Patient/{story.patient}"
        self._clinician = f"Practitioner/{story.clinician}"

    def rating(self, rating: Rating) -> Iterator[Part]:
        place = f"{rating.rater}/{rating.day}"
        clinician = f"Practitioner/{rating.by}" if rating.by else self._clinician
        rater = self._patient if rating.rater == "client" else clinician
        when = self._at(rating.day, _ANSWERED[rating.rater])
        said = response.Response(
            rater=rating.rater,
            status="completed" if len(rating.ratings) == ITEM_COUNT else "stopped",
            ratings=rating.ratings,
            comment=rating.comment,
            identifier=self._urn(place),
            id="",
            version_id="",
            patient=self._story.patient,
            source=rater,
            author=rater,
            encounter=self._visit(rating.day),
            measured=when,
            authored=when,
            language=self._story.language,
            questionnaire=scale(rating.rater).canonical,
        )
        filing, score_urn = self._uuid(f"{place}/filing"), self._urn(f"{place}/score")
        answers = response.to_resource(said, filing=filing, profile=True)
        score = score_observation(said, response_reference=said.identifier, urn=score_urn, filing=filing, profile=True)
        filed = [Part(answers, said.identifier), Part(score, score_urn)]
        yield from self._act(filed, when, filing, author=rater, enterer=clinician)

    def not_rated(self, said: NotRated) -> Iterator[Part]:
        place = f"not-rated/{said.day}"
        new_date = None if said.ask_again is None else self._date(said.ask_again)
        note = DueOutcome(**self._about(said.day, place, self._clinician), outcome=said.outcome, new_date=new_date)
        yield from self._talks({said.day: [note]}, place, self._clinician)

    def goal(self, place: str, aim: Aim) -> Iterator[Part]:
        """The goal and its steps as they are now, and by day what was said of them."""
        author = self._patient if aim.theirs else self._clinician
        said: dict[int, list[Goal | Note]] = defaultdict(list)
        for each, where, parent in self._aims(place, aim):
            said[each.day].append(self._as_it_is_now(each, where, parent, theirs=aim.theirs))
            for day, note in self._notes(each, where, author):
                said[day].append(note)
        yield from self._talks(said, place, author)

    def _aims(self, place: str, aim: Aim) -> Iterator[tuple[Aim, str, str]]:
        """The goal and each of its steps, its place, and the reference of the step's goal."""
        yield aim, place, ""
        for number, step in enumerate(aim.steps, start=1):
            yield step, f"{place}/step-{number}", self._urn(place)

    def _as_it_is_now(self, aim: Aim, place: str, parent: str, *, theirs: bool) -> Goal:
        begun = self._date(aim.day)
        now = Goal(
            patient=self._story.patient,
            text=aim.text,
            identifier=self._urn(place),
            category=aim.area,
            start=begun,
            due=None if aim.due is None else self._date(aim.due),
            achievement="in-progress",
            status_date=begun,
            theirs=theirs,
            parent=parent,
        )
        for review in aim.reviews:
            now = reviewed(now, review.result, self._date(review.day))
        return now

    def _notes(self, aim: Aim, place: str, author: str) -> Iterator[tuple[int, Note]]:
        focus = self._urn(place)
        for number, text in enumerate(aim.helps, start=1):
            about = self._about(aim.day, f"{place}/helps-{number}", author)
            yield aim.day, Factor(**about, kind="helps", text=text, focus=focus)
        for number, text in enumerate(aim.hinders, start=1):
            about = self._about(aim.day, f"{place}/hinders-{number}", author)
            yield aim.day, Factor(**about, kind="hinders", text=text, focus=focus)
        for review in aim.reviews:
            yield review.day, self._review(review, f"{place}/review/{review.day}", author, focus)

    def _review(self, review: Review, place: str, author: str, focus: str) -> Note:
        return record.Review(
            **self._about(review.day, place, author),
            focus=focus,
            result=review.result,
            helped=review.helped,
            hindered_person=review.person,
            hindered_around=review.around,
            hindered_services=review.services,
        )

    def _talks(self, said: Mapping[int, Sequence[Goal | Note]], place: str, author: str) -> Iterator[Part]:
        """What was said on one day is one act."""
        for day, things in said.items():
            filing = self._uuid(f"{place}/filing/{day}")
            filed = [self._part(thing, filing) for thing in things]
            yield from self._act(filed, self._at(day, _TALKED), filing, author=author, enterer=self._clinician)

    def _part(self, thing: Goal | Note, filing: str) -> Part:
        if isinstance(thing, Goal):
            return Part(goal_resource(thing, filing=filing, profile=True), thing.identifier)
        return Part(record.to_resource(thing, filing=filing, profile=True), thing.identifier)

    def _act(self, filed: Sequence[Part], when: datetime, filing: str, *, author: str, enterer: str) -> Iterator[Part]:
        yield from filed
        targets = [part.full_url for part in filed]
        told = provenance("create", targets=targets, author=author, enterer=enterer, recorded=when, filing=filing)
        yield Part(told, self._urn(f"{filing}/provenance"))

    def _about(self, day: int, place: str, performer: str) -> dict[str, Any]:
        """What all notes have."""
        return {
            "patient": self._story.patient,
            "said": self._at(day, _TALKED),
            "performer": performer,
            "identifier": self._urn(place),
            "encounter": self._visit(day),
        }

    def _date(self, day: int) -> date:
        return self._setting.today + timedelta(day)

    def _at(self, day: int, when: time) -> datetime:
        return datetime.combine(self._date(day), when, UTC).astimezone(self._setting.zone)

    def _visit(self, day: int) -> str:
        return self._setting.visits.get(self._date(day), "")

    def _uuid(self, place: str) -> str:
        return str(uuid.uuid5(_NAMESPACE, f"{self._story.patient}/{place}"))

    def _urn(self, place: str) -> str:
        return f"urn:uuid:{self._uuid(place)}"
