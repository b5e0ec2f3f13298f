"""The table that translators work in, as CSV: written so that Excel shows it right, read from whatever saved it."""

import csv
import hashlib
import io
from dataclasses import astuple, dataclass, fields
from typing import Literal, get_args

from imr_fhir.errors import TranslationError
from imr_fhir.spreadsheet import escaped, unescaped

Status = Literal["missing", "translated", "stale"]
Delimiter = Literal[",", ";", "\t"]


@dataclass(frozen=True, slots=True)
class Row:
    key: str
    shown: str  # where the string is seen
    english: str
    translation: str  # "" where there is none
    status: str  # a Status, as it was on exporting; not read again
    language: str  # BCP 47
    form: str  # "url|version" of the Questionnaire
    fingerprint: str  # of the English text


COLUMNS = tuple(field.name for field in fields(Row))
_READ = ("key", "translation", "language", "form", "fingerprint")


@dataclass(frozen=True, slots=True)
class Line:
    """A row as it came back; ``number`` as a spreadsheet counts rows, the header being 1."""

    number: int
    key: str
    translation: str
    language: str
    form: str
    fingerprint: str


def fingerprint(english: str) -> str:
    """Twelve hexadecimal digits behind letters: a spreadsheet would make a number of 12 digits, or of 1e5."""
    return f"en-{hashlib.sha256(english.encode()).hexdigest()[:12]}"


def write_table(rows: tuple[Row, ...], delimiter: Delimiter = ",") -> bytes:
    """The CSV (RFC 4180). It begins with a byte order mark: without one, Excel takes UTF-8 for its own code page."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=delimiter, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    writer.writerows([escaped(cell) for cell in astuple(row)] for row in rows)
    return out.getvalue().encode("utf-8-sig")


def read_table(data: bytes) -> tuple[Line, ...]:
    """The rows of a CSV, with comma, semicolon or tab between cells. Raises TranslationError where it is no such table.

    Spreadsheets of half of Europe save with semicolons, whatever they opened. Columns may stand in any order, and more
    may have been added; a row without any cell is skipped.
    """
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as fault:
        raise TranslationError(
            f"The table is not in UTF-8: byte {fault.start} is not.",
            next_step='Save it again as "CSV UTF-8" (Excel), or choose UTF-8 when saving (LibreOffice).',
        ) from None
    try:
        return tuple(_lines(text))
    except csv.Error as fault:
        raise TranslationError(f"The table is no CSV: {fault}.", next_step="Save it again as CSV.") from fault


def _lines(text: str) -> list[Line]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text), strict=True)
    header = [unescaped(cell).strip().lower() for cell in next(reader, [])]
    if lacking := [name for name in _READ if name not in header]:
        raise TranslationError(
            f"The table has no column {', '.join(lacking)}.",
            next_step=f"Its first row must name the columns as exported: {', '.join(COLUMNS)}.",
        )
    if twice := [name for name in _READ if header.count(name) > 1]:
        raise TranslationError(f"The table has two columns {twice[0]}.", next_step="Take one of them out.")
    found = []
    for number, cells in enumerate(reader, 2):
        if any(cell.strip() for cell in cells):
            whole = dict(zip(header, [*cells, *[""] * len(header)], strict=False))
            found.append(Line(number, **{name: unescaped(whole[name]) for name in _READ}))
    if not found:
        raise TranslationError("The table has no rows.", next_step="Export it again with imr-fhir translate export.")
    return found


def _delimiter(text: str) -> str:
    """What stands most often in the header, whose column names hold none of the three."""
    header = text.partition("\n")[0]
    return str(max(get_args(Delimiter), key=header.count))
