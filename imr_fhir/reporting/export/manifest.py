"""manifest.json: what is in the folder, with checksums, and what each run got, left out, and why."""

import hashlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any

from imr_fhir.artefacts import VERSION as SOFTWARE
from imr_fhir.reporting.export.asked import Asked
from imr_fhir.reporting.export.courses_table import NAME, Leaving
from imr_fhir.reporting.export.ledger import VERSION, Part
from imr_fhir.reporting.export.merging import Written
from imr_fhir.reporting.export.taking import Taking

# Why a resource was left out that should have been there; the other reasons are no fault (not-imr, twice).
BAD = ("no-json", "other-type", "no-id", "too-long", "missing")
_SERVER_ERRORS = ("fatal", "error")


def manifest_of(
    taking: Taking,
    asked: Asked,
    before: Mapping[str, Any] | None,
    files: list[Written],
    replaced: int,
    *,
    now: datetime,
    courses: Leaving | None,
    on_server: Mapping[str, int | None],
    missing: Mapping[str, Any],
) -> dict[str, Any]:
    ledger = taking.ledger
    run = {**_run(taking, replaced, now), "onServer": dict(on_server), "missing": dict(missing)}
    return {
        "version": VERSION,
        "software": f"imr-fhir {SOFTWARE}",
        "transactionTime": ledger.transaction_time,
        "asked": asked.said(),
        "files": [asdict(each) for each in files],
        "courses": _table(courses) if courses else before["courses"] if before else None,
        "runs": [*(before["runs"] if before else ()), run],
    }


def _table(courses: Leaving) -> dict[str, Any]:
    return {
        "name": NAME,
        "count": courses.count,
        "sha256": hashlib.sha256(courses.data).hexdigest(),
        "leftOut": {"unreadable": len(courses.faults), "not-in-export": courses.elsewhere},
        "faults": list(courses.faults[:20]),
    }


def _run(taking: Taking, replaced: int, now: datetime) -> dict[str, Any]:
    """``received``, ``kept`` and ``leftOut`` count resources, ``onServer`` is what the server then said to have,
    ``missing`` what it did not give (missing.py); ``refused`` counts values of elements."""
    ledger = taking.ledger
    resources = [part for part in ledger.parts if part.kind in ("output", "search")]
    said: Counter[str] = Counter()
    for part in ledger.parts:
        if part.kind == "error":
            said.update(part.left)
    return {
        "exported": now.isoformat(timespec="seconds"),
        "how": ledger.how,
        "since": ledger.since,
        "transactionTime": ledger.transaction_time,
        "resources": {
            each: _of_type([part for part in resources if part.type == each]) for each in ledger.asked["types"]
        },
        "replaced": replaced,
        "deletedOnServer": sum(part.kept for part in ledger.parts if part.kind == "deleted"),
        "deletions": "told" if ledger.how == "bulk" else "unknown",
        "serverErrors": dict(said),
        "faults": [fault for part in ledger.parts for fault in part.faults][:100],
        "notes": list(ledger.notes),
    }


def _of_type(parts: list[Part]) -> dict[str, Any]:
    left: Counter[str] = Counter()
    refused: Counter[str] = Counter()
    for part in parts:
        left.update(part.left)
        refused.update(part.refused)
    found = {
        "received": sum(part.given for part in parts),
        "kept": sum(part.kept for part in parts),
        "leftOut": dict(left),
        "refused": dict(refused),
    }
    why = [part.unavailable for part in parts if part.unavailable]
    return {**found, "unavailable": why[0]} if why else found


def is_whole(manifest: Mapping[str, Any]) -> bool:
    """Whether all that was asked for in the last run is there, as far as the server and we can tell."""
    run = manifest["runs"][-1]
    bad = any(each["leftOut"].get(why) for each in run["resources"].values() for why in BAD)
    denied = any("unavailable" in each for each in run["resources"].values())
    table = manifest["courses"] and manifest["courses"]["leftOut"]["unreadable"]
    missing = any(each["ids"] or each["why"] for each in run.get("missing", {}).values())
    return not (
        bad or denied or missing or table or any(run["serverErrors"].get(severity) for severity in _SERVER_ERRORS)
    )
