"""What the page of a Questionnaire says, in one language; the template only lays it out."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from imr_fhir.artefacts import content_hash
from imr_fhir.packaging.words import NAMES, WORDS
from imr_fhir.parameters import parameters_for
from imr_fhir.scale import Scale, scale_from
from imr_fhir.translation_status import status_of
from imr_fhir.translations import languages, translation

_SHORT_TEXT = "http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaire-shortText"
_EXPRESSION = "http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaire-calculatedExpression"


@dataclass(frozen=True, slots=True)
class Wording:
    lang: str
    name: str  # of the language
    text: str  # "" where there is no such translation


Wordings = tuple[Wording, ...]  # the page's language first


@dataclass(frozen=True, slots=True)
class Answer:
    rating: str
    code: str
    texts: Wordings


@dataclass(frozen=True, slots=True)
class Question:
    link_id: str
    number: str
    label: Wordings
    prompt: Wordings
    answers: tuple[Answer, ...]


@dataclass(frozen=True, slots=True)
class Trust:
    """How far one wording can be trusted."""

    what: str
    tag: str  # "" where it is checked
    said: str
    note: str = ""  # in English: how it was made


@dataclass(frozen=True, slots=True)
class Page:
    lang: str
    words: Mapping[str, str]
    title: Wordings
    about: str
    tags: tuple[str, ...]
    trust: tuple[Trust, ...]
    rules: tuple[str, ...]
    introduction: Wordings
    questions: tuple[Question, ...]
    comment: Wordings
    comment_help: str
    sources: tuple[str, ...]
    copyright: str
    canonical: str
    status: str
    system: str
    hash: str
    expressions: tuple[tuple[str, str], ...]  # linkId, FHIRPath
    made: str


def questionnaire_page(questionnaire: Mapping[str, Any], lang: str) -> Page:
    """The page in ``lang``, one of `words.LANGUAGES`. Raises ArtefactError for what is no IMR Scale."""
    words, form = WORDS[lang], scale_from(questionnaire)
    shown = _in_order(("en", *languages(questionnaire)), lang)
    top = {item["linkId"]: item for item in questionnaire["item"]}

    def said(element: Mapping[str, Any], key: str) -> Wordings:
        return tuple(
            Wording(
                each,
                NAMES[lang].get(each, each),
                element[key] if each == "en" else translation(element, key, each) or "",
            )
            for each in shown
        )

    experimental = [words["experimental"]] if questionnaire["experimental"] else []
    status = ", ".join([words["active" if questionnaire["status"] == "active" else "status-draft"], *experimental])
    na = said(top["imr"]["item"][12]["answerOption"][-1]["valueCoding"], "display")[0].text
    trust = (
        _english(words, form.verified),
        *(_translated(words, lang, each, questionnaire) for each in shown if each != "en"),
    )
    return Page(
        lang=lang,
        words=words,
        title=said(questionnaire, "title"),
        about=words[form.rater],
        tags=tuple(each.tag for each in trust if each.tag),
        trust=trust,
        rules=tuple(text.format(na=na) for key, text in words.items() if key.startswith("rule-")),
        introduction=said(top["introduction"], "text") if "introduction" in top else (),
        questions=tuple(_question(item, words, said) for item in top["imr"]["item"]),
        comment=said(top["comment"], "text"),
        comment_help=words["comment-help"].format(max=top["comment"]["maxLength"]),
        sources=_sources(words, form),
        copyright=questionnaire["copyright"],
        canonical=form.canonical,
        status=status,
        system=f"{form.system}|{form.version}",
        hash=content_hash(questionnaire),
        expressions=tuple(
            (item["linkId"], _extension(item, _EXPRESSION)["valueExpression"]["expression"])
            for item in top["score"]["item"]
        ),
        made=words["made"].format(canonical=form.canonical),
    )


def _in_order(found: tuple[str, ...], first: str) -> tuple[str, ...]:
    return tuple(sorted(found, key=lambda each: each != first))


def _question(item: Mapping[str, Any], words: Mapping[str, str], said: Any) -> Question:
    return Question(
        link_id=item["linkId"],
        number=item["prefix"],
        label=said(_extension(item, _SHORT_TEXT), "valueString"),
        prompt=said(item, "text"),
        answers=tuple(
            Answer(
                rating=words["no-rating"] if option["valueCoding"]["code"].endswith("-na") else str(place),
                code=option["valueCoding"]["code"],
                texts=said(option["valueCoding"], "display"),
            )
            for place, option in enumerate(item["answerOption"], 1)
        ),
    )


def _extension(element: Mapping[str, Any], url: str) -> Mapping[str, Any]:
    found: Mapping[str, Any] = next(each for each in element["extension"] if each["url"] == url)
    return found


def _english(words: Mapping[str, str], verified: bool) -> Trust:
    tag = "" if verified else f"{words['wording']}: {words['status-draft'].lower()}"
    return Trust(words["wording"], tag, words["verified" if verified else "unverified"])


def _translated(words: Mapping[str, str], page: str, lang: str, questionnaire: Mapping[str, Any]) -> Trust:
    status = status_of(questionnaire, lang)
    name = NAMES[page].get(lang, lang)
    what = words["wording-in"].format(language=name.lower() if page == "nb" else name)
    if status is None:
        return Trust(what, f"{name}: {words['nothing-said'].lower()}", f"{words['nothing-said']}.")
    tag = "" if status.status == "validated" else f"{name}: {words[status.status].lower()}"
    said = f"{words[status.status]}. {words['said-by'].format(by=status.by, on=status.on)}"
    return Trust(what, tag, said, f"{status.note}." if status.note else "")


def _sources(words: Mapping[str, str], form: Scale) -> tuple[str, ...]:
    row = parameters_for(form.rater, form.version, "en")
    return (words["source-scale"], *([words["source-change"].format(**asdict(row))] if row else []))
