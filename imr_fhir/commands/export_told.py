"""What `imr-fhir export` says: how far it is, and in the end what is there and what was left out."""

import shutil
import sys
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import click

from imr_fhir.reporting.export.manifest import BAD

NAMED = 10  # so many ids are shown

# Why a resource was left out -> in words.
_WHY = {
    "not-imr": "no IMR",
    "twice": "came twice",
    "other-patient": "of patients that were not asked for",
    "no-json": "not readable",
    "other-type": "of another type than the file",
    "no-id": "without an id",
    "too-long": "too long",
    "missing": "fewer than the server says",
}


class Progress:
    """A bar on standard error for a person who waits; a log file or a script sees nothing of it."""

    def __init__(self) -> None:
        self._shown = sys.stderr.isatty()
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self.clear()

    def clear(self) -> None:
        if self._shown:
            click.echo("\r\x1b[K", nl=False, err=True)

    def tell(self, said: str, how_far: float) -> None:
        if not self._shown:
            return
        done = round(20 * min(max(how_far, 0), 1))
        line = f"[{'#' * done}{'-' * (20 - done)}] {said}"[: shutil.get_terminal_size().columns - 1]
        with self._lock:
            click.echo(f"\r\x1b[K{line}", nl=False, err=True)


def told(manifest: Mapping[str, Any], folder: Path) -> Iterator[str]:
    run = manifest["runs"][-1]
    there: dict[str, int] = {}
    for file in manifest["files"]:
        there[file["type"]] = there.get(file["type"], 0) + file["count"]
    changes = len(manifest["runs"]) > 1
    for name in dict.fromkeys([*run["resources"], *there]):
        yield f"{name:<22}{there.get(name, 0):>9,}{_of_type(run['resources'].get(name, {}), changes)}"
    if manifest["courses"]:
        yield f"{'Courses (table)':<22}{manifest['courses']['count']:>9,}{_table(manifest['courses']['leftOut'])}"
    yield ""
    if changes:
        yield f"{run['replaced']:,} came anew or were deleted since {run['since']}."
    if run["deletions"] == "unknown":
        yield "What was deleted at the server is not told by a search: now and then run it with --anew."
    yield from run["notes"]
    for severity, count in run["serverErrors"].items():
        yield f"The server reports: {severity}, {count:,} times."
    for name, count in run["onServer"].items():
        if count is not None and count != run["resources"][name]["received"]:
            yield f"{name}: the server says it has {count:,}, and gave {run['resources'][name]['received']:,}."
    for name, found in run.get("missing", {}).items():
        yield from _missing(name, found)
    refused = sum(sum(each["refused"].values()) for each in run["resources"].values())
    if refused:
        yield f"{refused:,} values were left out of what is there, being of no known shape (manifest.json, refused)."
    yield from [*run["faults"], *(manifest["courses"] or {}).get("faults", ())][:10]
    yield f"{folder / 'manifest.json'}: as of {manifest['transactionTime']}. Run it again for what changes later."


def _of_type(found: Mapping[str, Any], changes: bool) -> str:
    if "unavailable" in found:
        return f"   {found['unavailable']}"
    parts = [f"{found['kept']:,} new"] if changes and found else []
    parts += [f"{count:,} left out: {_WHY[why]}" for why, count in found.get("leftOut", {}).items()]
    mark = " !" if any(why in BAD for why in found.get("leftOut", {})) else ""
    return f"   {', '.join(parts)}{mark}" if parts else ""


def _missing(name: str, found: Mapping[str, Any]) -> Iterator[str]:
    if found["ids"]:
        shown, more = found["ids"][:NAMED], len(found["ids"]) - NAMED
        rest = f" and {more:,} more (manifest.json names all)" if more > 0 else ""
        yield f"{name}: {len(found['ids']):,} that the server has are missing here !: {', '.join(shown)}{rest}."
    if found["why"]:
        yield f"{name}: which the server has and did not give is not known !: {found['why']}."
    if found["later"]:
        yield f"{name}: {found['later']:,} were written since; the next run fetches them."
    if found["ofNoPatient"]:
        yield f"{name}: {found['ofNoPatient']:,} are of no patient; only --system fetches such."


def _table(left: Mapping[str, int]) -> str:
    parts = [f"{left['unreadable']:,} rows not readable"] if left["unreadable"] else []
    parts += [f"{left['not-in-export']:,} of patients not in the export"] if left["not-in-export"] else []
    return f"   left out: {', '.join(parts)}" if parts else ""
