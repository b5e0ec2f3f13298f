"""Which elements a view reads: only they are typed and read, which is what makes it fast."""

from dataclasses import dataclass, field

from imr_fhir.reporting.views.definitions import PRIMITIVES

# Numbers are read with their fraction, so that 5.7 as an integer is a fault and not 6.
_SQL = {"integer": "DOUBLE", "decimal": "DECIMAL(38,18)", "boolean": "BOOLEAN"}


@dataclass(slots=True)
class Needed:
    """An element of complex type, and those in it that are read, by their names in JSON."""

    children: "dict[str, tuple[Needed | str, bool]]" = field(default_factory=dict)  # what, and whether it repeats

    def primitive(self, key: str, type_: str, many: bool) -> None:
        self.children[key] = _SQL.get(PRIMITIVES[type_], "VARCHAR"), many

    def complex(self, key: str, many: bool) -> "Needed":
        found, _ = self.children.setdefault(key, (Needed(), many))
        assert isinstance(found, Needed)
        return found

    def add(self, other: "Needed") -> None:
        """Also what ``other``, of the same type, reads."""
        for key, (what, many) in other.children.items():
            if isinstance(what, Needed):
                self.complex(key, many).add(what)
            else:
                self.children[key] = what, many

    def columns(self) -> str:
        """As ``read_json`` takes them."""
        return "{" + ", ".join(f"'{key}': '{_sql(*child)}'" for key, child in self.children.items()) + "}"

    def nothing(self) -> str:
        """The same columns without a row, where there is no file."""
        none = ", ".join(f'CAST(NULL AS {_sql(*child)}) AS "{key}"' for key, child in self.children.items())
        return f"(SELECT {none} WHERE false)"


def _sql(what: Needed | str, many: bool) -> str:
    if isinstance(what, Needed):
        # Of one of which only whether it is there is asked, id is read: DuckDB has no struct without fields.
        fields = what.children or {"id": ("VARCHAR", False)}
        what = "STRUCT(" + ", ".join(f'"{key}" {_sql(*child)}' for key, child in fields.items()) + ")"
    return what + ("[]" if many else "")
