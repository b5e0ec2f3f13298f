"""Cells of a CSV file: no text begins as a formula, and numbers are as short as they can be."""

from collections.abc import Iterable

from imr_fhir.reporting.views.columns import Column

# After spaces of any kind: = + - @ and their full-width forms. A tab or CR makes a new cell in some programs.
_FORMULA = r"^[\s\x{00A0}\x{2000}-\x{200B}\x{3000}\x{FEFF}]*[=+\-@\x{FF1D}\x{FF0B}\x{FF0D}\x{FF20}]|^[\t\r]"


def cells(columns: Iterable[Column]) -> str:
    """What is selected of a table's columns for a CSV file."""
    return ", ".join(f'{_cell(column)} AS "{column.name}"' for column in columns)


def _cell(column: Column) -> str:
    name = f'"{column.name}"'
    if column.collection:
        name = f"to_json({name})::VARCHAR"
    elif column.kind == "decimal":
        return f"rtrim(rtrim({name}::VARCHAR, '0'), '.')"  # 3.6, and not 3.600000
    elif column.kind in ("boolean", "integer"):
        return name
    return f"CASE WHEN regexp_matches({name}, '{_FORMULA}') THEN '''' || {name} ELSE {name} END"
