"""The report as one HTML page that stands by itself: no script, nothing loaded, each chart with its table."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined

from imr_fhir.reporting.chart import Chart, chart
from imr_fhir.reporting.counting import ALL, Cell
from imr_fhir.reporting.figures import About, Figure, figure, figures
from imr_fhir.reporting.measured import BLIND, LATEST, PAIRS, SCORES, SEEN_FIRST, ChangeLine, ItemAgreement
from imr_fhir.reporting.proportions import Line, proportions
from imr_fhir.reporting.reconciliation import Reconciliation, Step
from imr_fhir.reporting.report import Report
from imr_fhir.reporting.wording import HIDDEN, Wording
from imr_fhir.scale import scale


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
    name: str
    about: About
    sql: str
    charts: tuple[Chart, ...]
    tables: tuple[Table, ...]
    more: tuple[Table, ...]  # by unit and quarter: folded
    notes: tuple[str, ...] = ()


def page(report: Report, reconciliation: Reconciliation, *, made: datetime, language: str = "en") -> str:
    """``made``: when, by the site's clock. ``language``: one of `words.LANGUAGES`."""
    environment = Environment(
        loader=ChoiceLoader([PackageLoader("imr_fhir.reporting"), PackageLoader("imr_fhir.packaging")]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    wording = Wording(language)
    found = {name: tuple(own) for name, own in groupby(proportions(report), key=lambda line: line.figure)}
    sections = [_counting(each, found.get(each.name, ()), wording) for each in figures()]
    sections[5:5] = [_change(report, wording)]
    sections.append(_agreement(report, wording))
    return environment.get_template("report.html").render(
        report=report,
        made=made,
        sections=sections,
        left_out=_left_out(report, wording),
        reconciled=_reconciled(reconciliation, wording),
        faults=len(reconciliation.faults),
        hidden=HIDDEN,
        language=language,
        say=wording.say,
    )


def _section(about: Figure, wording: Wording, **parts: Any) -> Section:
    return Section(about.name, about.about[wording.language], about.sql, **parts)


def _counting(about: Figure, found: Sequence[Line], wording: Wording) -> Section:
    say = wording.say
    charts, tables, more = [], [], []
    for _, own in groupby(found, key=lambda line: line.part):
        part = tuple(own)
        whole = tuple(line for line in part if line.unit == ALL)
        told_apart = all(line.of_interest for line in whole)  # no row is more of interest than the others
        short = tuple(line for line in whole if line.quarter == ALL or (line.of_interest and not told_apart))
        of = wording.caption(part[0])
        if not told_apart:
            charts.append(chart(whole, wording))
        tables.append(_table(say("all-units", of=of), short, wording, by_unit=False))
        if len(short) < len(whole):
            more.append(_table(say("every-row", of=of), whole, wording, by_unit=False))
        more.append(_table(say("by-unit", of=of), [x for x in part if x.unit != ALL], wording, by_unit=True))
    notes = () if found else (say("not-recorded"),)
    shown = tuple(filter(None, charts))
    return _section(about, wording, charts=shown, tables=tuple(tables), more=tuple(more), notes=notes)


def _table(caption: str, found: Sequence[Line], wording: Wording, *, by_unit: bool) -> Table:
    """A row a quantity and place, with the raters side by side."""
    say = wording.say
    raters = sorted({line.rater for line in found})
    rows: dict[tuple[str, ...], dict[str, Line]] = {}
    for line in found:
        units = (line.unit,) if by_unit else ()
        rows.setdefault((*units, line.quarter, line.row), {})[line.rater] = line
    said = (say("number"), say("share"))
    columns = tuple(
        f"{wording.name(name).capitalize()}: {what.lower()}" if name else what for name in raters for what in said
    )
    made = (
        TableRow(
            (*map(wording.unit, units), wording.name(quarter), wording.name(row)),
            tuple(text for rater in raters for text in _numbers(by_rater.get(rater), wording)),
        )
        for (*units, quarter, row), by_rater in rows.items()
    )
    heads = (say("unit"), say("quarter"), "") if by_unit else (say("quarter"), "")
    return Table(caption, heads, columns, tuple(made))


def _numbers(line: Line | None, wording: Wording) -> tuple[str, str]:
    return (wording.say("none"), "") if line is None else (wording.number(line), wording.share(line))


def _change(report: Report, wording: Wording) -> Section:
    say = wording.say
    found = [line for line in report.measured.change if line.cell not in report.hidden]
    # To the latest first; all units first, and all courses before those who stayed, left or fell silent.
    found.sort(key=lambda line: (line.part.startswith("at"), line.part, line.unit != ALL, line.unit))
    heads, columns = (tuple(map(say, keys)) for keys in (("unit", "who", "rater"), ("courses", "mean", "sd", "median")))
    tables = []
    for part, own in groupby(found, key=lambda line: line.part):
        name = wording.name(part)
        tables.append(Table(name[0].upper() + name[1:], heads, columns, tuple(_change_rows(own, wording))))
    hidden = len(report.measured.change) - len(found)
    notes = (say("lines-hidden", n=wording.count(hidden), threshold=report.threshold),) if hidden else ()
    return _section(figure("change"), wording, charts=(), tables=tuple(tables), more=(), notes=notes)


def _change_rows(found: Iterable[ChangeLine], wording: Wording) -> Iterable[TableRow]:
    for line in found:
        sd = "" if line.sd is None else wording.decimal(line.sd)
        between = f" ({wording.between(line.interval)})" if line.interval else ""
        cells = (wording.count(line.n), f"{wording.signed(line.mean)}{between}", sd, wording.signed(line.median))
        yield TableRow((wording.unit(line.unit), wording.name(line.standing), wording.name(line.rater)), cells)


def _agreement(report: Report, wording: Wording) -> Section:
    say = wording.say
    pairs, blind, seen, latest, scored = (
        wording.count(report.shown(cell)) for cell in (PAIRS, BLIND, SEEN_FIRST, LATEST, SCORES)
    )
    notes = [say("pairs", pairs=pairs, blind=blind, seen=seen, latest=latest, scores=scored)]
    scores = report.measured.scores
    if scores and report.shown(SCORES) is not None:
        mean, limits = wording.signed(scores.mean_difference), wording.between(scores.limits)
        icc = "" if scores.icc is None else f" ICC(A,1) {wording.decimal(scores.icc)}."
        notes.append(say("scores", mean=mean, limits=limits) + icc)
    columns = tuple(map(say, ("equal", "one-apart", "two-apart", "difference", "kappa")))
    rows = tuple(_agreement_row(each, report, wording) for each in report.measured.items)
    table = Table(say("by-question"), (say("question"),), columns, rows)
    return _section(figure("agreement"), wording, charts=(), tables=(table,), more=(), notes=tuple(notes))


def _agreement_row(found: ItemAgreement, report: Report, wording: Wording) -> TableRow:
    label = scale("client").items[found.item - 1].label.in_(wording.language)
    counts = [report.shown(cell) for cell in found.cells]
    whole = None not in counts
    difference = wording.signed(found.mean_difference) if whole and found.mean_difference is not None else HIDDEN
    kappa = wording.decimal(found.kappa) if whole and found.kappa is not None else HIDDEN
    return TableRow((f"{found.item}. {label}",), (*map(wording.count, counts), difference, kappa))


def _left_out(report: Report, wording: Wording) -> Table:
    rows = []
    for kind in report.left_out.kinds:
        rows.append(TableRow((wording.name(kind.name), wording.say("in-export")), (_shown(report, kind.all, wording),)))
        for reason, cell in kind.reasons:
            rows.append(TableRow((wording.name(kind.name), wording.name(reason)), (_shown(report, cell, wording),)))
    return Table(wording.say("left-out-table"), (wording.say("kind"), ""), (wording.say("number"),), tuple(rows))


def _shown(report: Report, cell: Cell, wording: Wording) -> str:
    return wording.count(report.shown(cell))


def _reconciled(reconciliation: Reconciliation, wording: Wording) -> Table:
    known = {name for step in reconciliation.steps for name, n in step.numbers.items() if n is not None}
    columns = {"on_server": "on-server", "received": "received", "kept": "kept", "lines": "lines", "older": "older",
               "read": "read"}  # fmt: skip
    told = [name for name in columns if name in known]  # no column for what no manifest tells
    rows = tuple(TableRow((step.resource,), tuple(_step(step, told, wording))) for step in reconciliation.steps)
    titles = tuple(wording.say(columns[name]) for name in told)
    return Table(wording.say("reconciled-table"), (wording.say("type"),), titles, rows)


def _step(step: Step, told: Iterable[str], wording: Wording) -> Iterable[str]:
    for name in told:
        n = step.numbers[name]
        yield HIDDEN if name in step.hidden else "" if n is None else wording.count(n)
