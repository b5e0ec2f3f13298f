"""What the EHR says of a failure, as one sentence that is safe to show: no control or bidi characters, 300 long."""

import unicodedata
from collections.abc import Mapping
from typing import Any

LENGTH = 300
_SAYS = "The EHR says: "


def plain(text: str, length: int = LENGTH) -> str:
    """``text`` in one line, without control, formatting (bidi, zero-width) and unassigned characters."""
    spaced = " ".join(text[: 20 * length].split())
    kept = "".join(character for character in spaced if not unicodedata.category(character).startswith("C"))
    return kept if len(kept) <= length else f"{kept[: length - 1]}…"


def sentence(resource: object) -> str:
    """ "The EHR says: …" from an OperationOutcome; "" where it is none or says nothing."""
    text = said(resource)
    return f"{_SAYS}{text}" if text else ""


def said(resource: object) -> str:
    """What an OperationOutcome says, ending as a sentence does; "" where it is none or says nothing.

    Of each issue the first that is there: ``details.text``, ``diagnostics``, a display of ``details.coding``, ``code``.
    """
    if not isinstance(resource, Mapping) or resource.get("resourceType") != "OperationOutcome":
        return ""
    issues = [issue for issue in _list(resource.get("issue")) if isinstance(issue, Mapping)]
    serious = [issue for issue in issues if issue.get("severity") in ("fatal", "error")]
    texts = dict.fromkeys(text for issue in serious or issues if (text := _text(issue)))
    if not texts:
        return ""
    *others, last = texts
    text = plain("; ".join([*(each.rstrip(".") for each in others), last]), LENGTH - len(_SAYS))
    return text if text.endswith((".", "!", "?", "…")) else f"{text}."


def _text(issue: Mapping[str, Any]) -> str:
    found = issue.get("details")
    details: Mapping[str, Any] = found if isinstance(found, Mapping) else {}
    displays = (coding.get("display") for coding in _list(details.get("coding")) if isinstance(coding, Mapping))
    for text in (details.get("text"), issue.get("diagnostics"), *displays, issue.get("code")):
        if isinstance(text, str) and text.strip():
            return text.strip()
    return ""


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []
