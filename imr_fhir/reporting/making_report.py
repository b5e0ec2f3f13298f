"""An export's folder to a report's: the tables, the page, and the figures as CSV and JSON."""

import csv
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, tzinfo
from pathlib import Path
from typing import Any

from imr_fhir.errors import ReportError, ResourceError
from imr_fhir.fhir_time import parse_date_time
from imr_fhir.reporting.duck import connection
from imr_fhir.reporting.export.courses_table import NAME, read
from imr_fhir.reporting.export.ledger import private_folder
from imr_fhir.reporting.export.ledger import replace as replace_file
from imr_fhir.reporting.measure_report import bundle
from imr_fhir.reporting.measured import BLIND, LATEST, PAIRS, SCORES, SEEN_FIRST
from imr_fhir.reporting.page import page
from imr_fhir.reporting.proportions import Line, proportions
from imr_fhir.reporting.reconciliation import Reconciliation, reconcile
from imr_fhir.reporting.report import Report, make_report
from imr_fhir.reporting.tables import Written, write_tables
from imr_fhir.reporting.views.value import literal
from imr_fhir.reporting.work import work
from imr_fhir.reporting.writing import writing_to
from imr_fhir.spreadsheet import escaped

PAGE, FIGURES, DATA, MEASURE = "report.html", "figures.csv", "figures.json", "measure-report.json"
LOST = "not-accounted-for.json"  # beside the tables, as it names resources


@dataclass(frozen=True, slots=True)
class Made:
    """``lost``: the file with all that is not accounted for; there only where something is."""

    report: Report
    written: Written
    reconciliation: Reconciliation
    files: tuple[Path, ...]
    lost: Path


def make(
    folder: Path,
    out: Path,
    *,
    zone: tzinfo,
    now: datetime,
    language: str = "en",
    exported: date | None = None,
    course_types: tuple[str, ...] = (),
    write: Callable[[Path, Path], Written] = write_tables,
) -> Made:
    """``folder``: what `imr-fhir export` wrote. ``exported``: the day, where no manifest.json says it.
    ``language``: of the page; the other files are the same in each. ``write``: makes the tables, on this machine or on
    a cluster.

    Raises ReportError, TablesError, and ExportError for the hospital's table of courses.
    """
    manifest = _manifest(folder)
    day = exported or _day(manifest, zone, folder)
    tables = out / "tables"
    with writing_to(out, "The report", ReportError):
        private_folder(tables)
    written = write(folder, tables)
    if manifest and manifest["asked"].get("shift_dates"):
        raise ReportError(
            f"The dates in {folder} were moved (--shift-dates), so no quarter and no closed window can be counted. "
            f"There is no report; the tables are in {tables}.",
            next_step="For a report, export into another folder without --shift-dates.",
        )
    courses = read(folder / NAME) if (folder / NAME).is_file() else None
    parquet = [file for table in written.tables for file in table.files]
    with work(tables) as own, connection(own.folders, files=parquet, spill=own.spill) as duck:
        for table in written.tables:
            files = ", ".join(literal(str(file)) for file in own.linked(table.files))
            duck.execute(f"CREATE VIEW {table.name} AS FROM read_parquet([{files}])")
        with _told():
            report = make_report(
                duck,
                exported=day,
                zone=zone,
                course_types=course_types or tuple(manifest["asked"]["episode_types"] if manifest else ()),
                table=courses.rows if courses else (),
                work=own.parts,
            )
    reconciliation = reconcile(manifest, written, courses, report)
    found = tuple(proportions(report))
    with writing_to(out, "The report", ReportError):
        (out / PAGE).write_text(
            page(report, reconciliation, made=now.astimezone(zone), language=language), encoding="utf-8"
        )
        _write_csv(found, out / FIGURES)
        for name, data in ((DATA, _data(report, found)), (MEASURE, bundle(found, day))):
            (out / name).write_text(json.dumps(data, ensure_ascii=False), encoding="utf-8")
        _write_lost(reconciliation, tables / LOST)
    made = tuple(out / name for name in (PAGE, FIGURES, DATA, MEASURE))
    return Made(report, written, reconciliation, made, tables / LOST)


@contextmanager
def _told() -> Iterator[None]:
    """Raises ReportError for what DuckDB says; its own words may quote the data, so only their kind is told."""
    import duckdb

    try:
        yield
    except duckdb.Error as error:
        raise ReportError(
            f"The figures can't be counted ({type(error).__name__}).",
            next_step="Where the memory or the disk is full, make room; else tell those who make imr-fhir.",
        ) from None


def _write_lost(reconciliation: Reconciliation, path: Path) -> None:
    if reconciliation.faults:
        whole = [fault.whole() for fault in reconciliation.faults]
        replace_file(path, json.dumps(whole, indent=1, ensure_ascii=False).encode())
    else:
        path.unlink(missing_ok=True)


def _manifest(folder: Path) -> dict[str, Any] | None:
    path = folder / "manifest.json"
    if not path.is_file():
        return None
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        parse_date_time(found["transactionTime"])
        list(found["asked"]["episode_types"])
        dict(found["runs"][-1])
        return {**found, "files": [{**each, "name": each["name"], "count": each["count"]} for each in found["files"]]}
    except (ValueError, LookupError, TypeError, ResourceError):
        raise ReportError(f"{path} is no manifest of an export.", next_step="Export again.") from None


def _day(manifest: Mapping[str, Any] | None, zone: tzinfo, folder: Path) -> date:
    if manifest is None:
        raise ReportError(
            f"{folder} has no manifest.json, so nothing says when it was exported.",
            next_step="Give the day: --exported 2026-09-15.",
        )
    return parse_date_time(manifest["transactionTime"]).astimezone(zone).date()


def _write_csv(found: tuple[Line, ...], path: Path) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(Line._fields)
        writer.writerows([escaped(cell) if isinstance(cell, str) else cell for cell in line] for line in found)


def _data(report: Report, found: tuple[Line, ...]) -> dict[str, Any]:
    change = [line for line in report.measured.change if line.cell not in report.hidden]
    return {
        "exported": report.exported.isoformat(),
        "zone": report.zone,
        "threshold": report.threshold,
        "proportions": [line._asdict() for line in found],
        "change": [
            {
                **line._asdict(),
                "interval": None if line.interval is None else [line.interval.low, line.interval.high],
            }
            for line in change
        ],
        "agreement": _agreement(report),
        "pairs": {name: report.shown(cell) for name, cell in _PAIRS.items()},
        "score_agreement": _score_agreement(report),
    }


_PAIRS = {"all": PAIRS, "blind": BLIND, "seen_first": SEEN_FIRST, "latest": LATEST, "both_complete": SCORES}


def _score_agreement(report: Report) -> dict[str, Any] | None:
    """Of those that are ``both_complete``; None of fewer than two, and where their number is hidden."""
    found = report.measured.scores
    if found is None or report.shown(SCORES) is None:
        return None
    limits = [found.limits.low, found.limits.high]
    return {"mean_difference": found.mean_difference, "limits": limits, "icc": found.icc}


def _agreement(report: Report) -> list[dict[str, Any]]:
    found = []
    for item in report.measured.items:
        counts = {name: report.shown(cell) for name, cell in zip(item.counts, item.cells, strict=True)}
        whole = None not in counts.values()
        measured = {"mean_difference": item.mean_difference, "kappa": item.kappa}
        found.append({"item": item.item, **counts, **(measured if whole else dict.fromkeys(measured))})
    return found
