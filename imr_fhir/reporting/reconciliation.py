"""From the server to the report, a number at each step: what is lost on the way is told, never missing in silence."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from imr_fhir.reporting.disclosure import THRESHOLD
from imr_fhir.reporting.export.courses_table import NAME
from imr_fhir.reporting.export.courses_table import Table as Courses
from imr_fhir.reporting.export.manifest import BAD
from imr_fhir.reporting.faults import Fault, Lost
from imr_fhir.reporting.left_out import TABLE
from imr_fhir.reporting.lines import OLDER
from imr_fhir.reporting.making import Source
from imr_fhir.reporting.report import Report
from imr_fhir.reporting.tables import Written

# The kinds of a report and the tables whose rows they come from, each with its resource type.
_FROM = {
    "patients": (("Patient", "patients"),),
    "ratings": (("QuestionnaireResponse", "responses"), ("Observation", "scores")),
    "courses": (("EpisodeOfCare", "courses"),),
    "outcomes of due occasions": (("Observation", "due_outcomes"),),
    "goals": (("Goal", "goals"),),
    "reviews": (("Observation", "reviews"),),
}


@dataclass(frozen=True, slots=True)
class Step:
    """One resource type, or the hospital's table of courses. None where nothing tells: no manifest, or a server
    that gives no count."""

    resource: str
    on_server: int | None
    received: int | None
    kept: int | None
    lines: int
    read: int
    left: Mapping[str, int] = field(default_factory=dict)  # why of the lines some were not read
    secret: bool = False  # the report hides how many were read, or it would tell another small number

    @property
    def older(self) -> int:
        """Lines with a version of a resource of which there is a newer one."""
        return self.left.get(OLDER, 0)

    @property
    def numbers(self) -> dict[str, int | None]:
        return {
            "on_server": self.on_server, "received": self.received, "kept": self.kept,
            "lines": self.lines, "older": None if self.resource == NAME else self.older, "read": self.read,
        }  # fmt: skip

    @property
    def hidden(self) -> frozenset[str]:
        """Those of ``numbers`` that may not be shown. What was left out on the way is a small number where it is one;
        nothing left out is none."""
        known = {name: n for name, n in self.numbers.items() if n is not None}
        way = [n for name, n in known.items() if name != "older"]
        lost = [*(abs(one - other) for one, other in pairwise(way)), *self.left.values()]
        small = any(0 < n < THRESHOLD for n in lost)
        return frozenset(name for name, n in known.items() if small or self.secret or 0 < n < THRESHOLD)


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """``faults``: empty where every number is accounted for."""

    steps: tuple[Step, ...]
    faults: tuple[Fault, ...]


def reconcile(
    manifest: Mapping[str, Any] | None, written: Written, courses: Courses | None, report: Report
) -> Reconciliation:
    """``manifest``: of the export, None where the folder has none; ``courses``: its table of courses.
    Numbers as they are: whoever shows them hides."""
    run = manifest["runs"][-1] if manifest else {}
    whole = len(manifest["runs"]) == 1 if manifest else False  # a later run holds only what has changed
    secret = _telling(written, report)
    steps = tuple(_step(source, run, whole, source.resource in secret) for source in written.sources)
    table = manifest.get("courses") if manifest else None
    if table or courses:
        steps += (_table_step(table, courses or Courses(), NAME in secret),)
    listed = {each["name"]: each for each in manifest["files"]} if manifest else {}
    faults = (*_given(run), *_files(listed, written.sources), *_lines(written.sources), *_table(table, courses),
              *_rows(written, courses, report), *_merged(report))  # fmt: skip
    return Reconciliation(steps, faults)


def _telling(written: Written, report: Report) -> set[str]:
    """What of which it would tell a small number how many were read: of a kind that the report hides, or of what is
    left of a type without the report's kinds, as scores, steps, and answers seen first."""
    found = {
        resource
        for kind in report.left_out.kinds
        if report.shown(kind.all) is None
        for resource, _ in _FROM.get(kind.name, ((NAME, NAME),))
    }
    read = {source.resource: source.read for source in written.sources}
    kinds = {kind.name: report.left_out.counts[kind.all] for kind in report.left_out.kinds}
    scores = kinds.get("ratings", 0) - read["QuestionnaireResponse"]
    rests = {
        "QuestionnaireResponse": scores,
        "Goal": read["Goal"] - kinds.get("goals", 0),
        "Observation": read["Observation"]
        - sum((scores, kinds.get("outcomes of due occasions", 0), kinds.get("reviews", 0))),
    }
    return found | {resource for resource, rest in rests.items() if 0 < rest < THRESHOLD}


def _step(source: Source, run: Mapping[str, Any], whole: bool, secret: bool) -> Step:
    said = run.get("resources", {}).get(source.resource, {})
    on_server = run.get("onServer", {}).get(source.resource)
    received, kept = (said.get(name) if whole else None for name in ("received", "kept"))
    return Step(source.resource, on_server, received, kept, source.lines, source.read, source.left.counts, secret)


def _table_step(said: Mapping[str, Any] | None, courses: Courses, secret: bool) -> Step:
    received = said["count"] + sum(said["leftOut"].values()) if said else None
    rows = len(courses.rows)
    return Step(NAME, None, received, said["count"] if said else None, rows + len(courses.faults), rows,
                {"unreadable": len(courses.faults)}, secret)  # fmt: skip


def _table(said: Mapping[str, Any] | None, courses: Courses | None) -> Iterator[Fault]:
    """The hospital's table of courses: the manifest against the folder, and what can't be read of it."""
    if courses is None:
        if said:
            yield Fault("", f"manifest.json names {NAME}, which is not in the folder", then="Export again.")
        return
    lost = tuple(Lost("", NAME, row) for row in courses.faults)
    differ = said["count"] - len(courses.rows) - len(lost) if said else 0
    if differ:
        what = f"rows {'fewer' if differ > 0 else 'more'} than manifest.json counts"
        yield Fault(_HOSPITAL_S, what, abs(differ), then=_CHANGED)
    if lost:
        yield Fault(_HOSPITAL_S, "rows left out, which say no course", len(lost), lost)


_HOSPITAL_S = "The hospital's table of courses"


def _given(run: Mapping[str, Any]) -> Iterator[Fault]:
    """The server against the export, as the export found it."""
    for resource, found in run.get("missing", {}).items():
        if ids := found["ids"]:
            lost = tuple(map(Lost, ids))
            yield Fault(resource, "that the server has did not come", len(ids), lost, "Export again, with --anew.")
        if why := found["why"]:
            yield Fault(resource, "the server counted more than it gave", then=f"Which is not known: {why}.")
    for resource, found in run.get("resources", {}).items():
        if bad := sum(found.get("leftOut", {}).get(why, 0) for why in BAD):
            yield Fault(resource, "came and could not be kept, or did not come whole", bad, then=_UNREADABLE)


def _files(listed: Mapping[str, Mapping[str, Any]], sources: Iterable[Source]) -> Iterator[Fault]:
    """The manifest against the folder."""
    there = {name: source for source in sources for name in source.files}
    expected: dict[str, int] = {}
    for name, file in listed.items():
        if name in there:
            resource = there[name].resource
            expected[resource] = expected.get(resource, 0) + file["count"]
        elif name.partition("-")[0] in {source.resource for source in sources}:
            yield Fault("", f"manifest.json names {name}, which is not in the folder", then="Export again.")
    if listed:
        for name in there.keys() - listed.keys():
            said = f"{name} is in the folder, and manifest.json does not name it"
            yield Fault("", said, then="Export anew into an empty folder.")
    for source in sources:
        if source.resource in expected and expected[source.resource] != source.lines:
            differ = abs(expected[source.resource] - source.lines)
            what = f"lines {'fewer' if expected[source.resource] > source.lines else 'more'} than manifest.json counts"
            yield Fault(source.resource, what, differ, then=_CHANGED)


_UNREADABLE = "Ids can't be read in such lines: manifest.json says in which files (faults)."
_CHANGED = (
    "The files were changed after the export. Which lines is not known, since manifest.json keeps no ids: export again."
)
_OURS = "Tell those who make imr-fhir: it lost them itself, and does not know which."


def _merged(report: Report) -> Iterator[Fault]:
    for what, ids in report.unmerged.items():
        yield Fault("Patient", what, len(ids), tuple(map(Lost, ids)), then=_UNMERGED)


_UNMERGED = (
    "Each is counted as a person of its own, who may be counted twice: let the EHR's administrator look at "
    "Patient.link of it, and export the record that stands too."
)


def _lines(sources: Iterable[Source]) -> Iterator[Fault]:
    for source in sources:
        for reason, count in source.left.counts.items():
            if reason != OLDER:
                named = [each for each in source.left.named if each.reason == reason]
                lost = tuple(Lost(each.id, each.file, each.line) for each in named)
                then = f"The first {len(lost):,} are named." if len(lost) < count else ""
                yield Fault(source.resource, f"lines left out, {reason}", count, lost, then)
        if unnamed := source.lines - source.read - sum(source.left.counts.values()):
            yield Fault(source.resource, "lines neither read nor left out", abs(unnamed), then=_OURS)


def _rows(written: Written, courses: Courses | None, report: Report) -> Iterator[Fault]:
    """The tables against the report: each row stands in a figure or is left out with a reason."""
    rows = {table.name: table.rows for table in written.tables}
    for kind in report.left_out.kinds:
        expected = sum(rows[table] for _, table in _FROM.get(kind.name, ()))
        expected += len(courses.rows) if courses and kind.name == TABLE else 0
        found = report.left_out.counts[kind.all]
        if expected != found:
            yield Fault(kind.name, "rows of the tables are in no figure", abs(expected - found), then=_OURS)
