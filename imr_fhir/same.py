"""Whether a resource read back says what was sent: the difference between "the server said 200" and "saved"."""

import re
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from imr_fhir.errors import ResourceError
from imr_fhir.fhir_time import parse_date_time

# What a server assigns or generates; the labels it may add to what was sent.
_SERVERS_OWN = {"id", "text"}
_SERVERS_META = {"versionId", "lastUpdated", "source"}
_LABELS = ("profile", "security", "tag")

# What many an EHR writes beside the reference that was sent: whom or what it is to, in words (R4, references).
_OF_A_REFERENCE = frozenset({"display", "type"})
_NOTHING: frozenset[str] = frozenset()

_TIMES = {"authored", "issued", "recorded"}
_VERSION = re.compile(r"/_history/[^/]+$")


def same_content(
    sent: Mapping[str, Any], read: Mapping[str, Any], *, references: Mapping[str, str] | None = None, base: str = ""
) -> list[str]:
    """The paths at which ``read`` differs from ``sent``, e.g. ["status", "item[0].item[3]"]; [] if it is the same.

    Not counted: id, narrative, the version and the labels that the server gave; a resource's language that it does not
    keep, which is shown as not known from then on; the zone in which it writes an instant; digits of a decimal that say
    nothing; the form of a reference, and words of the server for what it is to. ``references`` maps what was sent to
    what the server made of it ("urn:uuid:..." -> "Observation/12"); an address under ``base``, the server's own, is the
    relative one.
    """
    there = _References(references or {}, base.rstrip("/"))
    differ = _labels(_mapping(sent.get("meta")), _mapping(read.get("meta")))
    kept, found = _content(sent), _content(read)
    if "language" not in found:
        kept.pop("language", None)
    _compare(kept, found, "", there, differ)
    return differ


class _References:
    def __init__(self, known: Mapping[str, str], base: str) -> None:
        self.known = known
        self.base = base

    def plain(self, reference: str) -> str:
        plain = self.known.get(reference, reference)
        if self.base:
            plain = plain.removeprefix(f"{self.base}/")
        return _VERSION.sub("", plain)


def _content(resource: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in resource.items() if name not in _SERVERS_OWN and name != "meta"}


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _labels(sent: Mapping[str, Any], read: Mapping[str, Any]) -> list[str]:
    """Each label sent must have been kept; a server may add others."""

    def keys(meta: Mapping[str, Any], name: str) -> set[tuple[str, ...]]:
        labels = meta.get(name)  # of a server it may be anything
        return {
            (str(label.get("system")), str(label.get("code"))) if isinstance(label, Mapping) else (str(label),)
            for label in (labels if isinstance(labels, list) else [])
        }

    differ = [f"meta.{name}" for name in _LABELS if not keys(sent, name) <= keys(read, name)]
    return differ + [
        f"meta.{name}" for name in sent.keys() - _SERVERS_META - set(_LABELS) if sent[name] != read.get(name)
    ]


def _compare(sent: Any, read: Any, path: str, there: _References, differ: list[str]) -> None:
    if isinstance(sent, Mapping) and isinstance(read, Mapping):
        added = _OF_A_REFERENCE if isinstance(sent.get("reference"), str) else _NOTHING
        for name in [*sent, *(name for name in read if name not in sent and name not in added)]:
            inner = f"{path}.{name}".lstrip(".")
            if name not in sent or name not in read:
                differ.append(inner)
            elif not _same_primitive(name, sent[name], read[name], there):
                _compare(sent[name], read[name], inner, there, differ)
    elif isinstance(sent, list) and isinstance(read, list) and len(sent) == len(read):
        for place, (one, other) in enumerate(zip(sent, read, strict=True)):
            _compare(one, other, f"{path}[{place}]", there, differ)
    elif not _same_number(sent, read) and (type(sent) is not type(read) or sent != read):
        differ.append(path)


def _same_primitive(name: str, sent: Any, read: Any, there: _References) -> bool:
    if not isinstance(sent, str) or not isinstance(read, str):
        return False
    if name == "reference":
        return there.plain(sent) == there.plain(read)
    if name in _TIMES or name.endswith(("DateTime", "Instant")):
        moment = _moment(sent)
        return moment is not None and moment == _moment(read)
    return False


def _moment(text: str) -> datetime | None:
    """None for a date, which is no instant, and for what is no time at all: compared as text."""
    try:
        return parse_date_time(text) if "T" in text else None
    except ResourceError:
        return None


def _same_number(sent: Any, read: Any) -> bool:
    """JSON numbers as values: 3.40 is 3.4; true is no number."""
    if any(isinstance(value, bool) or not isinstance(value, int | float | Decimal) for value in (sent, read)):
        return False
    return Decimal(str(sent)) == Decimal(str(read))
