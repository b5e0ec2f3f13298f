"""What `imr-fhir load` and `--rollback` say: as text for a person, as JSON for a script."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from imr_fhir.artefacts import VERSION, artefact_resources
from imr_fhir.commands.exits import Exit
from imr_fhir.ehr.outcome import plain
from imr_fhir.loader.difference import Change, changes
from imr_fhir.loader.load import Done, Loaded
from imr_fhir.loader.plan import Step
from imr_fhir.loader.there import Resource, reference
from imr_fhir.version import stored_version

_MOST = 12  # differences of one resource that a person is shown; --json has all
_DONE = {"create": "created", "update": "updated", "retire": "retired"}

# What a conflict is, and the next step.
_CONFLICTS = {
    "edited": (
        "{target} is not as this command wrote it: somebody else made or changed it",
        "If it is wanted as it is there, copy it to an id and a url of its own. Delete it there, then run this again.",
    ),
    "copies": (
        "the server has {count} copies of {url}, version {version}",
        "Delete all but one there: which of them is meant would be the server's guess. Then run this again.",
    ),
    "taken": (
        "{target} is something else there: {other}",
        "It needs another id there, or has to go. Then run this again.",
    ),
}


def exit_code(loaded: Loaded) -> Exit:
    if loaded.error:
        ours = [one for one in loaded.of("in", "otherwise", "unknown") if not one.by_another]
        return Exit.PARTLY if ours else Exit.FAILED
    return Exit.FOUND if loaded.plan.of("conflict") or not all(one.clean for one in loaded.done) else Exit.DONE


def text(base: str, loaded: Loaded, record: Path | None, *, single: bool, retire: Sequence[str]) -> Iterator[str]:
    plan = loaded.plan
    versions = sorted({each["version"] for each in artefact_resources()})
    yield f"{base}: IMR artefacts, version {' and '.join(versions)}"
    yield ""
    if loaded.done:
        yield from _done(loaded)
    else:
        for step in plan.writes:
            yield from _planned(step)
    for step in plan.of("conflict"):
        yield from _conflict(step)
    same = len(plan.of("same"))
    if same:
        yield f"  same      {same} {'is there as it' if same == 1 else 'are there as they'} should be"
    if plan.beside:
        yield f"  beside    {', '.join(_named(each) for each in plan.beside)}: left as they are"
    found = {str(each.get("version")) for step in plan.of("retire") for each in step.there}
    for version in retire:
        if version not in found:
            yield f"  retire    nothing of version {version} that is older, ours and not retired yet"
    yield ""
    yield from _summary(loaded, record, single=single)


def _planned(step: Step) -> Iterator[str]:
    yield f"  {step.action:<9} {step.target}"
    if step.action == "update":
        yield from _differences(changes(step.there[0], step.resource), "-", "+")


def _conflict(step: Step) -> Iterator[str]:
    what, next_step = _CONFLICTS[step.conflict]
    resource = step.resource
    other = " ".join(plain(str(step.there[0].get(name, ""))) for name in ("url", "version"))
    told = {"target": step.target, "count": len(step.there), "url": resource["url"], "version": resource["version"]}
    yield f"  conflict  {what.format(**told, other=other.strip() or 'no url')}"
    for each in step.there:
        differ = changes(each, resource)
        yield f"            there: {_named(each)}, {_when(each)}{'' if differ else '; it says what ours says'}"
        yield from _differences(differ, "there", "ours ")
    yield f"            {next_step}"


def _differences(differ: Sequence[Change], before: str, after: str) -> Iterator[str]:
    for change in differ[:_MOST]:
        yield f"              {change.path}"
        yield f"                {before} {change.before or '(nothing)'}"
        yield f"                {after} {change.after or '(nothing)'}"
    if len(differ) > _MOST:
        yield f"              and {len(differ) - _MOST} more; --json shows all"


def _done(loaded: Loaded) -> Iterator[str]:
    for done in loaded.done:
        if done.state not in ("in", "otherwise"):
            yield f"  {done.state:<9} {done.place}"
        elif done.by_another:
            yield f"  same      {done.place}: another load put it there while this one ran"
        elif done.state == "in":
            yield f"  {_DONE[done.step.action]:<9} {done.place}"
        else:
            yield f"  {_DONE[done.step.action]:<9} {done.place}, but the server keeps it in another way:"
            yield from _differences(done.changes, "sent", "kept")
        if done.met and not done.by_another:
            yield f"  over      {done.place}: somebody put this there while this ran, and it was written over"
            yield f"            there: {_named(done.met)}, {_when(done.met)}"
            yield from _differences(changes(done.met, done.step.resource), "there", "ours ")
            yield "            With --rollback it is put back."
        if done.copies:
            yield from _conflict(replace(done.step, action="conflict", there=done.copies, conflict="copies"))


def _summary(loaded: Loaded, record: Path | None, *, single: bool) -> Iterator[str]:
    plan = loaded.plan
    if loaded.error:
        there = sum(not one.by_another for one in loaded.of("in", "otherwise"))
        others = sum(one.by_another for one in loaded.done)
        unknown = len(loaded.of("unknown"))
        yield (
            f"It broke off: {there} of {len(loaded.done)} are in, {unknown} can't be seen now."
            if unknown
            else (f"It broke off: {there} of {len(loaded.done)} are in." if there else "Nothing was written.")
        )
        if others:
            yield f"Another load put {others} of {len(loaded.done)} there while this one ran."
        if there or unknown:
            yield "To go on, run the same command again: it writes only what is missing."
            yield f"To take back what is in, run it with --rollback; the record is {record}."
        return
    counts = Counter(step.action for step in plan.steps)
    if loaded.done:
        written = sum(not done.by_another for done in loaded.done)
        if not written:
            yield "Nothing was left to write. Another load wrote it, so that --rollback here takes nothing back."
            return
        yield f"{written} written {_way(single)}, read back and compared."
        yield f"The record is {record}; with --rollback it is taken back."
        if any(done.unseen for done in loaded.done):
            yield (
                "Whether somebody else put something under the same ids while this ran can't be seen: "
                "the server has no history of them."
            )
    elif plan.writes:
        told = ", ".join(f"{counts[action]} to {action}" for action in ("create", "update", "retire") if counts[action])
        flags = "--yes --leave-conflicts" if plan.of("conflict") else "--yes"
        yield f"{told}, {_way(single)}. Nothing has been written; with {flags} it is."
    elif not plan.of("conflict"):
        yield "Nothing to do."
    if plan.of("conflict"):
        yield f"{counts['conflict']} in conflict, left as they are."


def _way(single: bool) -> str:
    return "one by one" if single else "in one transaction"


def _named(resource: Resource) -> str:
    version = plain(str(resource.get("version", "none")))
    return f"{reference(resource)} (version {version}, {plain(str(resource.get('status', 'no status')))})"


def _when(resource: Resource) -> str:
    meta = resource.get("meta")
    when = plain(str(meta.get("lastUpdated", ""))) if isinstance(meta, dict) else ""
    return f"the server's version {stored_version(resource) or 'unknown'}, last changed {when or 'at a time not told'}"


def as_json(base: str, loaded: Loaded, record: Path | None, *, single: bool) -> dict[str, Any]:
    done = {done.step.target: done for done in loaded.done}
    return {
        "server": base,
        "version": VERSION,
        "applied": bool(loaded.done),
        "transaction": not single,
        "record": str(record) if record and record.exists() else None,
        "steps": [_step_json(step, done.get(step.target)) for step in loaded.plan.steps],
        "beside": [_there_json(each) for each in loaded.plan.beside],
        "error": loaded.error.message if loaded.error else None,
    }


def _step_json(step: Step, done: Done | None) -> dict[str, Any]:
    shown = step.action not in ("same", "create")
    return {
        "action": step.action,
        "reference": done.place if done else step.target,
        "url": step.resource["url"],
        "version": step.resource["version"],
        **({"conflict": step.conflict, "next": _CONFLICTS[step.conflict][1]} if step.conflict else {}),
        **({"there": [_there_json(each, step.resource) for each in step.there]} if shown else {}),
        **(_done_json(step, done) if done else {}),
    }


def _done_json(step: Step, done: Done) -> dict[str, Any]:
    return {
        "state": done.state,
        "kept": _changes_json(done.changes),
        "writtenOver": _there_json(done.met, step.resource) if done.met and not done.by_another else None,
        "byAnother": done.by_another,
        "copies": [_there_json(each, step.resource) for each in done.copies],
        "unseen": done.unseen,
    }


def _there_json(there: Resource, wanted: Resource | None = None) -> dict[str, Any]:
    meta = there.get("meta")
    return {
        "reference": reference(there),
        "version": there.get("version"),
        "status": there.get("status"),
        "versionId": stored_version(there) or None,
        "lastUpdated": meta.get("lastUpdated") if isinstance(meta, dict) else None,
        **({"changes": _changes_json(changes(there, wanted))} if wanted else {}),
    }


def _changes_json(differ: Sequence[Change]) -> list[dict[str, str]]:
    return [{"path": each.path, "before": each.before, "after": each.after} for each in differ]
