"""What a record tells: what was applied to the server and is not taken back, and what there is our own."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from imr_fhir.loader.record import Row

Resource = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Entry:
    """One resource of an apply. ``target``: where it was to be; ``place``: where it is, and in which version by the
    server's own count, "" until the server has said.

    ``sent``: the content hash of what was sent; ``kept``: of what the server made of it, where that is something else.
    ``before``: what stood there, None where there was nothing. ``was``, by the server's answer: "new", or
    "there" where somebody else had written the same meanwhile, and we nothing; "": it did not tell.
    """

    target: str
    url: str
    version: str
    sent: str
    before: Resource | None = None
    place: str = ""
    version_id: str = ""
    kept: str = ""
    was: str = ""
    undone: bool = False

    @property
    def created(self) -> bool:
        return self.before is None


@dataclass(slots=True)
class Apply:
    """``at``: when it began, as text; ``whole``: it ran to its end."""

    at: str
    entries: dict[str, Entry] = field(default_factory=dict)
    whole: bool = False
    rolled_back: bool = False

    def open(self) -> tuple[Entry, ...]:
        """What is not taken back yet, in the order in which it was written."""
        return tuple(entry for entry in self.entries.values() if not entry.undone)


def applies(rows: Iterable[Row]) -> list[Apply]:
    """All of a record, oldest first; what went on where another broke off is one with it."""
    found: list[Apply] = []
    for row in rows:
        if row["row"] == "apply" and not (found and not found[-1].whole and not found[-1].rolled_back):
            found.append(Apply(str(row.get("at", ""))))
        elif found:
            _take(found, row)
    return found


def current(rows: Iterable[Row]) -> Apply:
    """The one that is under way."""
    return applies(rows)[-1]


def last(rows: Iterable[Row]) -> Apply | None:
    """The last that was not taken back, and so the one that a rollback takes back."""
    return next((each for each in reversed(applies(rows)) if not each.rolled_back and each.entries), None)


def ownership(rows: Sequence[Row]) -> dict[tuple[str, str], str]:
    """(reference, content hash as the server has it) -> content hash of what we sent for it."""
    places = {step["target"]: step["place"] for row in rows if row["row"] == "sent" for step in row["steps"]}
    owned = {
        (places.get(step["target"], step["target"]), step["sent"]): step["sent"]
        for row in rows
        if row["row"] == "sending"
        for step in row["steps"]
    }
    kept = {
        (places.get(row["target"], row["target"]), row["hash"]): row["sent"] for row in rows if row["row"] == "kept"
    }
    return owned | kept


def _take(found: list[Apply], row: Row) -> None:
    entries = found[-1].entries
    if row["row"] == "sending":
        for step in row["steps"]:
            sending = Entry(step["target"], step["url"], step["version"], step["sent"], step.get("before"))
            first = entries.get(sending.target)
            # Sent again by what went on: what stood there before all of it is what the first one met.
            entries[sending.target] = replace(sending, before=first.before, place=first.place) if first else sending
    elif row["row"] == "sent":
        for step in row["steps"]:
            told = {"place": step["place"], "version_id": step["version_id"], "was": step.get("was", "")}
            entries[step["target"]] = replace(entries[step["target"]], **told)
    elif row["row"] == "refused":
        for target in row["targets"]:
            if not entries[target].place:
                del entries[target]
    elif row["row"] == "met":
        entries[row["target"]] = replace(entries[row["target"]], before=row["before"])
    elif row["row"] == "kept":
        entries[row["target"]] = replace(entries[row["target"]], kept=row["hash"])
    elif row["row"] == "applied":
        found[-1].whole = True
    elif row["row"] in ("undone", "rolled back"):
        _undo(found, row)


def _undo(found: list[Apply], row: Row) -> None:
    taken = next((each for each in reversed(found) if not each.rolled_back and each.entries), None)
    if taken and row["row"] == "rolled back":
        taken.rolled_back = True
    elif taken:
        taken.entries[row["target"]] = replace(taken.entries[row["target"]], undone=True)
