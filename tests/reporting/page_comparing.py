"""A report's page beside its figures.json, which `comparing.py` holds to figures worked out a second time.

Both ways: each number of the file stands on the page, and each cell of the page is a number of the file. How a number
is written, and what a column is called, is told here once more, apart from the page's own code.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

from imr_fhir.reporting.proportions import Line
from imr_fhir.reporting.wording import Wording
from imr_fhir.scale import scale
from tests.reporting.page_reading import PageTable, read_page

Key = tuple[str, ...]
_LABELS = {
    "en": "all units; unit not recorded; Number; Share (95 %); number; share (95 %); Courses; Mean (95 %); SD; Median; "
    "By question; Equal; 1 apart; 2 or more; Mean difference; Kappa; of; to; ,; .",
    "nb": "alle enheter; enhet ikke registrert; Antall; Andel (95 %); antall; andel (95 %); Forløp; "
    "Gjennomsnitt (95 %); SD; Median; Per spørsmål; Likt; 1 fra hverandre; 2 eller mer; Gjennomsnittlig forskjell; "
    "Kappa; av; til;  ; ,",
}


def page_differences(folder: Path, language: str = "en") -> list[str]:
    """What the page and the figures of ``folder`` do not say alike, by name."""
    tables, drawn = read_page((folder / "report.html").read_text(encoding="utf-8"))
    data = json.loads((folder / "figures.json").read_text(encoding="utf-8"))
    return list(_Page(language, *_LABELS[language].split("; ")).differences(tables, drawn, data))


@dataclass
class _Page:
    language: str
    all_units: str
    no_unit: str
    number: str
    share: str
    of_rater: str
    share_of_rater: str
    courses: str
    mean: str
    sd: str
    median: str
    by_question: str
    equal: str
    one_apart: str
    two_apart: str
    difference: str
    kappa: str
    of: str
    to: str
    thousands: str
    point: str

    def differences(
        self, tables: list[PageTable], drawn: Mapping[str, list[str]], data: Mapping[str, Any]
    ) -> Iterator[str]:
        lines = [Line(**line) for line in data["proportions"]]
        wanted = dict(chain(self._proportions(lines), self._change(data["change"]), self._agreement(data["agreement"])))
        said: dict[Key, str] = {}
        for key, text in self._on_page(tables):  # two tables may show a place: the short one and the whole one
            if said.setdefault(key, text) != text:
                yield f"{key}: {said[key]} and {text}"
        yield from (f"{key}: {said.get(key)}, not {text}" for key, text in wanted.items() if said.get(key) != text)
        none = {f"0 {self.of} 0", ""}  # of a rater for whom nothing was counted there
        yield from (f"{key}: {said[key]}, in no file" for key in said.keys() - wanted.keys() if said[key] not in none)
        yield from self._drawings(drawn, lines)

    def _on_page(self, tables: list[PageTable]) -> Iterator[tuple[Key, str]]:
        for table in tables:
            if table.section not in ("left-out", "reconciled"):  # in no file
                about, _, which = table.caption.rpartition(": ")
                units = [self.all_units] if which.startswith(self.all_units) else []
                for names, column, text in table.cells:
                    yield (table.section, about or which, *units, *names, column), text

    def _proportions(self, lines: list[Line]) -> Iterator[tuple[Key, str]]:
        wording = Wording(self.language)
        for line in lines:
            place = (
                line.figure,
                wording.caption(line),
                self._unit(line.unit),
                wording.name(line.quarter),
                wording.name(line.row),
            )
            rater = wording.name(line.rater).capitalize()
            yield (*place, f"{rater}: {self.of_rater}" if rater else self.number), self._number(line)
            yield (*place, f"{rater}: {self.share_of_rater}" if rater else self.share), self._share(line)

    def _unit(self, name: str) -> str:
        return self.all_units if name == "all" else name or self.no_unit

    def _count(self, n: int | None) -> str:
        return "–" if n is None else format(n, ",d").replace(",", self.thousands)

    def _number(self, line: Line) -> str:
        return f"{self._count(line.n)} {self.of} {self._count(line.of)}"

    def _share(self, line: Line) -> str:
        if line.share is None:
            return ""
        share, low, high = (format(100 * (each or 0), ".0f") for each in (line.share, line.low, line.high))
        return f"{share} % ({low} {self.to} {high})"

    def _decimal(self, number: float) -> str:
        return format(number, ".2f").replace(".", self.point)

    def _signed(self, number: float) -> str:
        digits = format(abs(number), ".2f")
        sign = "" if digits == "0.00" else "−" if number < 0 else "+"
        return sign + digits.replace(".", self.point)

    def _change(self, lines: list[Mapping[str, Any]]) -> Iterator[tuple[Key, str]]:
        wording = Wording(self.language)
        for line in lines:
            part = wording.name(line["part"])
            who = wording.name(line["standing"]), wording.name(line["rater"])
            place = "change", part[0].upper() + part[1:], self._unit(line["unit"]), *who
            between = line["interval"] and f" {self.to} ".join(map(self._signed, line["interval"]))
            yield (*place, self.courses), self._count(line["n"])
            yield (*place, self.mean), self._signed(line["mean"]) + (f" ({between})" if between else "")
            yield (*place, self.sd), "" if line["sd"] is None else self._decimal(line["sd"])
            yield (*place, self.median), self._signed(line["median"])

    def _agreement(self, lines: list[Mapping[str, Any]]) -> Iterator[tuple[Key, str]]:
        counts = {self.equal: "equal", self.one_apart: "1 apart", self.two_apart: "2 or more apart"}
        for line in lines:
            label = scale("client").items[line["item"] - 1].label
            place = "agreement", self.by_question, f"{line['item']}. {getattr(label, self.language)}"
            yield from (((*place, column), self._count(line[name])) for column, name in counts.items())
            difference, kappa = line["mean_difference"], line["kappa"]
            yield (*place, self.difference), "–" if difference is None else self._signed(difference)
            yield (*place, self.kappa), "–" if kappa is None else self._decimal(kappa)

    def _drawings(self, drawn: Mapping[str, list[str]], lines: list[Line]) -> Iterator[str]:
        """A drawing says the numbers of its dots; each must be one of the file's, and of a line that may be shown."""
        wording = Wording(self.language)
        known = {
            f"{line.figure}: {line.quarter}{line.rater and ', '}{wording.name(line.rater)}: "
            f"{self._share(line)}, {self._number(line)}"
            for line in lines
            if line.unit == "all" and line.share is not None
        }
        for section, drawings in drawn.items():
            for said in chain.from_iterable(drawing.split(". ") for drawing in drawings):
                if f"{section}: {said.rstrip('.')}" not in known:
                    yield f"{section}, drawn: {said}"
