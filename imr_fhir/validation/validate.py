"""Everything that was given to read, judged resource by resource, each fault with its file and line."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from imr_fhir.element import is_id
from imr_fhir.validation.finding import Fault, Finding, Path, path_text
from imr_fhir.validation.judge import NOT_OURS, Verdict, judge
from imr_fhir.validation.positions import Positions
from imr_fhir.validation.reading import Unreadable, read
from imr_fhir.validation.sources import Text
from imr_fhir.validation.structure import structure_faults


@dataclass(frozen=True, slots=True)
class Part:
    """One resource of a text. ``path``: ("entry", 3, "resource") in a Bundle."""

    place: "Place"
    root: str  # type of the whole: "Bundle"
    path: Path
    resource: Mapping[str, Any]

    @property
    def resource_type(self) -> str:
        return str(self.resource["resourceType"])

    def finding(self, fault: Fault) -> Finding:
        line, column = self.place.of((*self.path, *fault.path))
        identity = self.resource.get("id")
        named = (
            f"{self.resource_type}/{identity}" if isinstance(identity, str) and is_id(identity) else self.resource_type
        )
        path = path_text(self.root, (*self.path, *fault.path))
        return Finding(
            self.place.text.file, line, column, named, path, fault.severity, fault.code, fault.message, fault.next_step
        )


class Place:
    """Where paths stand in a text; looked up only once something is wrong."""

    def __init__(self, text: Text) -> None:
        self.text = text

    @cached_property
    def _positions(self) -> Positions:
        return Positions(self.text.data.decode("utf-8-sig"))

    def of(self, path: Path) -> tuple[int, int]:
        line, column = self._positions.place(path)
        return line + self.text.first_line - 1, column


@dataclass(slots=True)
class Tally:
    """What was judged, by resource type; what was not is counted, and never called good."""

    good: Counter[str] = field(default_factory=Counter)
    broken: Counter[str] = field(default_factory=Counter)
    not_checked: Counter[str] = field(default_factory=Counter)
    other_profiles: Counter[str] = field(default_factory=Counter)  # claimed, and not checked against
    codes: Counter[str] = field(default_factory=Counter)  # of the findings
    unreadable: int = 0
    errors: int = 0

    def add(self, finding: Finding) -> None:
        self.codes[finding.code] += 1
        self.unreadable += finding.severity == "fatal"
        self.errors += finding.severity == "error"


def validate(texts: Iterable[Text | Finding], tally: Tally) -> Iterator[Finding]:
    """What is wrong in ``texts``; ``tally`` counts along."""
    for text in texts:
        for finding in [text] if isinstance(text, Finding) else _of(text, tally):
            tally.add(finding)
            yield finding


def parts(text: Text, tally: Tally) -> Iterator[Part | Finding]:
    """The resources in ``text``: itself, or those in a Bundle, whose own form is looked at here."""
    try:
        value = read(text)
    except Unreadable as fault:
        yield fault.finding
        return
    if not isinstance(value, dict) or not isinstance(value.get("resourceType"), str):
        if text.asked_for:
            yield _no_resource(text, value)
        else:
            tally.not_checked["JSON that is no resource"] += 1
        return
    yield from _inside(Place(text), value["resourceType"], (), value)


def _of(text: Text, tally: Tally) -> Iterator[Finding]:
    for part in parts(text, tally):
        if isinstance(part, Finding):
            yield part
            continue
        verdict = judge(part.resource)
        count(part, verdict, tally)
        yield from sorted(map(part.finding, verdict.faults), key=lambda finding: (finding.line, finding.column))


def count(part: Part, verdict: Verdict, tally: Tally) -> None:
    tally.other_profiles.update(verdict.unknown_profiles)
    if verdict == NOT_OURS:
        tally.not_checked[part.resource_type] += 1
    elif any(fault.severity == "error" for fault in verdict.faults):
        tally.broken[part.resource_type] += 1
    else:
        tally.good[part.resource_type] += 1


def _inside(place: Place, root: str, path: Path, value: Mapping[str, Any]) -> Iterator[Part | Finding]:
    part = Part(place, root, path, value)
    if part.resource_type != "Bundle":
        yield part
        return
    yield from (part.finding(fault) for fault in structure_faults(value, {}))
    entries = value.get("entry")
    for number, entry in enumerate(entries if isinstance(entries, list) else ()):
        inner = entry.get("resource") if isinstance(entry, dict) else None
        there = ("entry", number, "resource")
        if isinstance(inner, dict) and isinstance(inner.get("resourceType"), str):
            yield from _inside(place, root, (*path, *there), inner)
        elif inner is not None:
            said = "This entry of the Bundle has no resourceType, so it is no FHIR resource."
            yield part.finding(Fault(there, "no-resource", said, "Add its resourceType.", "fatal"))


def _no_resource(text: Text, value: Any) -> Finding:
    if isinstance(value, list):
        said, step = "holds a list", "Give one resource a line (NDJSON), or a Bundle."
    elif isinstance(value, dict):
        said, step = "holds an object without resourceType, so it is no FHIR resource", "Add it, or leave the file out."
    else:
        said, step = "holds a single value, and no FHIR resource", "Give a resource, a Bundle, or NDJSON."
    message = f"{text.file} {said}."
    return Finding(text.file, text.first_line, 1, "", "", "fatal", "no-resource", message, step)
