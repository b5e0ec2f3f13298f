"""What a table has of a column's value: on Spark as on one machine, for Pathling keeps no more of it.

- An instant is in UTC with six digits after the second, so that as text they stand in their order.
- A decimal has six places.
- Text without a character to be seen, which FHIR does not allow, is none.
"""

from collections.abc import Iterable

from imr_fhir.reporting.views.columns import Column

_TYPES = {"integer": "INTEGER", "decimal": "DECIMAL(38,6)", "boolean": "BOOLEAN"}
# Java's Character.isWhitespace(), by which HAPI's parser leaves such text out.
_SPACES = "\t\n\v\f\r\x1c\x1d\x1e\x1f \u1680\u2000-\u2006\u2008-\u200a\u2028\u2029\u205f\u3000"
_BLANK = f"regexp_full_match({{0}}, '[{_SPACES}]*')"
_SEEN = "{0} >= '!' AND {0} < '\u1680'"  # by its first character, and most text is: the pattern takes its time


def stored(column: Column, *, blanks: bool = False) -> str:
    """``column`` of a view's rows, by either engine, as it is selected into the table. ``blanks``: text without a
    character to be seen is left as it is, to be looked for in what was written."""
    return f'{_value(column, blanks)} AS "{column.name}"'


# Parquet tells the least and the greatest text of each part of a column: where both begin with a character that is
# seen in every text between them, nothing is blank, and no row has to be looked at.
SUSPECTS = f"""FROM parquet_metadata({{file}}) SELECT DISTINCT path_in_schema
WHERE coalesce(
  NOT ({_SEEN.format("stats_min_value")} AND {_SEEN.format("stats_max_value")}), stats_null_count < num_values
)"""


def blank(columns: Iterable[str]) -> str:
    """Whether one of ``columns`` holds text of blanks, as an aggregate."""
    return " OR ".join(f"coalesce(bool_or({_BLANK.format(name)}), false)" for name in columns)


def is_text(column: Column) -> bool:
    """Whether the rule of blanks is for it."""
    return not (column.collection or column.kind in _TYPES or column.type == "instant")


def _value(column: Column, blanks: bool) -> str:
    name = f'"{column.name}"'
    if column.collection or (blanks and is_text(column)):
        return name
    if type_ := _TYPES.get(column.kind):
        return f"CAST({name} AS {type_})"
    if column.type == "instant":  # what is none stays as it is
        said = f"strftime(TRY_CAST({name} AS TIMESTAMPTZ), '%Y-%m-%dT%H:%M:%S.%fZ')"
        return f"coalesce({said}, CAST({name} AS VARCHAR))"
    return f"CASE WHEN {_SEEN.format(name)} THEN {name} WHEN NOT {_BLANK.format(name)} THEN {name} END"
