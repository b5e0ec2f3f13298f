"""The report as one HTML page that stands by itself: no script, nothing loaded, each chart with its table."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined

from imr_fhir.reporting.chart import Chart, chart
from imr_fhir.reporting.counting import ALL
from imr_fhir.reporting.disclosure import THRESHOLD
from imr_fhir.reporting.figures import Figure, figure, figures
from imr_fhir.reporting.measured import BLIND, LATEST, PAIRS, SCORES, SEEN_FIRST, ChangeLine, ItemAgreement
from imr_fhir.reporting.proportions import Line, proportions
from imr_fhir.reporting.reconciliation import Reconciliation, Step
from imr_fhir.reporting.report import Report
from imr_fhir.reporting.statistics import Interval
from imr_fhir.reporting.wording import caption, percent, signed, words
from imr_fhir.scale import scale

HIDDEN = "–"


@dataclass(frozen=True, slots=True)
class TableRow:
    """``cells``: a rater's count, share and interval, or what else the columns say, as text."""

    head: tuple[str, ...]
    cells: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """``heads``: the columns that name a row; ``columns``: the others."""

    caption: str
    heads: tuple[str, ...]
    columns: tuple[str, ...]
    rows: tuple[TableRow, ...]


@dataclass(frozen=True, slots=True)
class Section:
    figure: Figure
    charts: tuple[Chart, ...]
    tables: tuple[Table, ...]
    more: tuple[Table, ...]  # by unit and quarter: folded
    notes: tuple[str, ...] = ()


def page(report: Report, reconciliation: Reconciliation, *, made: datetime) -> str:
    """``made``: when, by the site's clock."""
    environment = Environment(
        loader=ChoiceLoader([PackageLoader("imr_fhir.reporting"), PackageLoader("imr_fhir.packaging")]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    found = {name: tuple(own) for name, own in groupby(proportions(report), key=lambda line: line.figure)}
    sections = [_counting(each, found.get(each.name, ())) for each in figures()]
    sections[5:5] = [_change(report)]
    sections.append(_agreement(report))
    return environment.get_template("report.html").render(
        report=report,
        made=made,
        sections=sections,
        left_out=_left_out(report),
        reconciled=_reconciled(reconciliation),
        faults=len(reconciliation.faults),
        hidden=HIDDEN,
    )


def _counting(about: Figure, found: Sequence[Line]) -> Section:
    charts, tables, more = [], [], []
    for _, own in groupby(found, key=lambda line: line.part):
        part = tuple(own)
        whole = tuple(line for line in part if line.unit == ALL)
        told_apart = all(line.of_interest for line in whole)  # no row is more of interest than the others
        short = tuple(line for line in whole if line.quarter == ALL or (line.of_interest and not told_apart))
        of = caption(part[0])
        if not told_apart:
            charts.append(chart(whole))
        tables.append(_table(f"{of}: all units", short, ("Quarter", "")))
        if len(short) < len(whole):
            more.append(_table(f"{of}: all units, every row and quarter", whole, ("Quarter", "")))
        more.append(_table(f"{of}: by unit", [x for x in part if x.unit != ALL], ("Unit", "Quarter", "")))
    notes = () if found else ("Not recorded in this export.",)
    return Section(about, tuple(filter(None, charts)), tuple(tables), tuple(more), notes)


def _table(caption: str, found: Sequence[Line], heads: tuple[str, ...]) -> Table:
    """A row a quantity and place, with the raters side by side."""
    raters = sorted({line.rater for line in found})
    rows: dict[tuple[str, ...], dict[str, Line]] = {}
    for line in found:
        units = (line.unit,) if len(heads) == 3 else ()
        rows.setdefault((*units, line.quarter, line.row), {})[line.rater] = line
    said = ("Number", "Share (95 %)")
    columns = tuple(f"{name.capitalize()}: {what.lower()}" if name else what for name in raters for what in said)
    made = (
        TableRow(
            (*map(_unit, units), words(quarter), words(row)),
            tuple(text for rater in raters for text in _numbers(by_rater.get(rater))),
        )
        for (*units, quarter, row), by_rater in rows.items()
    )
    return Table(caption, heads, columns, tuple(made))


def _unit(name: str) -> str:
    """A hospital's unit as the hospital names it."""
    return "all units" if name == ALL else name or "unit not recorded"


def _numbers(line: Line | None) -> tuple[str, str]:
    if line is None:
        return "0 of 0", ""
    n, of = (HIDDEN if number is None else f"{number:,}" for number in (line.n, line.of))
    if line.share is None or line.low is None or line.high is None:
        return f"{n} of {of}", ""
    return f"{n} of {of}", percent(line.share, line.low, line.high)


def _change(report: Report) -> Section:
    found = [line for line in report.measured.change if line.cell not in report.hidden]
    # To the latest first; all units first, and all courses before those who stayed, left or fell silent.
    found.sort(key=lambda line: (line.part.startswith("at"), line.part, line.unit != ALL, line.unit))
    columns = ("Courses", "Mean (95 %)", "SD", "Median")
    tables = [
        Table(f"{part[0].upper()}{part[1:]}", ("Unit", "Who", "Rater"), columns, tuple(_change_rows(own)))
        for part, own in groupby(found, key=lambda line: line.part)
    ]
    return Section(figure("change"), (), tuple(tables), (), _hidden_note(len(report.measured.change) - len(found)))


def _change_rows(found: Iterable[ChangeLine]) -> Iterable[TableRow]:
    for line in found:
        sd = "" if line.sd is None else f"{line.sd:.2f}"
        cells = (f"{line.n:,}", f"{signed(line.mean)}{_between(line.interval)}", sd, signed(line.median))
        yield TableRow((_unit(line.unit), line.standing, line.rater), cells)


def _between(interval: Interval | None) -> str:
    return f" ({signed(interval.low)} to {signed(interval.high)})" if interval else ""


def _agreement(report: Report) -> Section:
    said = {cell: report.shown(cell) for cell in (PAIRS, BLIND, SEEN_FIRST, LATEST, SCORES)}
    shown = {cell: HIDDEN if n is None else f"{n:,}" for cell, n in said.items()}
    notes = [
        f"Pairs of both raters: {shown[PAIRS]}; rated blind {shown[BLIND]}, seen first {shown[SEEN_FIRST]}. The latest "
        f"blind pair of each course: {shown[LATEST]}, of which both complete {shown[SCORES]}."
    ]
    scores = report.measured.scores
    if scores and said[SCORES] is not None:
        icc = "" if scores.icc is None else f" ICC(A,1) {scores.icc:.2f}."
        notes.append(
            f"Scores: the client's less the clinician's is {signed(scores.mean_difference)} on average; limits of "
            f"agreement {signed(scores.limits.low)} to {signed(scores.limits.high)}.{icc}"
        )
    rows = tuple(_agreement_row(each, report) for each in report.measured.items)
    columns = ("Equal", "1 apart", "2 or more", "Mean difference", "Kappa")
    return Section(figure("agreement"), (), (Table("By question", ("Question",), columns, rows),), (), tuple(notes))


def _agreement_row(found: ItemAgreement, report: Report) -> TableRow:
    label = scale("client").items[found.item - 1].label.en
    counts = [report.shown(cell) for cell in found.cells]
    whole = None not in counts
    difference = signed(found.mean_difference) if whole and found.mean_difference is not None else HIDDEN
    kappa = f"{found.kappa:.2f}" if whole and found.kappa is not None else HIDDEN
    shown = tuple(HIDDEN if n is None else f"{n:,}" for n in counts)
    return TableRow((f"{found.item}. {label}",), (*shown, difference, kappa))


def _left_out(report: Report) -> Table:
    rows = []
    for kind in report.left_out.kinds:
        for reason, cell in (("in the export", kind.all), *kind.reasons):
            n = report.shown(cell)
            rows.append(TableRow((kind.name, reason), (HIDDEN if n is None else f"{n:,}",)))
    return Table("What was read, and why some of it stands in no figure", ("Kind", ""), ("Number",), tuple(rows))


def _reconciled(reconciliation: Reconciliation) -> Table:
    columns = ("On the server", "Received", "Kept", "Lines", "Read")
    rows = tuple(TableRow((step.resource,), tuple(_step(step))) for step in reconciliation.steps)
    return Table("From the server to the tables: resources of each type", ("Type",), columns, rows)


def _step(step: Step) -> Iterable[str]:
    for name, n in step.numbers.items():
        yield HIDDEN if name in step.hidden else "" if n is None else f"{n:,}"


def _hidden_note(lines_hidden: int) -> tuple[str, ...]:
    said = f"{lines_hidden:,} lines are not shown: fewer than {THRESHOLD} courses, or they would tell such a number."
    return (said,) if lines_hidden else ()
