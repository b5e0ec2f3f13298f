"""What the posted goal pages say: a goal, its steps, what helps and what stands in the way, a review. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date

from imr_fhir.goal import LIFE_AREAS, TEXT_MAX
from imr_fhir.note_value import TEXT_MAX as NOTE_MAX
from imr_fhir.record import RESULTS
from smart_app.answering import AnswerError, read_day, read_text
from smart_app.store.shown import given_back

STEP_ROWS = 3
LINES_MAX = 20 * NOTE_MAX  # of a field that takes one note a line
# What is chosen for the goal itself -> the result of its review.
GOAL_RESULTS: Mapping[str, str] = {"achieved": "done", "going": "partly", "not-wanted": "not-wanted"}
WHY = ("helped", "person", "around", "services")

Fault = tuple[str, dict[str, object]]  # message key and its parameters


@dataclass(frozen=True)
class StepRow:
    text: str = ""
    due: str = ""  # as typed; a date once there are no faults
    id: str = ""  # of a step that the record has
    version: str = ""  # of it, as the page showed it

    @property
    def date(self) -> date | None:
        return date.fromisoformat(self.due) if self.due else None


@dataclass(frozen=True)
class GoalForm:
    """As typed, with the faults by field name; nothing is filed while there is one.

    ``version`` and ``factors`` are the goal's version and the marks of what helps and hinders that the page showed.
    """

    text: str = ""
    theirs: bool = True
    area: str = ""
    due: str = ""
    helps: str = ""
    hinders: str = ""
    steps: tuple[StepRow, ...] = (StepRow(),) * STEP_ROWS
    version: str = ""
    factors: tuple[str, ...] = ()
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
    """``result`` is empty where nothing was chosen; ``why`` by `WHY`, in the person's words."""

    result: str
    why: Mapping[str, str]


@dataclass(frozen=True)
class ReviewForm:
    reviews: Mapping[str, StepReview]  # by the step's id
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


def one_line(text: str) -> str:
    """As it is compared: a browser posts other line ends than it was given."""
    return " ".join(text.split())


def kept_words(typed: str, there: str, *, in_a_line: bool = False) -> str:
    """``there`` to the letter, where ``typed`` is what a page gives back that nobody touched: other software may leave
    spaces around the words, or other line ends. ``in_a_line``: of a field that has none."""
    back = there.replace("\r", "").replace("\n", "") if in_a_line else given_back(there)
    return there if typed == back.strip() else typed


def lines(text: str) -> tuple[str, ...]:
    """Each line once, without the spaces around it."""
    return tuple(dict.fromkeys(one for line in text.splitlines() if (one := one_line(line))))


class _Reader:
    """Collects faults while it reads, so that a person sees all of them at once and loses nothing typed."""

    def __init__(self, form: Mapping[str, str]) -> None:
        self._form = form
        self.faults: dict[str, Fault] = {}

    def words(self, name: str, longest: int = TEXT_MAX) -> str:
        try:
            return (read_text(self._form, name, longest) or "").strip()
        except AnswerError as error:
            self.faults[name] = (error.key, error.params)
            return self._form[name]

    def each_line(self, name: str) -> str:
        """Several notes, one a line; each as long as a record takes one."""
        text = self.words(name, LINES_MAX)
        for line in lines(text):
            try:
                read_text({name: line}, name, NOTE_MAX)
            except AnswerError as error:
                self.faults[name] = (error.key, error.params)
        return text

    def day(self, name: str) -> str:
        value = self._form.get(name, "").strip()
        try:
            if value:
                read_day(value)
        except ValueError:
            self.faults[name] = ("goals.error.date", {"value": value[:20]})
        return value

    def choice(self, name: str, choices: Mapping[str, str] | tuple[str, ...]) -> str:
        value = self._form.get(name, "")
        return value if value in choices else ""

    def steps(self) -> tuple[StepRow, ...]:
        """Rows as they came, and more of them where more were asked for. A known step that is emptied is withdrawn."""
        count = 0
        while f"step-{count + 1}" in self._form:  # as many as were shown: a request's own limit ends it
            count += 1
        rows = tuple(self._step(number) for number in range(1, count + 1))
        for number, row in enumerate(rows, start=1):
            if row.due and not row.text and not row.id and f"step-due-{number}" not in self.faults:
                self.faults[f"step-{number}"] = ("goals.error.step", {})
        more = STEP_ROWS if self._form.get("do") == "more-steps" else 0
        return (*rows, *(StepRow(),) * more) or (StepRow(),) * STEP_ROWS

    def _step(self, number: int) -> StepRow:
        hidden = (self._form.get(f"step-{name}-{number}", "") for name in ("id", "version"))
        return StepRow(self.words(f"step-{number}"), self.day(f"step-due-{number}"), *hidden)


def read_goal(form: Mapping[str, str]) -> GoalForm:
    """A new or changed goal as posted."""
    reader = _Reader(form)
    text = reader.words("text")
    if not text and "text" not in reader.faults:
        reader.faults["text"] = ("goals.error.text", {})
    return GoalForm(
        text=text,
        theirs=form.get("theirs") == "yes",
        area=reader.choice("area", LIFE_AREAS),
        due=reader.day("due"),
        helps=reader.each_line("helps"),
        hinders=reader.each_line("hinders"),
        steps=reader.steps(),
        version=form.get("version", ""),
        factors=tuple(form.get("factors", "").split()),
        faults=reader.faults,
    )


def read_review(form: Mapping[str, str], steps: Mapping[str, str], goal: str) -> ReviewForm:
    """A review as posted; ``steps`` are those that are open now, id -> words, and ``goal`` are the goal's."""
    reader = _Reader(form)
    reviews = {
        step: StepReview(
            result=reader.choice(f"result-{step}", RESULTS),
            why={name: reader.words(f"{name}-{step}", NOTE_MAX) for name in WHY},
        )
        for step in steps
    }
    found = ReviewForm(reviews, reader.choice("result-goal", GOAL_RESULTS), reader.steps(), reader.faults)
    for step, review in reviews.items():
        if any(review.why.values()) and not review.result:
            reader.faults.setdefault(f"result-{step}", ("goals.error.result", {"step": steps[step]}))
    given = {step: words for step, words in steps.items() if reviews[step].result}
    for asked, words in (given | ({"goal": goal} if found.goal_result else {})).items():
        if one_line(form.get(f"asked-{asked}", words)) != one_line(words):
            reader.faults.setdefault(f"result-{asked}", ("goals.error.other_words", {"text": words}))
    closed, lost = _of_closed(form, steps.keys() | {"goal"})
    if closed:
        reader.faults["reviews"] = ("goals.error.closed_words", {"text": lost}) if lost else ("goals.error.closed", {})
    elif found.empty and not reader.faults:
        reader.faults["reviews"] = ("goals.error.nothing", {})
    return found


def _of_closed(form: Mapping[str, str], there: Collection[str]) -> tuple[bool, str]:
    """Whether anything was said of a step that is none of ``there`` any more, and what of it was written."""
    said = {name: text for name, text in form.items() if text.strip() and name.partition("-")[2] not in there}
    wrote = [text.strip() for name, text in said.items() if name.partition("-")[0] in WHY]
    return bool(wrote) or any(name.startswith("result-") for name in said), " \N{MIDDLE DOT} ".join(wrote)
