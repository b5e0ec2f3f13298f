"""What breaks a whole response with a comment, each by its name: the finding that it must lead to, and the change.

In it, item.0 is the group imr, item.0.item.5 question 06, item.1 the comment, item.2 the score (sum, rated, mean);
extension.0 says when it was first completed, extension.1 in which language it was shown.
"""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from imr_fhir import artefacts
from imr_fhir.scale import scale
from tests.changed import GONE, changed

Json = dict[str, Any]
Mutation = Callable[[Json], Json]

_EXTENSION = f"{artefacts.BASE}/StructureDefinition"
_SIX = "item.0.item.5"
_ANSWER = f"{_SIX}.answer.0"
_CODING = f"{_ANSWER}.valueCoding"
_DIV = '<div xmlns="http://www.w3.org/1999/xhtml">'
_UNKNOWN: Json = {"url": "http://x.example/not", "valueBoolean": True}

# name, code of the finding, place, what stands there instead
_ROWS: tuple[tuple[str, str, str, Any], ...] = (
    # what must be there
    ("no status", "missing", "status", GONE),
    ("no subject", "missing", "subject", GONE),
    ("no source", "missing", "source", GONE),
    ("no author", "missing", "author", GONE),
    ("no authored", "missing", "authored", GONE),
    ("no identifier", "missing", "identifier", GONE),
    ("no questionnaire", "missing", "questionnaire", GONE),
    ("no first completion", "imr-qr-6", "extension.0", GONE),
    ("no extensions", "imr-qr-6", "extension", GONE),
    ("no items", "imr-qr-1", "item", GONE),
    ("no linkId", "missing", f"{_SIX}.linkId", GONE),
    ("no linkId of a group", "missing", "item.0.linkId", GONE),
    ("no value in an answer", "missing", f"{_SIX}.answer", [{"id": "a"}]),
    ("no code in an answer", "unknown-code", f"{_CODING}.code", GONE),
    ("no system in an answer", "foreign-system", f"{_CODING}.system", GONE),
    ("no value in an extension", "ext-1", "extension.1.valueCode", GONE),
    ("no url in an extension", "missing", "extension.1.url", GONE),
    ("no identifier's system", "missing", "identifier.system", GONE),
    ("no identifier's value", "missing", "identifier.value", GONE),
    # completed, and is not
    ("one answer missing", "imr-qr-1", "item.0.item.9.answer", GONE),
    ("one question missing", "imr-qr-1", "item.0.item.9", GONE),
    ("group imr missing", "imr-qr-1", "item.0", GONE),
    # twice
    ("language shown twice", "too-many", "extension.+", {"url": artefacts.SHOWN_LANGUAGE, "valueCode": "en"}),
    (
        "first completion twice", "too-many", "extension.+",
        {"url": artefacts.FIRST_COMPLETED, "valueDateTime": "2026-01-01T08:00:00Z"},
    ),
    ("two values in an answer", "too-many", f"{_ANSWER}.valueString", "x"),
    ("two values in an extension", "too-many", "extension.1.valueString", "nb"),
    # items
    ("unknown linkId", "unknown-item", f"{_SIX}.linkId", "16"),
    ("unknown group", "unknown-item", "item.0.linkId", "questions"),
    ("unknown item besides", "unknown-item", "item.+", {"linkId": "mood", "answer": [{"valueString": "well"}]}),
    ("a group that has an answer", "no-question", "item.0.answer", [{"valueString": "x"}]),
    ("items under a question", "unknown-item", f"{_ANSWER}.item", [{"linkId": "07"}]),
    ("text of another question", "wrong-text", f"{_SIX}.text", "How well do you sleep?"),
    # answers
    ("another item's code", "imr-qr-4", f"{_CODING}.code", "07-3"),
    ("a code that does not exist", "unknown-code", f"{_CODING}.code", "06-6"),
    ("not applicable elsewhere", "unknown-code", f"{_CODING}.code", "06-na"),
    ("a foreign system", "foreign-system", f"{_CODING}.system", "http://loinc.org"),
    ("a foreign system and code", "imr-qr-4", _CODING, {"system": "http://loinc.org", "code": "LA6568-5"}),
    ("a rating as a number", "wrong-answer-type", f"{_SIX}.answer", [{"valueInteger": 3}]),
    ("a rating as text", "wrong-answer-type", f"{_SIX}.answer", [{"valueString": "Some"}]),
    ("a comment as a number", "wrong-answer-type", "item.1.answer", [{"valueInteger": 5}]),
    ("a comment too long", "imr-qr-9", "item.1.answer.0.valueString", "å" * 4001),
    # displays
    ("display of nobody", "wrong-display", f"{_CODING}.display", "Very well indeed"),
    # figures
    ("mean of other digits", "wrong-score", "item.2.item.2.answer.0.valueDecimal", Decimal("2.333")),
    ("no score group", "missing-score", "item.2", GONE),
    ("no mean", "missing-score", "item.2.item.2", GONE),
    ("no number rated", "missing-score", "item.2.item.1", GONE),
    ("no sum", "missing-score", "item.2.item.0", GONE),
    ("sum as text", "wrong-answer-type", "item.2.item.0.answer", [{"valueString": "45"}]),
    # codes, versions, forms
    ("status misspelt", "not-a-code", "status", "finall"),
    ("status of another resource", "not-a-code", "status", "final"),
    ("another version", "unknown-form", "questionnaire", f"{artefacts.BASE}/Questionnaire/imr-client|9.0.0"),
    ("no version", "imr-qr-8", "questionnaire", f"{artefacts.BASE}/Questionnaire/imr-client"),
    ("an IMR form that is none", "imr-qr-8", "questionnaire", f"{artefacts.BASE}/Questionnaire/imr-family|0.1.0"),
    ("another version of a code", "unknown-version", f"{_CODING}.version", "9.0.0"),
    ("a profile of a goal", "wrong-profile", "meta.profile", [artefacts.GOAL_PROFILE]),
    # people
    ("about a group of people", "wrong-target", "subject", {"reference": "Group/1"}),
    ("answered by an organisation", "wrong-target", "source", {"reference": "Organization/1"}),
    ("a reference with a space before it", "bad-format", "encounter", {"reference": " Encounter/1"}),
    ("a contained subject that is not there", "ref-1", "subject", {"reference": "#p"}),
    # times
    ("a day that does not exist", "bad-format", "authored", "2026-02-30T10:00:00Z"),
    ("a time without a zone", "bad-format", "authored", "2026-02-20T10:00:00"),
    ("a time in local form", "bad-format", "authored", "20.02.2026 10:00"),
    ("a month 13", "bad-format", "authored", "2026-13-01"),
    ("first completion as a day", "imr-ext-1", "extension.0.valueDateTime", "2026-02-20"),
    ("first completion as text", "wrong-type", "extension.0",
     {"url": artefacts.FIRST_COMPLETED, "valueString": "2026-02-20"}),
    # JSON and FHIR's form
    ("an element that does not exist", "unknown-element", "score", 45),
    ("a name misspelt", "unknown-element", "Status", "completed"),
    ("an element of R5", "unknown-element", f"{_SIX}.subjectReference", {"reference": "Patient/1"}),
    ("an unknown element in an answer", "unknown-element", f"{_ANSWER}.valueCode", "06-3"),
    ("an unknown element in a coding", "unknown-element", f"{_CODING}.value", "06-3"),
    ("null", "wrong-type", "encounter", None),
    ("null in a list", "wrong-type", "item.0.item.+", None),
    ("an empty list", "empty", "basedOn", []),
    ("an empty object", "empty", "encounter", {}),
    ("empty text", "empty", f"{_SIX}.text", ""),
    ("a list instead of an object", "wrong-type", "subject", [{"reference": "Patient/anna"}]),
    ("an object instead of a list", "wrong-type", "item.0.item", {"linkId": "01"}),
    ("text instead of an object", "wrong-type", "subject", "Patient/anna"),
    ("a number instead of text", "wrong-type", "authored", 20260220),
    ("text instead of a number", "wrong-type", "item.2.item.0.answer.0.valueInteger", "45"),
    ("true instead of text", "wrong-type", "language", True),
    ("a decimal as a whole number", "wrong-type", "item.2.item.0.answer.0.valueInteger", Decimal("45.5")),
    ("an id that is none", "bad-format", "id", "a b"),
    ("an address with a space", "bad-format", "extension.1.url", "http://x.example/a b"),
    ("an extension without a whole address", "bad-format", "extension.1.url", "shown-language"),
    ("a code system without a whole address", "bad-format", f"{_CODING}.system", "imr-client"),
    ("a code with spaces around it", "bad-format", f"{_CODING}.code", " 06-3"),
    ("a UUID that is none", "bad-format", "identifier.value", "urn:uuid:1234"),
    ("a UUID without urn:uuid:", "bad-format", "identifier.value", "6566f1e9-c964-482e-b11d-000000000001"),
    ("a character that XML can't carry", "bad-format", "item.1.answer.0.valueString", "a\x0bb"),
    # extensions, narrative, rules of others
    ("a modifier extension", "not-understood", "modifierExtension", [_UNKNOWN]),
    ("a modifier extension in an item", "not-understood", f"{_SIX}.modifierExtension", [_UNKNOWN]),
    ("implicit rules", "not-understood", "implicitRules", "http://x.example/rules"),
    ("no such extension of ours", "unknown-extension", "extension.+",
     {"url": f"{_EXTENSION}/mood", "valueString": "well"}),
    ("an extension in the wrong place", "wrong-place", f"{_ANSWER}.extension",
     [{"url": artefacts.SHOWN_LANGUAGE, "valueCode": "nb"}]),
    ("a language of another type", "wrong-type", "extension.1", {"url": artefacts.SHOWN_LANGUAGE, "valueString": "nb"}),
    ("a foreign extension without its value", "ext-1", "extension.+", {"url": "http://x.example/empty"}),
    ("a narrative that runs", "bad-format", "text", {"status": "generated", "div": f"{_DIV}<script>1</script></div>"}),
    ("a narrative without its namespace", "bad-format", "text", {"status": "generated", "div": "<div>Answers</div>"}),
)  # fmt: skip


def _row(path: str, to: Any) -> Mutation:
    return lambda resource: changed(resource, path, to)


# ---- what depends on the response


def _other_rater(resource: Json) -> Json:
    other = "clinician" if "imr-client" in resource["questionnaire"] else "client"
    return changed(resource, f"{_CODING}.system", f"{artefacts.BASE}/CodeSystem/imr-{other}")


def _by_another(resource: Json) -> Json:
    to_client = changed(resource, "questionnaire", scale("client").canonical)
    return changed(to_client, "source", {"reference": "Patient/other"})


def _about_a_name(resource: Json) -> Json:
    to_client = changed(resource, "questionnaire", scale("client").canonical)
    return changed(to_client, "subject", {"display": "Anna"})


def _by_a_name(resource: Json) -> Json:
    to_client = changed(resource, "questionnaire", scale("client").canonical)
    return changed(to_client, "source", {"display": "Anna"})


def _display_of_another(resource: Json) -> Json:
    return changed(
        resource, f"{_CODING}.display", resource["item"][0]["item"][6]["answer"][0]["valueCoding"]["display"]
    )


def _display_in_capitals(resource: Json) -> Json:
    shown = resource["item"][0]["item"][5]["answer"][0]["valueCoding"]["display"]
    return changed(resource, f"{_CODING}.display", shown.upper())


def _wording_of_another(resource: Json) -> Json:
    rater = "client" if "imr-client" in resource["questionnaire"] else "clinician"
    code = resource["item"][0]["item"][5]["answer"][0]["valueCoding"]["code"]
    other = next(each for each in scale(rater).items[5].anchors if each.code != code)  # type: ignore[arg-type]
    return changed(resource, f"{_ANSWER}.extension", [{"url": artefacts.SHOWN_WORDING, "valueString": other.text.nb}])


def _figure(place: int, key: str, off: int) -> Mutation:
    def mutate(resource: Json) -> Json:
        value = resource["item"][2]["item"][place]["answer"][0][key]
        return changed(resource, f"item.2.item.{place}.answer.0.{key}", value + off)

    return mutate


def _twice(path: str) -> Mutation:
    """What stands at ``path`` a second time, right after."""

    def mutate(resource: Json) -> Json:
        copy = changed(resource, "meta", resource["meta"])
        *steps, last = path.split(".")
        element: Any = copy
        for step in steps:
            element = element[int(step) if step.isdigit() else step]
        element.insert(int(last), element[int(last)])
        return copy

    return mutate


def _reversed(path: str) -> Mutation:
    def mutate(resource: Json) -> Json:
        element: Any = resource
        for step in path.split("."):
            element = element[int(step) if step.isdigit() else step]
        return changed(resource, path, element[::-1])

    return mutate


def _amended(resource: Json) -> Json:
    return changed(changed(resource, "status", "amended"), "item.0.item.0", GONE)


def _outside(resource: Json) -> Json:
    last = resource["item"][0]["item"][14]
    return changed(changed(resource, "item.0.item.14", GONE), "item.+", last)


def _beneath_both(resource: Json) -> Json:
    return changed(changed(resource, f"{_SIX}.item", [{"linkId": "x"}]), f"{_ANSWER}.item", [{"linkId": "y"}])


MUTATIONS: Mapping[str, tuple[str, Mutation]] = {name: (code, _row(path, to)) for name, code, path, to in _ROWS} | {
    "amended with one answer missing": ("imr-qr-1", _amended),
    "question twice": ("imr-qr-3", _twice("item.0.item.2")),
    "answer twice": ("imr-qr-2", _twice(f"{_SIX}.answer.0")),
    "group twice": ("item-twice", _twice("item.0")),
    "comment twice": ("item-twice", _twice("item.1")),
    "figure twice": ("item-twice", _twice("item.2.item.0")),
    "question outside its group": ("unknown-item", _outside),
    "questions in another order": ("wrong-order", _reversed("item.0.item")),
    "groups in another order": ("wrong-order", _reversed("item")),
    "items beneath question and answer": ("qrs-1", _beneath_both),
    "the other rater's system": ("foreign-system", _other_rater),
    "display of another question": ("wrong-display", _display_of_another),
    "display in capitals": ("wrong-display", _display_in_capitals),
    "wording of another answer": ("wrong-wording", _wording_of_another),
    "sum one too high": ("wrong-score", _figure(0, "valueInteger", 1)),
    "sum one too low": ("wrong-score", _figure(0, "valueInteger", -1)),
    "rated one too high": ("wrong-score", _figure(1, "valueInteger", 1)),
    "mean one too high": ("wrong-score", _figure(2, "valueDecimal", 1)),
    "answered by another": ("imr-qr-7", _by_another),
    "answered by a mere name": ("imr-qr-7", _by_a_name),
    "about a mere name": ("imr-qr-7", _about_a_name),
}

# What the FHIR validator lets pass: it compares no display or wording, works out no score, ignores versions of codes,
# extensions that it does not know, implicitRules and characters that XML can't carry, and takes any text for a UUID.
VALIDATOR_MISSES = frozenset({
    "display of another question", "display of nobody", "display in capitals", "wording of another answer",
    "sum one too high", "sum one too low", "rated one too high", "mean one too high", "mean of other digits",
    "no score group", "no mean", "no number rated", "no sum", "another version of a code", "a UUID that is none",
    "a modifier extension", "a modifier extension in an item", "implicit rules", "no such extension of ours",
    "an extension in the wrong place", "a character that XML can't carry",
})  # fmt: skip
