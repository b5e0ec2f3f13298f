"""The same resources judged by HL7's validator in Java: a server's ``$validate``, its own server, or its jar.

It checks all of R4 in any resource. It compares no displays and works out no scores.
"""

import re
import subprocess
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Protocol

from imr_fhir.artefacts import artefact_resources
from imr_fhir.ehr.client import FhirClient
from imr_fhir.ehr.json_reader import read_json
from imr_fhir.ehr.json_writer import write_json
from imr_fhir.ehr.outcome import plain
from imr_fhir.errors import ValidatorError
from imr_fhir.validation import finding
from imr_fhir.validation.finding import Fault, Finding, codings, many, one, text
from imr_fhir.validation.judge import Verdict
from imr_fhir.validation.ours import profile_of
from imr_fhir.validation.sources import Text
from imr_fhir.validation.validate import Part, Tally, count, parts

OWN_SERVER = "validateResource"  # the validator's own: java -jar validator_cli.jar server 8082 ...
_EXTENSION = "http://hl7.org/fhir/StructureDefinition/operationoutcome-"
_STEPS = re.compile(r"ofType\((\w+)\)|([A-Za-z]\w*)|\[(\d+)\]")
_COMMENT = re.compile(r"/\*.*?\*/")
_NOT_KNOWN = re.compile(
    r"(?i)questionnaire.{0,200}could not be (resolved|found)|Questionnaire_QR_Q_NotFound", re.DOTALL
)
_NO_SYSTEM = re.compile("(?i)unknown code ?system|code ?system is unknown")
_NO_PACKAGE = re.compile("(?i)unable to resolve package id")  # HAPI 8.8, of a profile of an extension
# HL7's own, newer than R4, and what of them IMR is made of: a server of R4 need not have them.
_LATER: Mapping[str, frozenset[str]] = {
    "http://hl7.org/fhir/version-algorithm": frozenset({"semver"}),
    "http://hl7.org/fhir/goal-relationship-type": frozenset({"part-of"}),
}
_LOAD = "Give the validator our artefacts first: imr-fhir load for a server, -ig with the package for HL7's own."


class Engine(Protocol):
    @property
    def size(self) -> int:
        """How many resources it takes at a time."""
        ...

    def outcomes(self, resources: Sequence[Mapping[str, Any]]) -> Sequence[Mapping[str, Any]]:
        """An OperationOutcome for each. Raises EhrError, ValidatorError."""
        ...


def validate_by(engine: Engine, texts: Iterable[Text | Finding], tally: Tally) -> Iterator[Finding]:
    """What ``engine`` finds wrong in ``texts``; ``tally`` counts along."""
    found = (part for each in texts for part in ([each] if isinstance(each, Finding) else parts(each, tally)))
    while batch := list(islice(found, engine.size)):
        waiting = [part for part in batch if isinstance(part, Part)]
        outcomes = iter(engine.outcomes([_claiming(part) for part in waiting]) if waiting else ())
        for part in batch:
            findings = [part] if isinstance(part, Finding) else _findings(part, next(outcomes), tally)
            for each in findings:
                tally.add(each)
                yield each


def _claiming(part: Part) -> dict[str, Any]:
    """The resource, naming the profile that it must meet: sites without our profiles have the same resources."""
    profile, meta = profile_of(part.resource), one(part.resource, "meta")
    named = meta.get("profile", [])
    if (
        not profile
        or not isinstance(named, list)
        or profile in named
        or not isinstance(part.resource.get("meta", {}), dict)
    ):
        return dict(part.resource)
    return {**part.resource, "meta": {**meta, "profile": [*named, profile]}}


def _findings(part: Part, outcome: Mapping[str, Any], tally: Tally) -> list[Finding]:
    issues = (issue for _, issue in many(outcome, "issue"))
    faults = tuple(_judged(fault, part.resource) for issue in issues for fault in _faults(issue))
    count(part, Verdict(True, faults), tally)
    return sorted(map(part.finding, faults), key=lambda each: (each.line, each.column))


def _faults(issue: Mapping[str, Any]) -> Iterator[Fault]:
    severity = text(issue, "severity")
    said = plain(text(issue, "diagnostics") or text(one(issue, "details"), "text") or text(issue, "code"), 1000)
    code = next((text(coding, "code") for _, coding in many(one(issue, "details"), "coding")), "") or _message_id(issue)
    named = f"hl7:{code}" if code else "hl7"
    if _NOT_KNOWN.search(f"{said} {code}"):
        yield Fault(("questionnaire",), named, f"Its answers were not checked: {said}", _LOAD)
    elif severity in ("fatal", "error", "warning"):
        expressions = issue.get("expression") or issue.get("location") or [""]
        place = path_of(str(expressions[0])) if isinstance(expressions, list) else ()
        next_step = "Look whether it is meant so." if severity == "warning" else "Correct it as HL7's validator says."
        if _NO_SYSTEM.search(said):
            next_step = (
                "This validator does not have that CodeSystem: where its address is right, nothing is to be corrected."
            )
        yield Fault(place, named, said, next_step, "warning" if severity == "warning" else "error")


def _judged(fault: Fault, resource: Mapping[str, Any]) -> Fault:
    """What says only that the validator lacks something is told apart from what is wrong with the resource."""
    if _NO_PACKAGE.search(fault.message):
        why = "This validator does not have R4's own package, and could not work it out."
    elif _NO_SYSTEM.search(fault.message) and any(
        system in fault.message and code in _LATER.get(system, ()) for system, code in _codings_at(resource, fault.path)
    ):
        why = "This validator does not have that CodeSystem of HL7's, which is newer than R4; the code is one of it."
    else:
        return fault
    return Fault(fault.path, "not-judged", fault.message, f"{why} Nothing is to be corrected.", "information")


def _codings_at(resource: Mapping[str, Any], path: finding.Path) -> Sequence[tuple[str, str]]:
    value: Any = resource
    for step in path:
        inside = value[step] if isinstance(value, list) and isinstance(step, int) and step < len(value) else None
        value = value.get(step) if isinstance(value, Mapping) else inside
    if not isinstance(value, Mapping):
        return ()
    return [*codings(value), (text(value, "system"), text(value, "code"))]


def _message_id(issue: Mapping[str, Any]) -> str:
    ids = [each for _, each in many(issue, "extension") if text(each, "url") == f"{_EXTENSION}message-id"]
    return next((text(each, name) for each in ids for name in ("valueString", "valueCode") if name in each), "")


def path_of(expression: str) -> finding.Path:
    """ "Observation.value.ofType(Quantity).code" as ("valueQuantity", "code")."""
    steps: list[str | int] = []
    for kind, name, number in _STEPS.findall(_COMMENT.sub("", expression)):
        if kind and steps and isinstance(steps[-1], str):
            steps[-1] += kind[0].upper() + kind[1:]
        elif name:
            steps.append(name)
        elif number:
            steps.append(int(number))
    return tuple(steps[1:])


class ByServer:
    """A FHIR server's ``$validate``, or HL7's validator run as a server, if the address ends in /validateResource."""

    size = 1

    def __init__(self, client: FhirClient) -> None:
        self._client = client

    def outcomes(self, resources: Sequence[Mapping[str, Any]]) -> Sequence[Mapping[str, Any]]:
        own = self._client.base.endswith(f"/{OWN_SERVER}")
        return [self._client.outcome("" if own else f"{each['resourceType']}/$validate", each) for each in resources]


@dataclass(frozen=True)
class ByJar:
    """HL7's validator_cli.jar, run once for all: what is judged lies in a folder of its own meanwhile, for nobody else.

    It needs HL7's definitions of R4, which it fetches itself the first time (~/.fhir/packages).
    """

    jar: Path
    java: str = "java"
    size: int = 100_000

    def outcomes(self, resources: Sequence[Mapping[str, Any]]) -> Sequence[Mapping[str, Any]]:
        with tempfile.TemporaryDirectory(prefix="imr-fhir-") as folder:
            given, ours, answer = Path(folder, "given"), Path(folder, "ours"), Path(folder, "answer.json")
            names = [f"{number:06}.json" for number in range(len(resources))]
            _write(given, names, resources)
            artefacts = artefact_resources()
            _write(ours, [f"{each['resourceType']}-{each['id']}.json" for each in artefacts], artefacts)
            self._run(given, ours, answer)
            by_name = _by_file(answer)
        missing = [name for name in names if name not in by_name]
        if missing:
            raise ValidatorError(
                f"The validator answered for {len(by_name)} of {len(names)} resources.",
                next_step="Run it by hand on one of them to see why.",
            )
        return [by_name[name] for name in names]

    def _run(self, given: Path, ours: Path, answer: Path) -> None:
        command = [self.java, "-jar", str(self.jar), str(given), "-version", "4.0.1", "-ig", str(ours), "-tx", "n/a"]
        try:
            ran = subprocess.run([*command, "-output", str(answer)], capture_output=True, check=False)  # noqa: S603
        except OSError as error:
            raise ValidatorError(
                f"{self.java} could not be run: {(error.strerror or '').lower()}.",
                next_step="Install Java 17 or later, or use --server.",
            ) from None
        if not answer.is_file():
            end = plain((ran.stderr or ran.stdout).decode(errors="replace")[-300:])
            raise ValidatorError(
                f"The validator ended with {ran.returncode} and gave no result: {end}",
                next_step="Look whether this is HL7's validator_cli.jar, and whether it can fetch R4's definitions.",
            )


def _write(folder: Path, names: Sequence[str], resources: Iterable[Mapping[str, Any]]) -> None:
    folder.mkdir()
    for name, resource in zip(names, resources, strict=True):
        (folder / name).write_bytes(write_json(resource))


def _by_file(answer: Path) -> dict[str, Mapping[str, Any]]:
    """File name -> OperationOutcome: a Bundle of them, or a single one, each naming its file in an extension."""
    found = read_json(answer.read_bytes())
    outcomes = [one(entry, "resource") for _, entry in many(found, "entry")] or [found]
    return {
        Path(text(extension, "valueString")).name: outcome
        for outcome in outcomes
        for _, extension in many(outcome, "extension")
        if extension.get("url") == f"{_EXTENSION}file"
    }
