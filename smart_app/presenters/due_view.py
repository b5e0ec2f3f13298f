"""Whether it is time to rate, what became of it if not, and when the next time is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from imr_fhir.course import Course
from imr_fhir.documented import Document
from imr_fhir.due import DueOccasion, DueOutcome, Standing, next_due, occasions, standing
from imr_fhir.record import OUTCOMES
from imr_fhir.response import Response
from imr_fhir.scale import Rater
from smart_app.language import Words

_ASK_AGAIN = timedelta(days=7)  # most people come once a week


@dataclass(frozen=True, slots=True)
class DueView:
    text: str
    not_today: str  # opens the form that puts it off; "" where there is nothing to put off
    small: tuple[str, ...]  # who has not answered yet, and what is known of the course
    outcomes: tuple[tuple[str, str], ...] = ()  # what may become of it: code and words
    once: str = ""  # names the form: pressed twice, one note
    ask_again: str = ""  # the date that the form begins with, YYYY-MM-DD
    waiting: tuple[Rater, ...] = ()  # who has not answered yet


def due_view(
    words: Words,
    course: Course | None,
    occasion: DueOccasion | None,
    responses: Sequence[Response],
    outcomes: Sequence[DueOutcome],
    names: Mapping[Rater, str],
    today: date,
    documents: Iterable[Document] = (),
) -> DueView | None:
    """None without a course: nothing is due before a first rating.

    ``occasion`` is the one of ``course`` whose due window is open; ``names`` holds the raters of this site; of
    ``documents`` those that stand.
    """
    if course is None:
        return None
    about = tuple(_course(words, course))
    documents = tuple(documents)
    if occasion is not None:
        stands = {
            rater: standing(occasion, rater, responses, outcomes, today=today, documents=documents) for rater in names
        }
        about = (*_documented(words, names, stands), *about)
        waiting = tuple(rater for rater, stand in stands.items() if stand.state == "open")
        if waiting:
            text, button = words.parts("due", a=words.day(occasion.opens), b=words.day(occasion.closes))
            return DueView(
                text,
                button,
                (words.say("due.who", names=", ".join(_inside(words, names, rater) for rater in waiting)), *about),
                tuple((code, words.say(f"due.option.{code}")) for code in OUTCOMES),
                f"due {occasion.due} {len(outcomes)}",
                (today + _ASK_AGAIN).isoformat(),
                waiting,
            )
        for stand in stands.values():
            if stand.state in ("not-today", "declined", "too-unwell", "not-asked"):
                noted = words.say(f"due.{stand.state}")
                if stand.ask_on:
                    noted = f"{noted} {words.say('due.ask_on', date=words.day(stand.ask_on))}"
                return DueView(noted, "", about)
    ahead = next_due(course, today)
    lines = [*_missed(words, course, responses, outcomes, names, today, documents)]
    if ahead is not None:
        lines.append(words.say("due.next", a=words.day(ahead.opens), b=words.day(ahead.closes)))
    return DueView(" ".join(lines), "", about)


def _documented(words: Words, names: Mapping[Rater, str], stands: Mapping[Rater, Standing]) -> Iterable[str]:
    """Who has answered in a document: of what it says nothing is known here, so it is said that it is there."""
    for rater, stand in stands.items():
        if stand.document:
            key = "due.document" if stand.state == "answered" else "due.document.early"
            yield words.say(key, name=names[rater], day=words.day(stand.document))


def _inside(words: Words, names: Mapping[Rater, str], rater: Rater) -> str:
    """As it stands inside a sentence: a role is no name."""
    return words.say("rater.clinician.inside") if rater == "clinician" else names[rater]


def _missed(
    words: Words,
    course: Course,
    responses: Iterable[Response],
    outcomes: Iterable[DueOutcome],
    names: Mapping[Rater, str],
    today: date,
    documents: Iterable[Document],
) -> Iterable[str]:
    """The last occasion where nobody rated, and nobody said why."""
    passed: list[DueOccasion] = [occasion for occasion in occasions(course, today) if occasion.closes < today]
    if passed:
        last = passed[-1]
        states = {standing(last, each, responses, outcomes, today=today, documents=documents).state for each in names}
        if states == {"missed"}:
            yield words.say("due.missed", a=words.day(last.opens), b=words.day(last.closes))


def _course(words: Words, course: Course) -> Iterable[str]:
    if course.source == "gap":
        yield words.say("course.gap")
    if course.status == "onhold":
        yield words.say("course.on_hold")
    elif course.status == "offered":
        yield words.say("course.offered")
    elif course.end is not None:
        yield words.say("course.ended", date=words.day(course.end))
