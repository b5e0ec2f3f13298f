"""The hospital's own table of courses, where its EHR has no EpisodeOfCare (rule 13): read, and let out like the rest.

    patient,unit,offered,start,end,reason
    12,Nordlys DPS,2025-01-07,2025-02-03,2025-11-20,completed

``patient``: the id of the Patient in the EHR. Dates as 2025-02-03, or empty. ``reason`` of the end: completed, moved,
died, or the hospital's own word for leaving, which leaves as "left".
"""

import csv
import io
from collections.abc import Collection, Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any

from imr_fhir.course import END_REASONS, CourseRow, row_course
from imr_fhir.ehr.address import is_id
from imr_fhir.errors import ExportError, ResourceError
from imr_fhir.fhir_time import parse_date
from imr_fhir.reporting.export.release import Release
from imr_fhir.spreadsheet import escaped, unescaped

COLUMNS = ("patient", "unit", "offered", "start", "end", "reason")
NAME = "courses.csv"
LARGEST = 50_000_000  # bytes
EARLIEST = 1900  # 0001-01-01 is no day of a course


@dataclass(frozen=True, slots=True)
class Table:
    """``faults``: why a row can't be read, by its number; the heads are row 1."""

    rows: tuple[CourseRow, ...] = ()
    faults: Mapping[int, str] = field(default_factory=dict)


def read(path: Path) -> Table:
    """Raises ExportError where it is no such table; a row that can't be read is told and left out."""
    if path.stat().st_size > LARGEST:
        raise ExportError(f"{path} is larger than {LARGEST:,} bytes.", next_step=_EXAMPLE)
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise ExportError(f"{path} is not UTF-8.", next_step='Save it as "CSV UTF-8".') from None
    first = text.partition("\n")[0]
    reader = csv.DictReader(io.StringIO(text), delimiter=";" if first.count(";") > first.count(",") else ",")
    columns = tuple(name.strip().lower() for name in reader.fieldnames or ())
    reader.fieldnames = columns
    missing = [name for name in COLUMNS if name not in columns]
    if missing:
        raise ExportError(f"{path} has no column {', '.join(missing)}.", next_step=_EXAMPLE)
    rows, faults, known = [], dict[int, str](), set[CourseRow]()
    try:
        for number, row in enumerate(reader, 2):
            try:
                found = _row(row)
                if found in known:
                    raise ResourceError("it stands there twice.")
                known.add(found)
                rows.append(found)
            except ResourceError as error:
                faults[number] = error.message
    except csv.Error:
        raise ExportError(f"{path} is no CSV from line {reader.line_num} on.", next_step=_EXAMPLE) from None
    return Table(tuple(rows), faults)


def _row(row: Mapping[str, Any]) -> CourseRow:
    cells = {name: (row[name] or "").strip() for name in COLUMNS}
    patient = cells["patient"].removeprefix("Patient/")
    if not is_id(patient):
        raise ResourceError("its patient is no id.")
    days = {name: _day(name, cells[name]) for name in ("offered", "start", "end")}
    found = CourseRow(
        patient, unescaped(cells["unit"]), days["offered"], days["start"], days["end"], cells["reason"].lower()
    )
    if found.start is None and (found.offered is None or found.end is not None):
        raise ResourceError("it has no start.")
    try:
        row_course(found)
    except ResourceError:
        raise ResourceError("it ends before it starts.") from None
    return found


def _day(name: str, cell: str) -> date | None:
    """What stands there is not quoted: the manifest leaves the hospital."""
    try:
        if cell and len(cell) != 10:
            raise ResourceError("a month or a year alone")
        found = parse_date(cell) if cell else None
        if found and found.year < EARLIEST:
            raise ResourceError("what some software writes where there is no day")
        return found
    except ResourceError:
        raise ResourceError(f"its {name} is no date of the form 2025-02-03.") from None


@dataclass(frozen=True, slots=True)
class Leaving:
    """``elsewhere``: how many rows were of patients that are not in the export."""

    data: bytes
    count: int
    elsewhere: int
    faults: tuple[str, ...]


def leaving(table: Table, release: Release, patients: Collection[str] | None) -> Leaving:
    """The table as it leaves. ``patients``: their ids as they leave; None where the export has none to compare with."""
    out = io.StringIO()
    writer = csv.DictWriter(out, COLUMNS, lineterminator="\n")
    writer.writeheader()
    rows = [row for row in _released(table, release) if patients is None or row.patient in patients]
    for row in sorted(rows, key=lambda row: (row.patient, row.start or date.min)):
        writer.writerow(asdict(row))
    # without the file's own name: the manifest leaves the hospital
    faults = tuple(f"The table of courses, row {number}: {why}" for number, why in table.faults.items())
    return Leaving(out.getvalue().encode(), len(rows), len(table.rows) - len(rows), faults)


def _released(table: Table, release: Release) -> Iterator[CourseRow]:
    for row in table.rows:
        back = release.pseudonyms.shift(row.patient) if release.shift and release.pseudonyms else None
        moved = {name: day - back if day and back else day for name, day in _days(row).items()}
        reason = row.reason if row.reason in END_REASONS else "left"
        unit = escaped(row.unit) if release.unit_names else release.id("Organization", row.unit) if row.unit else ""
        yield replace(row, patient=release.id("Patient", row.patient), unit=unit, reason=reason, **moved)


def _days(row: CourseRow) -> dict[str, date | None]:
    return {"offered": row.offered, "start": row.start, "end": row.end}


_EXAMPLE = f"Its first line is {','.join(COLUMNS)}; dates are as 2025-02-03."
