"""Who opened a patient's record in this app, from its audit log: a line a person and day, the latest first."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import tzinfo
from typing import Any

from smart_app.language import Words


@dataclass(frozen=True, slots=True)
class Opening:
    day: str
    times: str  # "09:12" or "09:12 – 10:03"
    name: str
    role: str
    merged: bool  # in a record that was merged into this one
    did: tuple[str, ...]  # in the order in which it was first done


def openings(
    words: Words, entries: Iterable[Mapping[str, Any]], *, own_key: str, here: str, zone: tzinfo
) -> tuple[Opening, ...]:
    """``entries`` as the audit log gives them, oldest first; ``own_key`` is the user key of who reads this, ``here``
    the id of the patient whose record is used now."""
    found: dict[tuple[Any, str, str, bool], list[Mapping[str, Any]]] = {}
    for entry in entries:
        at = entry["at"].astimezone(zone)
        merged = entry["patient"].removeprefix("Patient/") != here
        line = (at.date(), entry["user_key"], entry["role"], merged)
        found.setdefault(line, []).append({**entry, "at": at})
    lines = [_line(words, day, of, own=key == own_key, merged=merged) for (day, key, _, merged), of in found.items()]
    return tuple(reversed(lines))


def _line(words: Words, day: Any, of: list[Mapping[str, Any]], *, own: bool, merged: bool) -> Opening:
    first, last = of[0], of[-1]
    began, ended = (words.time(entry["at"]) for entry in (first, last))
    role = first["role"] or "nobody"
    return Opening(
        day=words.day(day),
        times=began if began == ended else f"{began} – {ended}",
        name=words.say("opened.you") if own else first["display"] or words.say("opened.nobody"),
        role="" if own else words.say(f"opened.role.{role}"),
        merged=merged,
        did=tuple(dict.fromkeys(_did(words, entry) for entry in of)),
    )


def _did(words: Words, entry: Mapping[str, Any]) -> str:
    kind = "seen-first" if entry["purpose"] == SEEN_FIRST else entry["action"]
    did = words.say(f"opened.do.{kind}")
    return words.say("opened.refused", did=did) if entry["outcome"] == "refused" else did


SEEN_FIRST = "seen before rating"
