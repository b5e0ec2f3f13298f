"""A story file, one a patient: ``sandbox/data/README.md`` says what each field means."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from imr_fhir.scale import ITEM_COUNT, NA, Rater, Ratings

FOLDER = Path(__file__).parents[1] / "sandbox" / "data" / "stories"


@dataclass(frozen=True, kw_only=True)
class Rating:
    day: int
    rater: Rater
    answers: str
    comment: str = ""
    by: str = ""

    @property
    def ratings(self) -> Ratings:
        """Raises ValueError where ``answers`` is anything but 15 of its characters."""
        if len(self.answers) != ITEM_COUNT or not set(self.answers) <= set("12345-."):
            raise ValueError(f"{self.answers!r} is not {ITEM_COUNT} of 1 to 5, - and .")
        return {n: NA if mark == "-" else int(mark) for n, mark in enumerate(self.answers, start=1) if mark != "."}


@dataclass(frozen=True, kw_only=True)
class NotRated:
    day: int
    outcome: str
    ask_again: int | None = None


@dataclass(frozen=True, kw_only=True)
class Review:
    day: int
    result: str
    helped: str = ""
    person: str = ""
    around: str = ""
    services: str = ""


@dataclass(frozen=True, kw_only=True)
class Aim:
    """A goal, or a step of one."""

    text: str
    day: int
    due: int | None = None
    area: str = ""
    theirs: bool = True
    helps: tuple[str, ...] = ()
    hinders: tuple[str, ...] = ()
    reviews: tuple[Review, ...] = ()
    steps: tuple["Aim", ...] = ()


@dataclass(frozen=True, kw_only=True)
class Story:
    patient: str
    story: str
    clinician: str
    language: str = "en"
    ratings: tuple[Rating, ...] = ()
    not_rated: tuple[NotRated, ...] = ()
    goals: tuple[Aim, ...] = ()

    @property
    def name(self) -> str:
        """The patient's: the packaged records have it as their id."""
        return self.patient.replace("-", " ").title()


def stories() -> tuple[Story, ...]:
    """All that are packaged, by patient."""
    return tuple(_story(json.loads(path.read_text(encoding="utf-8"))) for path in sorted(FOLDER.glob("*.json")))


def _story(raw: Mapping[str, Any]) -> Story:
    lists = {
        "ratings": tuple(Rating(**each) for each in raw.get("ratings", ())),
        "not_rated": tuple(NotRated(**each) for each in raw.get("not_rated", ())),
        "goals": tuple(_aim(each) for each in raw.get("goals", ())),
    }
    return Story(**{**raw, **lists})


def _aim(raw: Mapping[str, Any]) -> Aim:
    lists = {
        "helps": tuple(raw.get("helps", ())),
        "hinders": tuple(raw.get("hinders", ())),
        "reviews": tuple(Review(**each) for each in raw.get("reviews", ())),
        "steps": tuple(_aim(each) for each in raw.get("steps", ())),
    }
    return Aim(**{**raw, **lists})
