"""One value of a small Observation, or of its component, to JSON and back."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from imr_fhir import artefacts
from imr_fhir.element import Element, shown
from imr_fhir.errors import NoteError
from imr_fhir.resource import concept, words
from imr_fhir.scale import ITEM_COUNT

TEXT_MAX = 500

_NAMES = {
    "code": "valueCodeableConcept",
    "text": "valueString",
    "day": "valueDateTime",
    "item": "valueInteger",
    "true": "valueBoolean",
}


@dataclass(frozen=True, slots=True)
class Part:
    """A field of a note, and the form in which FHIR has its value."""

    field: str  # "" where that the value is there says it all
    form: Literal["code", "text", "day", "item", "true"]
    codes: tuple[str, ...] = ()  # of the CodeSystem imr
    required: bool = False

    @property
    def name(self) -> str:
        return _NAMES[self.form]

    def written(self, value: Any) -> dict[str, Any]:
        """``value`` as an element of an Observation. Raises NoteError."""
        match self.form:
            case "code":
                one_of(value, self.codes, self.field)
                value = concept(value)
            case "text":
                value = words(value, TEXT_MAX, "The text", NoteError)
            case "day":
                value = value.isoformat()
            case "item":
                one_of(value, range(1, ITEM_COUNT + 1), self.field)
        return {self.name: value}

    def read(self, found: Element) -> Any:
        """The value in ``found``; None where there is none. Raises NoteError for one that the field can't have."""
        if any(key.startswith("value") and key != self.name for key in found.raw):
            raise found.fault(f"has a value that is no {self.name}")
        match self.form:
            case "code":
                return self._code(found)
            case "text":
                return found.text(self.name) or None
            case "day":
                return found.day(self.name)
            case "item":
                item = found.integer(self.name)
                if item is not None and not 1 <= item <= ITEM_COUNT:
                    raise found.fault(f"names an item outside 1 to {ITEM_COUNT}")
                return item
            case "true":
                return True if found.raw.get(self.name) is True else None

    def _code(self, found: Element) -> str | None:
        codes = found.codes(self.name, artefacts.CODES)
        if codes and (len(codes) > 1 or codes[0] not in self.codes):
            raise found.fault(f"has value {shown(', '.join(codes))}, which is none of {', '.join(self.codes)}")
        return codes[0] if codes else None


def one_of(value: object, allowed: Sequence[object], what: str) -> None:
    """Raise NoteError unless ``value``, which is a ``what``, is allowed."""
    if value not in allowed:
        raise NoteError(f"{value!r} is no {what} of a note.", next_step=f"Use one of {', '.join(map(str, allowed))}.")
