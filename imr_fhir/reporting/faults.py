"""What is not accounted for on the way from the server to the report.

A sentence for the screen, in which a small number is hidden as on the page, and with it what would tell it; the whole
list stands beside the tables, which stay with whoever makes the report.
"""

from dataclasses import asdict, dataclass
from typing import Any

from imr_fhir.reporting.disclosure import THRESHOLD

SHOWN = 5  # of a fault's resources on the screen


@dataclass(frozen=True, slots=True)
class Lost:
    """A resource: its ``id`` as the export has it, "" where the line does not say one; where it stands, if anywhere."""

    id: str
    file: str = ""
    line: int = 0

    def __str__(self) -> str:
        return self.id or f"{self.file} line {self.line}"


@dataclass(frozen=True, slots=True)
class Fault:
    """``count``: of how many resources or lines ``what`` is said, None where it is of none. ``lost``: which. ``then``:
    what to do, or why it can't be known which."""

    resource: str
    what: str
    count: int | None = None
    lost: tuple[Lost, ...] = ()
    then: str = ""

    @property
    def hidden(self) -> bool:
        return self.count is not None and self.count < THRESHOLD

    def sentence(self, whole: str) -> str:
        """``whole``: where the whole list is."""
        number = "" if self.count is None else f"fewer than {THRESHOLD} " if self.hidden else f"{self.count:,} "
        said = f"{self.resource}: {number}{self.what}" if self.resource else self.what
        if self.lost and self.hidden:
            said += f": which, is in {whole}"
        elif self.lost:
            named, more = ", ".join(map(str, self.lost[:SHOWN])), len(self.lost) > SHOWN
            said += f": {named}{f' and others (all in {whole})' if more else ''}"
        return f"{said}. {self.then}".strip()

    def shown(self, whole: str) -> dict[str, Any]:
        """For a script: what it prints goes into logs."""
        return {
            "said": self.sentence(whole),
            "resource": self.resource,
            "count": None if self.hidden else self.count,
            "ids": None if self.hidden else [each.id for each in self.lost if each.id],
            "hidden": self.hidden,
        }

    def whole(self) -> dict[str, Any]:
        """For the list beside the tables."""
        return asdict(self)
