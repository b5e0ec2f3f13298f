"""The app brought up to date with a new version of both forms; the one before is packaged as an earlier one."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pytest

from imr_fhir import answers, artefacts, scale

NAMES = {rater: f"Questionnaire-imr-{rater}.json" for rater in ("client", "clinician")}
VERSION = "0.2.0"
OTHERWISE = "In other words"
"""The words of question 3 in the new version."""
MENDED = "In mended words"
"""Those of the answer 2 to question 6."""


@contextmanager
def revised(*, kept: bool = True, introduction: str = "", mended: bool = False) -> Iterator[None]:
    """Question 3 of both scales is asked in other words. ``kept``: the version before is packaged still. ``mended``:
    its wording was checked, and that of an answer to question 6 set right."""
    texts = artefacts._texts()
    fresh = {name: json.dumps(_new(json.loads(texts[name]), introduction, mended)) for name in NAMES.values()}
    earlier = tuple(texts[name] for name in NAMES.values()) if kept else ()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(artefacts, "_texts", lambda: {**texts, **fresh})
        patch.setattr(artefacts, "_earlier", lambda: earlier)
        _forget()
        try:
            yield
        finally:
            patch.undo()
            _forget()


def _new(form: dict[str, Any], introduction: str, mended: bool) -> Mapping[str, Any]:
    items = {item["linkId"]: item for item in form["item"]}
    items["imr"]["item"][2]["text"] = OTHERWISE
    if mended:
        items["imr"]["item"][5]["answerOption"][1]["valueCoding"]["display"] = MENDED
    if introduction and "introduction" in items:
        items["introduction"]["text"] = introduction
    return form | {"version": VERSION, "status": "active" if mended else form["status"]}


def _forget() -> None:
    for cached in (scale.scale, scale._scales, answers._texts):
        cached.cache_clear()
