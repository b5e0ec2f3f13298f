"""Answers that stand exactly as the app writes them, known in one look: all but a few of any file are such.

There are some 150 of them for each version of the forms, so each part of one need not be walked through again.
"""

from collections.abc import Mapping
from functools import cache
from typing import Any

from imr_fhir import artefacts
from imr_fhir.validation.terms import reads

Key = tuple[str, str, str, str, str, str]  # linkId, text, system, version, code, display


def as_written(item: Mapping[str, Any]) -> bool:
    """Whether ``item`` of a response is a question of a form with one of its answers, and nothing else."""
    try:
        (answer,) = item["answer"]
        coding = answer["valueCoding"]
        key = item["linkId"], item["text"], coding["system"], coding["version"], coding["code"], coding["display"]
        wordings = _written()[key]
        if len(item) != 3 or len(coding) != 4:
            return False
        return len(answer) == 1 or (len(answer) == 2 and _is_wording(answer["extension"], wordings))
    except (KeyError, TypeError, ValueError):
        return False


def _is_wording(extensions: Any, wordings: tuple[str, ...]) -> bool:
    (extension,) = extensions
    return (
        extensions.__class__ is list
        and len(extension) == 2
        and extension["url"] == artefacts.SHOWN_WORDING
        and extension["valueString"] in wordings
    )


@cache
def _written() -> Mapping[Key, tuple[str, ...]]:
    """Each answer of each version of the forms -> its words in other languages."""
    return {
        (item["linkId"], item["text"], coding["system"], form["version"], coding["code"], coding["display"]): reads(
            coding, "display"
        )[1:]
        for form in artefacts.questionnaires()
        for group in form["item"]
        if group["linkId"] == "imr"
        for item in group["item"]
        for coding in (option["valueCoding"] for option in item["answerOption"])
    }
