"""The strings of a Questionnaire that people see: each with a key that stays, where it is shown, and its code."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from imr_fhir.translations import translation

_SHORT_TEXT = "http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaire-shortText"


@dataclass(frozen=True, slots=True)
class String:
    key: str  # "item.06.text": begins with letters, since a spreadsheet makes a date of 06-3
    shown: str  # where, for the translator
    english: str
    element: dict[str, Any]  # of the Questionnaire: what holds it ...
    name: str  # ... as this property
    coding: Mapping[str, Any] | None = None  # whose display it is too

    def in_(self, lang: str) -> str:
        """Its translation; "" where there is none."""
        return translation(self.element, self.name, lang) or ""


def strings(questionnaire: dict[str, Any]) -> tuple[String, ...]:
    """All of them, in the order of the form: title, texts, short names, answers."""
    title = (
        [String("title", "Title of the form", questionnaire["title"], questionnaire, "title")]
        if "title" in questionnaire
        else []
    )
    return (*title, *_of_items(questionnaire))


def _of_items(parent: Mapping[str, Any]) -> Iterator[String]:
    for item in parent.get("item", ()):
        key, where = f"item.{item['linkId']}", _where(item)
        own = next(iter(item.get("code", ())), None)
        for extension in item.get("extension", ()):
            if extension["url"] == _SHORT_TEXT:
                shown = f"{where}: its short name, in panels and lists"
                coding = own if own and own.get("display") == extension["valueString"] else None
                yield String(f"{key}.label", shown, extension["valueString"], extension, "valueString", coding)
        if "text" in item:
            yield String(f"{key}.text", where, item["text"], item, "text")
        options = [each["valueCoding"] for each in item.get("answerOption", ()) if "valueCoding" in each]
        for number, coding in enumerate(options, 1):
            shown = f"{where}: answer {number} of {len(options)}"
            yield String(f"{key}.answer.{coding['code']}", shown, coding["display"], coding, "display", coding)
        yield from _of_items(item)


def _where(item: Mapping[str, Any]) -> str:
    if item["type"] == "display":
        return f"Text on the form ({item['linkId']})"
    if item["type"] == "group":
        return f"Heading of a part of the form ({item['linkId']})"
    if item.get("readOnly"):
        return f"Name of a figure that is worked out ({item['linkId']})"
    return f"Question {item['prefix']}" if "prefix" in item else f"Question without a number ({item['linkId']})"
