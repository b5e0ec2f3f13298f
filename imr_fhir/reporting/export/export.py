"""One export into a folder: begun, gone on with, or what has changed since the last one (docs/reporting.md)."""

import shutil
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from dataclasses import dataclass
from datetime import datetime
from functools import cache, partial
from pathlib import Path
from typing import Any, Literal

from imr_fhir.ehr.bulk_data import Kickoff
from imr_fhir.ehr.client import FhirClient
from imr_fhir.errors import (
    Busy,
    ExportError,
    ExportLost,
    Forbidden,
    Invalid,
    LostReply,
    NotConnected,
    NotFound,
    ServerFault,
)
from imr_fhir.reporting.export import bulk, counting, courses_table
from imr_fhir.reporting.export.asked import Asked, require_same
from imr_fhir.reporting.export.asking import type_filters
from imr_fhir.reporting.export.ledger import Ledger, Part, held, read_manifest, replace, unfinished
from imr_fhir.reporting.export.manifest import manifest_of
from imr_fhir.reporting.export.merging import Written, ids_in, known_files, make_ready, move
from imr_fhir.reporting.export.missing import missing
from imr_fhir.reporting.export.patience import Patience, Stopped, Tell
from imr_fhir.reporting.export.search import Searching, members
from imr_fhir.reporting.export.taking import Taking, disk

GO_ON = "Run the same command again: it goes on from here."
SIDE_BY_SIDE = 3  # files, or searches of a type: a hospital's server has its clinicians to serve
PATIENTS_AT_ONCE = 5  # searches of one patient each, which cost it little

How = Literal["auto", "bulk", "search"]


@dataclass(frozen=True)
class Options:
    """How, not what. ``anew``: what is in the folder is thrown away. ``raw``: a folder for what came, as it came.
    ``wait``: sleeps; None: until the time is over or the export has ended."""

    how: How = "auto"
    post: bool = False
    since: str = ""
    anew: bool = False
    raw: Path | None = None
    courses: Path | None = None
    wait: Callable[[float], object] | None = None


@dataclass(frozen=True)
class Exported:
    """``unknown_systems``: code systems whose codes stayed behind, and how often. Not in the manifest, which leaves:
    nobody knows what stands there."""

    manifest: dict[str, Any]
    unknown_systems: Mapping[str, int]


def export(
    client: FhirClient,
    folder: Path,
    asked: Asked,
    options: Options,
    *,
    now: datetime,
    tell: Callable[[str, float], None] = lambda *_: None,
) -> Exported:
    """``folder`` then holds what was asked for. Running it again fetches what has changed since.

    ``tell`` is told what it does and how far it is, from 0 to 1, from several threads.

    Raises ExportError, EhrError; then what was in ``folder`` is as it was, and the next run goes on from there.
    """
    if options.courses:
        courses_table.read(options.courses)  # before hours of work
    with held(folder):
        before = None if options.anew else read_manifest(folder)
        ledger = _ledger(folder, asked, options, before)
        manifest, release = ledger.manifest, asked.release()
        if manifest is None:
            known = known_files(None if ledger.anew else before)
            earlier = cache(partial(ids_in, ledger, known))
            taking = Taking(ledger, release, frozenset(asked.episode_types), options.raw, earlier)
            try:
                _run(client, taking, asked, options, now, lambda said: tell(said, ledger.how_far))
            except ExportLost:
                ledger.forget()
                raise
            except (NotConnected, LostReply, Busy, ServerFault) as error:
                raise ExportError(error.message, next_step=GO_ON) from error
            tell("Putting it together", 1)
            before = None if ledger.anew else before
            files, replaced = make_ready(ledger, known)
            courses = _courses(options, taking, files, asked)
            counts = counting.on_server(client, taking) if asked.level != "group" else {}
            there = partial(ids_in, ledger, files)
            came = partial(ids_in, ledger, [each for each in files if each.name not in {old.name for old in known}])
            lost = missing(client, taking, counts, level=asked.level, before=before, there=there, came=came)
            manifest = manifest_of(
                taking, asked, before, files, replaced, now=now, courses=courses, on_server=counts, missing=lost
            )
            with disk(ledger.work):
                if courses:
                    replace(ledger.ready / courses_table.NAME, courses.data)
                ledger.manifest = manifest
                ledger.save()
        move(ledger)
        return Exported(manifest, release.unknown_systems)


def _ledger(folder: Path, asked: Asked, options: Options, before: Mapping[str, Any] | None) -> Ledger:
    raw = str(options.raw.resolve()) if options.raw else ""
    found = None if options.anew else unfinished(folder)
    if found:
        require_same(asked, found.asked, str(folder))
        if found.raw != raw:
            raise ExportError(
                f"The export under way in {folder} keeps raw files in {found.raw or 'no folder'}.",
                next_step=f"Go on with {f'--keep-raw {found.raw}' if found.raw else 'no --keep-raw'}, or give --anew.",
            )
        return found
    if options.raw and options.raw.exists() and any(options.raw.iterdir()):
        raise ExportError(
            f"{options.raw} holds files already, which would be written over.",
            next_step="Name a new folder with --keep-raw: each run has its own.",
        )
    if before:
        require_same(asked, before["asked"], str(folder))
    if before and options.since:
        raise ExportError(
            f"{folder} is complete up to {before['transactionTime']}, and a run fetches what has changed since then.",
            next_step="Leave --since out, or name another folder.",
        )
    since = options.since or (before["transactionTime"] if before else "")
    if since and asked.shift_dates:
        raise ExportError(
            f"What is new since {since} would tell by how much its dates were moved.",
            next_step="Where dates are moved everything is fetched each time: give --anew, and no --since.",
        )
    shutil.rmtree(folder / ".export")  # of one that was given up, too
    (folder / ".export").mkdir(mode=0o700)
    ledger = Ledger(folder, asked.said(), since=since, anew=options.anew, raw=raw)
    ledger.save()
    return ledger


def _run(client: FhirClient, taking: Taking, asked: Asked, options: Options, now: datetime, tell: Tell) -> None:
    ledger, patience = taking.ledger, Patience(options.wait)
    if not ledger.parts:
        _begin(client, ledger, asked, options, patience, tell)
    group = members(client, asked.group) if ledger.how == "search" and asked.level == "group" else None
    at_once = PATIENTS_AT_ONCE if group else SIDE_BY_SIDE
    # ahead of what is asked for at once: one patient's slow answer holds up no other's
    with ThreadPoolExecutor(at_once, "pages") as pages:
        searching = Searching(client, taking, group, now, pages, 2 * at_once, patience, tell)

        def take(part: Part) -> None:
            if part.kind == "search":
                searching.take(part)
            else:
                bulk.take(client, taking, part, patience=patience, tell=tell)

        # of a group one type after the other, since its patients are asked for side by side
        calls = [partial(take, part) for part in ledger.parts if not part.done]
        _side_by_side(calls, patience, 1 if group else SIDE_BY_SIDE)
    if ledger.job:
        bulk.end(client, ledger)


def _begin(client: FhirClient, ledger: Ledger, asked: Asked, options: Options, patience: Patience, tell: Tell) -> None:
    """Until all that there is to take stands in the ledger."""
    server = counting.Statement.of(client)
    types = tuple(each for each in asked.types if server.has(each))
    ledger.notes += [f"The server has no {each}." for each in asked.types if each not in types and not ledger.job]
    of_patients = tuple(each for each in types if each != "Questionnaire")
    if ledger.how != "search" and options.how != "search":
        kickoff = Kickoff(asked.level, asked.group, of_patients, type_filters(of_patients, asked.systems), ledger.since)
        try:
            if not ledger.job:
                tell("Asking for the export")
                bulk.begin(client, ledger, kickoff, post=options.post, patience=patience)
            bulk.wait(client, ledger, patience=patience, tell=tell)
        except (NotFound, Forbidden, Invalid) as error:
            if ledger.job or options.how == "bulk" or error.status == 403 or server.exports:
                raise
            ledger.notes.append("The server makes no export of its own ($export): searched instead.")
    if not ledger.job:
        ledger.how = "search"
        if asked.level == "group" and "Provenance" in types:
            ledger.notes.append("A search by patient finds no Provenance but of Patients themselves.")
        for each in of_patients:
            ledger.add("search", each)
    if "Questionnaire" in types:
        ledger.add("search", "Questionnaire")
    ledger.save()


def _side_by_side(calls: Sequence[Callable[[], None]], patience: Patience, at_once: int) -> None:
    """All of them; the first that fails ends the others where they are."""
    with ThreadPoolExecutor(at_once, "export") as threads:
        begun = [threads.submit(call) for call in calls]
        try:
            wait(begun, return_when=FIRST_EXCEPTION)
        finally:
            patience.stop()
            threads.shutdown(cancel_futures=True)
    errors = [each.exception() for each in begun if not each.cancelled()]
    for error in errors:
        if error and not isinstance(error, Stopped):
            raise error


def _courses(options: Options, taking: Taking, files: list[Written], asked: Asked) -> courses_table.Leaving | None:
    if not options.courses:
        return None
    patients = ids_in(taking.ledger, files, "Patient") if "Patient" in asked.types else None
    return courses_table.leaving(courses_table.read(options.courses), taking.release, patients)
