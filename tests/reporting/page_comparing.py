"""A report's page beside its figures.json, which `comparing.py` holds to figures worked out a second time.

Both ways: each number of the file stands on the page, and each cell of the page is a number of the file. How a number
is written is told here once more, apart from the page's own code.
"""

import json
from collections.abc import Iterator, Mapping
from itertools import chain
from pathlib import Path
from typing import Any

from imr_fhir.reporting.proportions import Line
from imr_fhir.reporting.wording import caption, words
from imr_fhir.scale import scale
from tests.reporting.page_reading import PageTable, read_page

_NONE = {"0 of 0", ""}  # of a rater for whom nothing was counted there
Key = tuple[str, ...]


def page_differences(folder: Path) -> list[str]:
    """What the page and the figures of ``folder`` do not say alike, by name."""
    tables, drawn = read_page((folder / "report.html").read_text(encoding="utf-8"))
    data = json.loads((folder / "figures.json").read_text(encoding="utf-8"))
    lines = [Line(**line) for line in data["proportions"]]
    said, doubled = _on_page(tables)
    wanted = dict(chain(_proportions(lines), _change(data["change"]), _agreement(data["agreement"])))
    differing = (f"{key}: {said.get(key)}, not {text}" for key, text in wanted.items() if said.get(key) != text)
    alone = (f"{key}: {said[key]}, in no file" for key in said.keys() - wanted.keys() if said[key] not in _NONE)
    return [*doubled, *differing, *alone, *_drawings(drawn, lines)]


def _on_page(tables: list[PageTable]) -> tuple[dict[Key, str], list[str]]:
    """What each place says; a place that two tables show (the short one and the whole one) must say one thing."""
    found: dict[Key, str] = {}
    doubled = []
    for table in tables:
        if table.section not in ("left-out", "reconciled"):  # in no file: test_report.py has these
            about, _, which = table.caption.rpartition(": ")
            place = (table.section, about or which, *(["all units"] if which.startswith("all units") else []))
            for names, column, text in table.cells:
                key = (*place, *names, column)
                if found.setdefault(key, text) != text:
                    doubled.append(f"{key}: {found[key]} and {text}")
    return found, doubled


def _proportions(lines: list[Line]) -> Iterator[tuple[Key, str]]:
    for line in lines:
        unit = "all units" if line.unit == "all" else line.unit or "unit not recorded"
        place = line.figure, caption(line), unit, line.quarter, words(line.row)
        for column, text in zip(("number", "share (95 %)"), (_number(line), _share(line)), strict=True):
            rater = f"{line.rater.capitalize()}: " if line.rater else ""
            yield (*place, f"{rater}{column}" if rater else column.capitalize()), text


def _number(line: Line) -> str:
    n, of = ("–" if number is None else format(number, ",d") for number in (line.n, line.of))
    return f"{n} of {of}"


def _share(line: Line) -> str:
    if line.share is None:
        return ""
    share, low, high = (format(100 * (each or 0), ".0f") for each in (line.share, line.low, line.high))
    return f"{share} % ({low} to {high})"


def _change(lines: list[Mapping[str, Any]]) -> Iterator[tuple[Key, str]]:
    for line in lines:
        unit = "all units" if line["unit"] == "all" else line["unit"] or "unit not recorded"
        place = "change", line["part"][0].upper() + line["part"][1:], unit, line["standing"], line["rater"]
        between = line["interval"] and " ({} to {})".format(*map(_signed, line["interval"]))
        yield (*place, "Courses"), format(line["n"], ",d")
        yield (*place, "Mean (95 %)"), _signed(line["mean"]) + (between or "")
        yield (*place, "SD"), "" if line["sd"] is None else format(line["sd"], ".2f")
        yield (*place, "Median"), _signed(line["median"])


def _agreement(lines: list[Mapping[str, Any]]) -> Iterator[tuple[Key, str]]:
    for line in lines:
        place = "agreement", "By question", f"{line['item']}. {scale('client').items[line['item'] - 1].label.en}"
        for column, name in (("Equal", "equal"), ("1 apart", "1 apart"), ("2 or more", "2 or more apart")):
            yield (*place, column), "–" if line[name] is None else format(line[name], ",d")
        difference, kappa = line["mean_difference"], line["kappa"]
        yield (*place, "Mean difference"), "–" if difference is None else _signed(difference)
        yield (*place, "Kappa"), "–" if kappa is None else format(kappa, ".2f")


def _signed(number: float) -> str:
    digits = format(abs(number), ".2f")
    return digits if digits == "0.00" else ("−" if number < 0 else "+") + digits


def _drawings(drawn: Mapping[str, list[str]], lines: list[Line]) -> Iterator[str]:
    """A drawing says the numbers of its dots; each must be one of the file's, and of a line that may be shown."""
    known = {
        f"{line.figure}: {line.quarter}{line.rater and ', '}{line.rater}: {_share(line)}, {_number(line)}"
        for line in lines
        if line.unit == "all" and line.share is not None
    }
    for section, drawings in drawn.items():
        for said in chain.from_iterable(drawing.split(". ") for drawing in drawings):
            if f"{section}: {said.rstrip('.')}" not in known:
                yield f"{section}, drawn: {said}"
