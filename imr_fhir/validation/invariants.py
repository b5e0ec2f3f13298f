"""R4's own invariants, by their keys, for what our resources are made of; their words stand in r4.json.

Each is given the element, and says whether it holds. What has the wrong type is told
of by the structure, and breaks no invariant besides.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from typing import Any

from imr_fhir.validation.finding import codings, many, one, text

Element = Mapping[str, Any]

# Not worked out here: types that none of our resources has but in an extension of others, or as a Bundle's envelope.
LEFT_OUT = {
    *("age-1", "cnt-3", "dis-1", "drt-1", "drq-1", "drq-2", "trd-1", "trd-2", "trd-3"),
    *("tim-1", "tim-2", "tim-4", "tim-5", "tim-6", "tim-7", "tim-8", "tim-9", "tim-10"),
    *("bdl-1", "bdl-2", "bdl-3", "bdl-4", "bdl-5", "bdl-7", "bdl-8", "bdl-9", "bdl-10", "bdl-11", "bdl-12"),
    *("ele-1", "ref-1", "txt-1"),  # in structure.py and formats.py: no empty object, what is referred to, active HTML
}


def _has(raw: Element, name: str) -> bool:
    """Whether there is an element ``name`` or ``name[x]``."""
    return name in raw or any(key.startswith(name) and key[len(name) :][:1].isupper() for key in raw)


def _number(raw: Element, name: str) -> Decimal | None:
    value = raw.get(name)
    return Decimal(value) if isinstance(value, int | Decimal) and not isinstance(value, bool) else None


def _in_order(low: Any, high: Any) -> bool:
    return low is None or high is None or low <= high


def _period(raw: Element) -> bool:
    start, end = text(raw, "start"), text(raw, "end")
    shared = min(len(start), len(end), 10)  # by day: zones and missing parts can't be told apart from an error
    return start[:shared] <= end[:shared]


def _range(raw: Element) -> bool:
    return _in_order(_number(one(raw, "low"), "value"), _number(one(raw, "high"), "value"))


def _referred_to(raw: Element) -> bool:
    if "contained" not in raw:
        return True
    said = json.dumps({name: value for name, value in raw.items() if name != "id"}, default=str)
    return all(
        f'"#{text(inner, "id")}"' in said or '"reference": "#"' in json.dumps(inner, default=str)
        for _, inner in many(raw, "contained")
    )


def _each_contained(names: tuple[str, ...], inside: str = "") -> Callable[[Element], bool]:
    def holds(raw: Element) -> bool:
        return not any(
            name in (one(inner, inside) if inside else inner) for _, inner in many(raw, "contained") for name in names
        )

    return holds


def _component_code(raw: Element) -> bool:
    own = set(codings(one(raw, "code")))
    return not _has(raw, "value") or not any(
        own & set(codings(one(component, "code"))) for _, component in many(raw, "component")
    )


def _ratio(raw: Element) -> bool:
    both = ("numerator" in raw) + ("denominator" in raw)
    return both == 2 or (both == 0 and "extension" in raw)


def _link_ids(raw: Element) -> Iterator[str]:
    for _, item in many(raw, "item"):
        yield text(item, "linkId")
        yield from _link_ids(item)


_SIMPLE = {"boolean", "decimal", "integer", "string", "text", "url", "open-choice"}


def _kind(raw: Element) -> str:
    return text(raw, "type")


INVARIANTS: Mapping[str, Callable[[Element], bool]] = {
    "att-1": lambda raw: "data" not in raw or "contentType" in raw,
    "cpt-2": lambda raw: "value" not in raw or "system" in raw,
    "dom-2": _each_contained(("contained",)),
    "dom-3": _referred_to,
    "dom-4": _each_contained(("versionId", "lastUpdated"), "meta"),
    "dom-5": _each_contained(("security",), "meta"),
    "exp-1": lambda raw: "expression" in raw or "reference" in raw,
    "ext-1": lambda raw: ("extension" in raw) != _has(raw, "value"),
    "gol-1": lambda raw: not _has(raw, "detail") or "measure" in raw,
    "obs-3": lambda raw: any(name in raw for name in ("low", "high", "text")),
    "obs-6": lambda raw: "dataAbsentReason" not in raw or not _has(raw, "value"),
    "obs-7": _component_code,
    "per-1": _period,
    "qrs-1": lambda raw: not ("item" in raw and any("item" in answer for _, answer in many(raw, "answer"))),
    "qty-3": lambda raw: "code" not in raw or "system" in raw,
    "que-1": lambda raw: {"group": "item" in raw, "display": "item" not in raw}.get(_kind(raw), True),
    "que-2": lambda raw: max(Counter(_link_ids(raw)).values(), default=0) < 2,
    "que-3": lambda raw: _kind(raw) != "display" or "code" not in raw,
    "que-4": lambda raw: "answerOption" not in raw or "answerValueSet" not in raw,
    "que-5": lambda raw: (
        _kind(raw) in ("choice", "open-choice", "decimal", "integer", "date", "dateTime", "time", "string", "quantity")
        or ("answerOption" not in raw and "answerValueSet" not in raw)
    ),
    "que-6": lambda raw: _kind(raw) != "display" or not raw.keys() & {"required", "repeats"},
    "que-7": lambda raw: raw.get("operator") != "exists" or "answerBoolean" in raw,
    "que-8": lambda raw: _kind(raw) not in ("group", "display") or "initial" not in raw,
    "que-9": lambda raw: _kind(raw) != "display" or "readOnly" not in raw,
    "que-10": lambda raw: "maxLength" not in raw or _kind(raw) in _SIMPLE,
    "que-11": lambda raw: "answerOption" not in raw or "initial" not in raw,
    "que-12": lambda raw: len(many(raw, "enableWhen")) < 2 or "enableBehavior" in raw,
    "que-13": lambda raw: len(many(raw, "initial")) < 2 or raw.get("repeats") is True,
    "rat-1": _ratio,
    "rng-2": _range,
    "sev-1": lambda raw: "name" not in raw or "query" not in raw,
    "txt-2": lambda raw: bool(text(raw, "div").partition(">")[2].partition("</div>")[0].strip()),
}
