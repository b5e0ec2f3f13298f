"""A report beside its figures worked out a second time: what differs, by name."""

import csv
import json
from collections.abc import Iterator, Mapping
from math import isclose
from pathlib import Path
from typing import Any

from imr_fhir.reporting.measured import BLIND, LATEST, PAIRS, SCORES, SEEN_FIRST
from imr_fhir.reporting.report import Report
from tests.reporting.recomputed import Recomputed, wilson

# The kinds of rows that no rule speaks of: told by the report, and no figure.
_NO_RATING = {"a score whose response is read", "another form", "another programme"}


def differences(report: Report, other: Recomputed) -> list[str]:
    """Of all numbers, those too that the report does not show."""
    return [*_counts(report, other), *_change(report, other), *_agreement(report, other), *_left_out(report, other)]


def shown_differences(folder: Path, other: Recomputed) -> list[str]:
    """Of the numbers in a report's files, with their shares and intervals."""
    with (folder / "figures.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    said = json.loads((folder / "figures.json").read_text(encoding="utf-8"))
    found = [f"{row}" for row in rows if not _row_stands(row, other)]
    for line in said["change"]:
        own = other.change[line["part"], line["standing"], line["unit"], line["rater"]]
        found += [f"{line} {name}: {own[name]}" for name in own if not _near(_value(line[name]), _value(own[name]))]
    for line in said["agreement"]:
        own = other.items[line["item"]]
        shown = {name: line[name] for name in own if line[name] is not None}
        found += [f"{line} {name}: {own[name]}" for name in shown if not _near(shown[name], own[name])]
    names = {"all": "all", "blind": "blind", "seen_first": "seen first", "latest": "latest"}
    pairs = {name: other.pairs[own] for name, own in names.items()} | {"both_complete": other.scores["n"]}
    found += [f"pairs, {name}: {n}" for name, n in said["pairs"].items() if n not in (None, pairs[name])]
    scores = said["score_agreement"] or {}
    own = {"mean_difference": other.scores["mean"], "limits": other.scores["limits"], "icc": other.scores["icc"]}
    found += [f"scores, {name}: {scores[name]}" for name in scores if not _near(scores[name], own[name])]
    return found


def _row_stands(row: Mapping[str, str], other: Recomputed) -> bool:
    place = row["unit"], row["quarter"], row["rater"]
    n, of = other.counts[row["row"], *place], other.counts[row["total"], *place]
    if (row["n"] and int(row["n"]) != n) or (row["of"] and int(row["of"]) != of):
        return False
    if not row["share"]:
        return True
    return _near([float(row[name]) for name in ("share", "low", "high")], [n / of, *wilson(n, of)])


def _counts(report: Report, other: Recomputed) -> Iterator[str]:
    stated = report.counted.counts.keys() - report.counted.rests  # a rest stands nowhere: it is a difference
    found = {tuple(cell): report.counted.counts[cell] for cell in stated}
    for cell in sorted(found.keys() | other.counts.keys()):
        if found.get(cell, 0) != other.counts[cell]:
            yield f"{cell}: {found.get(cell, 0)} and {other.counts[cell]}"


def _change(report: Report, other: Recomputed) -> Iterator[str]:
    found = {(line.part, line.standing, line.unit, line.rater): line for line in report.measured.change}
    yield from (f"{key}: in one alone" for key in found.keys() ^ other.change.keys())
    for key in found.keys() & other.change.keys():
        line, own = found[key], other.change[key]
        interval = line.interval and (line.interval.low, line.interval.high)
        said = {"n": line.n, "mean": line.mean, "sd": line.sd, "median": line.median, "interval": interval}
        yield from (f"{key} {name}: {said[name]} and {own[name]}" for name in own if not _near(said[name], own[name]))


def _agreement(report: Report, other: Recomputed) -> Iterator[str]:
    for item in report.measured.items:
        said = {**item.counts, "mean_difference": item.mean_difference, "kappa": item.kappa}
        own = other.items[item.item]
        yield from (f"question {item.item}, {n}: {said[n]} and {own[n]}" for n in own if not _near(said[n], own[n]))
    scores = report.measured.scores
    if scores:
        limits = (scores.limits.low, scores.limits.high)
        said = {"n": scores.n, "mean": scores.mean_difference, "limits": limits, "icc": scores.icc}
        yield from (f"scores, {n}: {said[n]}" for n in said if not _near(said[n], other.scores[n]))
    cells = {PAIRS: "all", BLIND: "blind", SEEN_FIRST: "seen first", LATEST: "latest"}
    counted = {name: report.measured.counts[cell] for cell, name in cells.items()}
    yield from (f"pairs, {name}: {n} and {other.pairs[name]}" for name, n in counted.items() if n != other.pairs[name])
    if report.measured.counts[SCORES] != other.scores["n"]:
        yield f"pairs of complete ratings: {report.measured.counts[SCORES]} and {other.scores['n']}"


def _left_out(report: Report, other: Recomputed) -> Iterator[str]:
    told = {
        (kind.name, reason): report.left_out.counts[cell]
        for kind in report.left_out.kinds
        for reason, cell in kind.reasons
        if reason not in _NO_RATING
    }
    for key in sorted(told.keys() | other.left_out.keys()):
        if told.get(key, 0) != other.left_out[key]:
            yield f"{key}: {told.get(key, 0)} and {other.left_out[key]}"


def _value(said: Any) -> Any:
    return tuple(said) if isinstance(said, list) else said


def _near(one: Any, other: Any) -> bool:
    if one is None or other is None:
        return one is other
    if isinstance(one, (tuple, list)):
        return len(one) == len(other) and all(map(_near, one, other))
    return isclose(one, other, rel_tol=1e-9, abs_tol=1e-9)
