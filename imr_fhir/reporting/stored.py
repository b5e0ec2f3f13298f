"""What a table has of a column's value: on Spark as on one machine, for Pathling keeps no more of it.

- An instant is in UTC with six digits after the second, so that as text they stand in their order.
- A decimal has six places.
- Text without a character to be seen, which FHIR does not allow, is none.
"""

from imr_fhir.reporting.views.columns import Column

_TYPES = {"integer": "INTEGER", "decimal": "DECIMAL(38,6)", "boolean": "BOOLEAN"}
# Java's Character.isWhitespace(), by which HAPI's parser leaves such text out.
_SPACES = "\t\n\v\f\r\x1c\x1d\x1e\x1f \u1680\u2000-\u2006\u2008-\u200a\u2028\u2029\u205f\u3000"
_BLANK = f"regexp_full_match({{0}}, '[{_SPACES}]*')"
_SEEN = "{0} >= '!' AND {0} < '\u1680'"  # by its first character, and most text is: the pattern takes its time


def stored(column: Column) -> str:
    """``column`` of a view's rows, by either engine, as it is selected into the table."""
    return f'{_value(column)} AS "{column.name}"'


def _value(column: Column) -> str:
    name = f'"{column.name}"'
    if column.collection:
        return name
    if type_ := _TYPES.get(column.kind):
        return f"CAST({name} AS {type_})"
    if column.type == "instant":  # what is none stays as it is
        said = f"strftime(TRY_CAST({name} AS TIMESTAMPTZ), '%Y-%m-%dT%H:%M:%S.%fZ')"
        return f"coalesce({said}, CAST({name} AS VARCHAR))"
    return f"CASE WHEN {_SEEN.format(name)} THEN {name} WHEN NOT {_BLANK.format(name)} THEN {name} END"
