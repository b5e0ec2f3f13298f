"""What the posted goal pages say: a goal, its steps, what helps and what stands in the way, a review. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from smart_app.answering import AnswerError, read_text

WORDS_MAX = 500
STEP_ROWS = 3
STEP_ROWS_MAX = 20
AREAS = (
    "work-learning", "home", "people", "health-body", "leisure-culture", "money-rights", "meaning", "other",
)  # fmt: skip
RESULTS = ("done", "partly", "not-yet", "not-wanted")
GOAL_RESULTS = ("achieved", "going", "not-wanted")
WHY = ("helped", "person", "around", "services")

Fault = tuple[str, dict[str, object]]  # message key and its parameters


@dataclass(frozen=True)
class StepRow:
    text: str = ""
    due: str = ""  # as typed; a date once there are no faults
    id: str = ""  # of a step that the record has

    @property
    def date(self) -> date | None:
        return date.fromisoformat(self.due) if self.due else None


@dataclass(frozen=True)
class GoalForm:
    """As typed, with the faults by field name; nothing is filed while there is one."""

    text: str = ""
    theirs: bool = True
    area: str = ""
    due: str = ""
    helps: str = ""
    hinders: str = ""
    steps: tuple[StepRow, ...] = (StepRow(),) * STEP_ROWS
    faults: Mapping[str, Fault] = field(default_factory=dict)

    @property
    def due_date(self) -> date | None:
        return date.fromisoformat(self.due) if self.due else None

    @property
    def new_steps(self) -> tuple[StepRow, ...]:
        return tuple(step for step in self.steps if step.text and not step.id)

    @property
    def known_steps(self) -> dict[str, StepRow]:
        """By id."""
        return {step.id: step for step in self.steps if step.id}


@dataclass(frozen=True)
class StepReview:
    """``result`` is empty where the step was not asked about; ``why`` by `WHY`, in the person's words."""

    result: str
    why: Mapping[str, str]


@dataclass(frozen=True)
class ReviewForm:
    reviews: Mapping[str, StepReview]  # by the step's key
    goal_result: str
    steps: tuple[StepRow, ...]
    faults: Mapping[str, Fault]

    @property
    def new_steps(self) -> tuple[StepRow, ...]:
        return tuple(step for step in self.steps if step.text)

    @property
    def empty(self) -> bool:
        asked = any(review.result or any(review.why.values()) for review in self.reviews.values())
        return not asked and not self.goal_result and not self.new_steps


class _Reader:
    """Collects faults while it reads, so that a person sees all of them at once and loses nothing typed."""

    def __init__(self, form: Mapping[str, str]) -> None:
        self._form = form
        self.faults: dict[str, Fault] = {}

    def words(self, name: str) -> str:
        try:
            text = read_text(self._form, name, WORDS_MAX) or ""
        except AnswerError as error:
            self.faults[name] = (error.key, error.params)
            return self._form[name]
        if not all(character.isprintable() or character == "\n" for character in text):
            self.faults[name] = ("goals.error.characters", {})
        return text.strip()

    def day(self, name: str) -> str:
        value = self._form.get(name, "").strip()
        try:
            if value:
                date.fromisoformat(value)
        except ValueError:
            self.faults[name] = ("goals.error.date", {"value": value[:20]})
        return value

    def choice(self, name: str, choices: tuple[str, ...]) -> str:
        value = self._form.get(name, "")
        return value if value in choices else ""

    def steps(self) -> tuple[StepRow, ...]:
        count = 0
        while f"step-{count + 1}" in self._form and count < STEP_ROWS_MAX:
            count += 1
        rows = [
            StepRow(self.words(f"step-{n}"), self.day(f"step-due-{n}"), self._form.get(f"step-id-{n}", ""))
            for n in range(1, count + 1)
        ]
        for n, row in enumerate(rows, start=1):
            if (row.due or row.id) and not row.text and f"step-due-{n}" not in self.faults:
                self.faults[f"step-{n}"] = ("goals.error.step", {})
        more = STEP_ROWS if self._form.get("do") == "more-steps" else 0
        return (*rows, *(StepRow(),) * min(more, STEP_ROWS_MAX - count)) or (StepRow(),) * STEP_ROWS


def read_goal(form: Mapping[str, str]) -> GoalForm:
    """A new or changed goal as posted."""
    reader = _Reader(form)
    text = reader.words("text")
    if not text and "text" not in reader.faults:
        reader.faults["text"] = ("goals.error.text", {})
    return GoalForm(
        text=text,
        theirs=form.get("theirs") == "yes",
        area=reader.choice("area", AREAS),
        due=reader.day("due"),
        helps=reader.words("helps"),
        hinders=reader.words("hinders"),
        steps=reader.steps(),
        faults=reader.faults,
    )


def read_review(form: Mapping[str, str], step_keys: tuple[str, ...]) -> ReviewForm:
    """A review as posted, for the steps that the page asked about."""
    reader = _Reader(form)
    reviews = {
        key: StepReview(
            result=reader.choice(f"result-{key}", RESULTS), why={name: reader.words(f"{name}-{key}") for name in WHY}
        )
        for key in step_keys
    }
    goal_result = reader.choice("result-goal", GOAL_RESULTS)
    found = ReviewForm(reviews, goal_result, reader.steps(), reader.faults)
    for key, review in reviews.items():
        if any(review.why.values()) and not review.result:
            reader.faults[f"result-{key}"] = ("goals.error.result", {})
    if found.empty and not reader.faults:
        reader.faults["step-1"] = ("goals.error.nothing", {})
    return found
