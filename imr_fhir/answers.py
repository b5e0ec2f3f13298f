"""The answers inside a QuestionnaireResponse: ratings and comment to its items, and back."""

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from imr_fhir import artefacts
from imr_fhir.element import Element, shown
from imr_fhir.errors import RatingError, ResponseError
from imr_fhir.resource import words
from imr_fhir.scale import Item, Rater, Ratings, Scale, scale
from imr_fhir.scoring import code_of, rating_of, score

COMMENT_MAX = 4000


def items(form: Scale, ratings: Ratings, comment: str, language: str) -> list[dict[str, Any]]:
    """The items of a response to ``form``: group imr with what was answered, comment, group score worked out afresh.

    Texts and displays are English; what was shown in another ``language`` stands in an extension of the answer.
    A comment of spaces alone is no comment. Raises ResponseError for a comment that can't be kept, RatingError.
    """
    texts = _texts(form.canonical)

    def leaf(link_id: str, **answer: Any) -> dict[str, Any]:
        return {"linkId": link_id, "text": texts[link_id], "answer": [answer]}

    answered = [
        leaf(item.link_id, **_answer(item, ratings[item.number], form, language))
        for item in form.items
        if item.number in ratings
    ]
    worked_out = score(ratings)
    figures = [
        *([leaf("sum", valueInteger=worked_out.sum)] if worked_out.sum is not None else []),
        leaf("rated", valueInteger=worked_out.rated),
        *([leaf("mean", valueDecimal=worked_out.mean)] if worked_out.mean is not None else []),
    ]
    return [
        *([{"linkId": "imr", "text": texts["imr"], "item": answered}] if answered else []),
        *([leaf("comment", valueString=_kept(comment))] if comment.strip() else []),
        {"linkId": "score", "text": texts["score"], "item": figures},
    ]


def _kept(comment: str) -> str:
    return words(comment, COMMENT_MAX, "The comment", ResponseError)


def _answer(item: Item, rating: int, form: Scale, language: str) -> dict[str, Any]:
    code = code_of(item.number, rating)
    text = item.anchor(rating).text
    wording = text.in_(language)
    coding = {"system": form.system, "version": form.version, "code": code, "display": text.en}
    if wording == text.en:
        return {"valueCoding": coding}
    return {"extension": [{"url": artefacts.SHOWN_WORDING, "valueString": wording}], "valueCoding": coding}


@cache
def _texts(canonical: str) -> Mapping[str, str]:
    """linkId -> text of each item in the Questionnaire, so that a record is readable without it."""
    top = next(each["item"] for each in artefacts.questionnaires() if f"{each['url']}|{each['version']}" == canonical)
    return {item["linkId"]: item["text"] for outer in top for item in [outer, *outer.get("item", [])]}


def read_items(found: Element, form: Scale) -> tuple[dict[int, int], str]:
    """Ratings and comment in the items of ``found``, a response to ``form``. The score group is not read.

    Raises ``found.error`` for what is not an answer to this form.
    """
    numbers = _numbers(form.rater)
    ratings: dict[int, int] = {}
    comments: list[str] = []
    for raw in _leaves(found):
        plain = _plain(raw, form)
        if plain and plain[0] not in ratings:
            ratings[plain[0]] = plain[1]
            continue
        item = Element(raw, found.path, found.error)
        link_id = item.text("linkId")
        number = numbers.get(link_id)
        if number is None and link_id != "comment":
            raise item.fault(f"has linkId {shown(link_id)}, which is no question of this form")
        item.path = f"{found.path}, question {link_id}"
        answer = _answer_in(item, "valueCoding" if number else "valueString")
        if answer is None:
            continue
        if number is None:
            comments.append(answer.text("valueString"))
        elif number in ratings:
            raise item.fault("has two answers")
        else:
            ratings[number] = _rating(answer, number, form)
    if len(comments) > 1:
        raise found.fault(f"has {len(comments)} comments, and the form one")
    return dict(sorted(ratings.items())), "".join(comments)


def _leaves(found: Element) -> Iterator[Mapping[str, Any]]:
    for outer in found.many("item"):
        outer.unmodified()
        link_id = outer.text("linkId")
        if link_id == "imr":
            if "answer" in outer.raw:
                raise outer.fault("has an answer, and is a group")
            yield from outer.objects("item")
        elif link_id not in ("introduction", "score"):
            yield outer.raw


def _plain(raw: Mapping[str, Any], form: Scale) -> tuple[int, int] | None:
    """Item and rating of an answer that stands as we write it; None for any other, which is read with care.

    A history of forty responses has six hundred answers: read with care, each of them costs three times as much.
    """
    try:
        (answer,) = raw["answer"]
        coding = answer["valueCoding"]
        if raw.keys() <= _ITEM and answer.keys() <= _ANSWER and coding["system"] == form.system:
            number, rating = rating_of(coding["code"])
            return (number, rating) if _numbers(form.rater).get(raw["linkId"]) == number else None
    except (KeyError, TypeError, ValueError, RatingError):
        pass
    return None


_ITEM, _ANSWER = {"linkId", "text", "answer"}, {"valueCoding", "extension"}


@cache
def _numbers(rater: Rater) -> Mapping[str, int]:
    return {item.link_id: item.number for item in scale(rater).items}


def _answer_in(item: Element, name: str) -> Element | None:
    """The one answer of ``item``, whose value is a ``name``; None where it has none."""
    item.unmodified()
    answers = item.objects("answer")
    if len(answers) > 1:
        raise item.fault(f"has {len(answers)} answers, and takes one")
    if "item" in item.raw or (answers and "item" in answers[0]):
        raise item.fault("has questions under it that this form has not")
    if not answers:
        return None
    answer = Element(answers[0], item.path, item.error)
    answer.unmodified()
    # what is said of a primitive value beside it (R4, JSON): "_valueString"
    values = dict.fromkeys(key.removeprefix("_") for key in answer.raw if key.startswith(("value", "_value")))
    if [*values] != [name]:
        raise answer.fault(f"has {shown(', '.join(values))} as its answer, not a {name}")
    return answer


def _rating(answer: Element, number: int, form: Scale) -> int:
    coding = answer.one("valueCoding")
    if coding is None:
        raise answer.fault("has nothing as its valueCoding")
    if coding.text("system") != form.system:
        raise answer.fault(f"has an answer in the code system {shown(coding.text('system'))}, not in {form.system}")
    code = coding.text("code")
    try:
        item, rating = rating_of(code)
    except RatingError as fault:
        raise answer.fault(f"has the answer {shown(code)}, which the form does not offer") from fault
    if item != number:
        raise answer.fault(f"has the answer {shown(code)}, which belongs to question {item:02}")
    return rating
