"""Whether a response is one to its Questionnaire: its items, answers among the options, and the score worked out."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from difflib import get_close_matches
from functools import cache
from typing import Any

from imr_fhir import artefacts
from imr_fhir.element import shown
from imr_fhir.errors import RatingError
from imr_fhir.scale import RATERS, Rater, scale, scale_of
from imr_fhir.scoring import Score, rating_of, score
from imr_fhir.validation import as_written
from imr_fhir.validation.finding import Fault, Path, many, one, text
from imr_fhir.validation.terms import reads

_ANSWERS = {"choice": "valueCoding", "text": "valueString", "integer": "valueInteger", "decimal": "valueDecimal"}
_WHOLE = ("completed", "amended")


@dataclass(frozen=True, slots=True)
class Question:
    """An item of a Questionnaire, as far as a response is judged by it."""

    link_id: str
    kind: str  # type: "choice"
    place: int  # among the items beside it
    text: str  # in the language of the Questionnaire: R4 allows no other in a response
    options: Mapping[tuple[str, str], tuple[str, ...]]  # (system, code) -> how it reads
    inner: Mapping[str, "Question"]


@cache
def form(canonical: str) -> tuple[Rater, Mapping[str, Question]] | None:
    """The form of ``canonical`` ("url|version"), in use or earlier, and its items by linkId; None for any other."""
    known = scale_of(canonical)
    if known is None:
        return None
    (found,) = (
        each for each in artefacts.questionnaires() if (each["url"], each["version"]) == (known.url, known.version)
    )
    return known.rater, _questions(found["item"])


def _questions(items: list[Mapping[str, Any]]) -> dict[str, Question]:
    return {
        item["linkId"]: Question(
            item["linkId"],
            item["type"],
            place,
            item["text"],
            {
                (option["valueCoding"]["system"], option["valueCoding"]["code"]): reads(
                    option["valueCoding"], "display"
                )
                for option in item.get("answerOption", ())
            },
            _questions(item.get("item", [])),
        )
        for place, item in enumerate(items)
    }


def response_faults(response: Mapping[str, Any]) -> Iterator[Fault]:
    """What the Questionnaire that ``response`` names finds wrong with it; any shape is taken."""
    canonical = text(response, "questionnaire")
    known = form(canonical)
    if known is None:
        ours = " or ".join(scale(rater).canonical for rater in RATERS)
        if "|" in canonical:  # without a version: imr-qr-8
            said = f"It answers {shown(canonical)}, a form or version that is not known here."
            yield Fault(
                ("questionnaire",), "unknown-form", said, f"Known is {ours}; check with the release that has it."
            )
        return
    rater, questions = known
    yield from _items(questions, response, (), f"the form imr-{rater}")
    yield from _score(response)


def _items(questions: Mapping[str, Question], parent: Mapping[str, Any], path: Path, within: str) -> Iterator[Fault]:
    latest, seen = -1, set()
    for place, item in many(parent, "item"):
        link_id, there = text(item, "linkId"), (*path, "item", place)
        question = questions.get(link_id)
        if question is None:
            if link_id:
                near = get_close_matches(link_id, questions, 1)
                said = f"{shown(link_id)} is no item of {within}."
                next_step = f"Did you mean {near[0]}?" if near else f"There are {', '.join(questions)}."
                yield Fault((*there, "linkId"), "unknown-item", said, next_step)
            continue
        if link_id in seen:
            said = f"Item {shown(link_id)} is there twice."
            yield Fault((*there, "linkId"), "item-twice", said, "Keep the right one.")
        elif question.place < latest:
            said = f"Item {shown(link_id)} stands after one that comes later in the Questionnaire."
            yield Fault((*there, "linkId"), "wrong-order", said, "Put the items in the form's order.")
        seen.add(link_id)
        latest = max(latest, question.place)
        if not (question.options and as_written.as_written(item) and _is_offered(question, item)):
            yield from _item(question, item, there)


def _is_offered(question: Question, item: Mapping[str, Any]) -> bool:
    """Of an item as written: an answer to this form, in this version."""
    coding = item["answer"][0]["valueCoding"]
    return item["text"] == question.text and (coding["system"], coding["code"]) in question.options


def _item(question: Question, item: Mapping[str, Any], path: Path) -> Iterator[Fault]:
    if "text" in item and item["text"] != question.text:
        said = f"The text of {question.link_id} is not that of the Questionnaire, which reads {shown(question.text)}."
        next_step = "Find out which question was really asked; if this one, take over its text."
        yield Fault((*path, "text"), "wrong-text", said, next_step)
    if question.kind in ("group", "display"):
        if "answer" in item:
            said = f"{question.link_id} has an answer, and is a {question.kind}."
            yield Fault((*path, "answer"), "no-question", said, "Take it out.")
        yield from _items(question.inner, item, path, f"the group {question.link_id}")
        return
    answers = many(item, "answer")
    if len(answers) > 1:
        said = f"{question.link_id} has {len(answers)} answers, and takes one."
        yield Fault((*path, "answer", answers[1][0]), "answers-twice", said, "Keep the right one.")
    for parent, there in ((item, path), *((answer, (*path, "answer", place)) for place, answer in answers)):
        if "item" in parent:
            said = f"{question.link_id} has items under it that the Questionnaire has not."
            yield Fault((*there, "item"), "unknown-item", said, "Take them out.")
    for place, answer in answers:
        yield from _answer(question, answer, (*path, "answer", place))


def _answer(question: Question, answer: Mapping[str, Any], path: Path) -> Iterator[Fault]:
    right = _ANSWERS[question.kind]
    for name in answer:
        if name.startswith("value") and name != right:
            said = f"The answer to {question.link_id} is a {name}, and the Questionnaire asks for a {right}."
            yield Fault((*path, name), "wrong-answer-type", said, "Give the answer as the Questionnaire asks for it.")
    if not any(name.startswith(("value", "_value")) for name in answer):
        said = f"The answer to {question.link_id} has no value."
        yield Fault(path, "missing", said, f"Add {right}, or take the answer out.")
    if question.options and isinstance(answer.get(right), dict):
        yield from _choice(question, answer, path)


def _choice(question: Question, answer: Mapping[str, Any], path: Path) -> Iterator[Fault]:
    coding = one(answer, "valueCoding")
    system, code, there = text(coding, "system"), text(coding, "code"), (*path, "valueCoding")
    if (system, code) in question.options:
        yield from _wording(question, question.options[system, code], answer, path)
        return
    codes = [code for _, code in question.options]
    if code in codes:
        right = next(iter(question.options))[0]
        said = f"The answer {code} is of the system {shown(system)}, and must be of {right}."
        yield Fault((*there, "system"), "foreign-system", said, "Find out which rater answered, and use that system.")
    else:
        said = f"{shown(code)} is no answer to {question.link_id}." if code else "The answer has no code."
        next_step = f"Its answers are {', '.join(codes)}."
        yield Fault((*there, "code") if code else there, "not-an-option", said, next_step)


def _wording(question: Question, known: tuple[str, ...], answer: Mapping[str, Any], path: Path) -> Iterator[Fault]:
    """The person saw other words than those of the code that was kept: one of them is not what was answered."""
    for place, extension in many(answer, "extension"):
        saw = text(extension, "valueString")
        if extension.get("url") == artefacts.SHOWN_WORDING and saw not in known:
            other = next((code for (_, code), words in question.options.items() if saw in words), "")
            if other:
                code = text(one(answer, "valueCoding"), "code")
                said = f"The answer is {code}, and the words that were shown, {shown(saw)}, are those of {other}."
                next_step = "Find out which of the two was meant."
                yield Fault((*path, "extension", place, "valueString"), "wrong-wording", said, next_step)


def _score(response: Mapping[str, Any]) -> Iterator[Fault]:
    """The figures in the group score against those worked out; nothing where an answer can't be read."""
    ratings: dict[int, int] = {}
    for _, group in many(response, "item"):
        for _, item in many(group, "item") if group.get("linkId") == "imr" else ():
            for _, answer in many(item, "answer"):
                try:
                    number, rating = rating_of(text(one(answer, "valueCoding"), "code"))
                except RatingError:
                    return
                if number in ratings:
                    return
                ratings[number] = rating
    worked_out = score(ratings)
    given = dict(_figures(response))
    for name, right in _right(worked_out).items():
        path, value = given.get(name, ((), None))
        if value is not None and value != right:
            said = f"{name} is {value}, and the answers give {'none' if right is None else right}."
            yield Fault(path, "wrong-score", said, "Correct the figure, or find out which answer was changed after it.")
        elif value is None and right is not None and response.get("status") in _WHOLE and worked_out.complete:
            said = f"There is no {name} in the group score, and the answers give {right}."
            next_step = "Let the form filler work out the Questionnaire's calculatedExpression, or add it."
            yield Fault(("item",), "missing-score", said, next_step)


def _right(worked_out: Score) -> dict[str, int | Decimal | None]:
    return {"sum": worked_out.sum, "rated": worked_out.rated, "mean": worked_out.mean}


def _figures(response: Mapping[str, Any]) -> Iterator[tuple[str, tuple[Path, Any]]]:
    for outer, group in many(response, "item"):
        for inner, item in many(group, "item") if group.get("linkId") == "score" else ():
            for place, answer in many(item, "answer"):
                name = next((name for name in ("valueInteger", "valueDecimal") if name in answer), "")
                value = answer.get(name)
                if isinstance(value, int | Decimal) and not isinstance(value, bool):
                    yield text(item, "linkId"), (("item", outer, "item", inner, "answer", place, name), value)
