"""What `imr-fhir load --rollback` says: as text for a person, as JSON for a script."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from imr_fhir.commands.exits import Exit
from imr_fhir.loader.rollback import RolledBack

_GONE = {False: "nothing of it is there any more", True: "it is as it was before"}


def exit_code(undone: RolledBack, *, done: bool) -> Exit:
    if undone.error:
        return Exit.PARTLY if undone.done else Exit.FAILED
    if undone.of("leave"):
        return Exit.PARTLY if done and undone.done else Exit.FOUND
    return Exit.DONE


def text(base: str, undone: RolledBack, *, done: bool) -> Iterator[str]:
    how = {undo.entry.target: how for undo, how in undone.done}
    yield f"{base}: what was loaded {undone.apply.at}".rstrip()
    yield ""
    for undo in undone.undos:
        if undo.action == "gone":
            yield f"  gone      {undo.target}: {_GONE[undo.now is not None]}"
        elif undo.action == "together":
            continue
        elif undo.action == "leave":
            yield f"  leave     {undo.target}: {undo.why}"
        elif done:
            yield f"  {how.get(undo.entry.target, 'not yet'):<9} {undo.target}"
        else:
            yield f"  {undo.action:<9} {undo.target}"
    together = undone.of("together")
    if together:
        yield f"  leave     {len(together)} more: {together[0].why.replace('It belongs', 'they belong')}"
    yield ""
    counts = Counter(how.values() if done else (undo.action for undo in undone.of("delete", "restore")))
    told = ", ".join(f"{count} {'' if done else 'to '}{what}" for what, count in counts.items()) or "Nothing to do"
    yield f"{told}." if done or not counts else f"{told}. Nothing has been done; with --yes it is."
    if "retired" in counts:
        yield "The server deletes nothing, so these are retired: nobody is to use them any more."
    if undone.error:
        yield "To go on, run the same command again."
    if left := undone.of("leave"):
        yield f'{len(left) + len(together)} stay as they are. Where one is not wanted, set it to "retired" there.'


def as_json(base: str, undone: RolledBack, record: Path | None, *, done: bool) -> dict[str, Any]:
    how = {undo.entry.target: how for undo, how in undone.done}
    return {
        "server": base,
        "loaded": undone.apply.at,
        "rolledBack": done and not undone.error,
        "record": str(record),
        "steps": [
            {
                "action": "leave" if undo.action == "together" else undo.action,
                "reference": undo.target,
                "url": undo.entry.url,
                "version": undo.entry.version,
                "why": undo.why or None,
                "done": how.get(undo.entry.target),
            }
            for undo in undone.undos
        ],
        "error": undone.error.message if undone.error else None,
    }
