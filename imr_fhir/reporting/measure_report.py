"""The proportions of a report as FHIR: one Measure, and its MeasureReport, for a record that wants to hold them too.

A group a part of a figure and rater ("answered-due-client"), stratified by unit and by quarter. A number that is hidden
is masked (data-absent-reason), not left out: who reads it sees that there is one.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date
from itertools import groupby
from typing import Any

from imr_fhir import artefacts
from imr_fhir.reporting.counting import ALL
from imr_fhir.reporting.figures import figure
from imr_fhir.reporting.proportions import Line

MEASURE = f"{artefacts.BASE}/Measure/imr-report"

_POPULATION = "http://terminology.hl7.org/CodeSystem/measure-population"
_ABSENT = "http://hl7.org/fhir/StructureDefinition/data-absent-reason"
_MASKED = {"extension": [{"url": _ABSENT, "valueCode": "masked"}]}
_SQL = {"extension": [{"url": _ABSENT, "valueCode": "unsupported"}]}  # R4's languages have none for SQL
_STRATA = ("unit", "quarter")

Json = dict[str, Any]


def bundle(lines: Sequence[Line], exported: date) -> Json:
    """A transaction that puts the Measure under its own id and adds the MeasureReport."""
    measure, report = measure_of(lines, exported), measure_report(lines, exported)
    return {
        "resourceType": "Bundle",
        "type": "transaction",
        "entry": [
            {"resource": measure, "request": {"method": "PUT", "url": f"Measure/{measure['id']}"}},
            {"resource": report, "request": {"method": "POST", "url": "MeasureReport"}},
        ],
    }


def measure_of(lines: Sequence[Line], on: date) -> Json:
    """The Measure: each group with its definition, each population by the query that counts it."""
    return {
        "resourceType": "Measure",
        "id": f"imr-report-{artefacts.VERSION}",
        "url": MEASURE,
        "version": artefacts.VERSION,
        "name": "ImrReport",
        "title": "IMR: the report's proportions",
        "status": "draft",
        "experimental": True,
        "date": on.isoformat(),
        "publisher": "IMR on FHIR",
        "description": "How the programme is offered, answered and followed up. No target, no measure of its effect.",
        "scoring": _concept("http://terminology.hl7.org/CodeSystem/measure-scoring", "proportion"),
        **_all_groups(_measure_group, lines),
    }


def measure_report(lines: Sequence[Line], exported: date) -> Json:
    """The MeasureReport: a summary of all, with its strata, from the first quarter that it tells of to the export."""
    since = min((_first_day(line.quarter) for line in lines if line.quarter != ALL), default=exported)
    return {
        "resourceType": "MeasureReport",
        "status": "complete",
        "type": "summary",
        "measure": f"{MEASURE}|{artefacts.VERSION}",
        "date": exported.isoformat(),
        "period": {"start": since.isoformat(), "end": exported.isoformat()},
        **_all_groups(_report_group, lines),
    }


def _first_day(quarter: str) -> date:
    year, _, number = quarter.partition("-Q")
    return date(int(year), 3 * int(number) - 2, 1)


def _all_groups(made: Callable[[tuple[str, ...], list[Line]], Json], lines: Sequence[Line]) -> Json:
    """Of an empty export there is none, and FHIR has no empty list."""
    groups = [made(key, of) for key, of in _groups(lines)]
    return {"group": groups} if groups else {}


def _groups(lines: Sequence[Line]) -> Iterator[tuple[tuple[str, ...], list[Line]]]:
    """The rows of interest, by figure, part, row and rater."""

    def key(line: Line) -> tuple[str, ...]:
        return line.figure, line.part, line.row, line.rater

    wanted = [line for line in lines if line.of_interest]
    for found, own in groupby(sorted(wanted, key=key), key=key):
        yield found, list(own)


def _code(key: Iterable[str]) -> Json:
    text = "-".join(filter(None, key))
    return {"text": re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")}


def _concept(system: str, code: str) -> Json:
    return {"coding": [{"system": system, "code": code}]}


def _measure_group(key: tuple[str, ...], lines: Sequence[Line]) -> Json:
    about = figure(key[0])
    said, of, row = about.about["en"], lines[0].total, key[2]
    query = f"{about.name}.sql"
    return {
        "code": _code(key),
        "description": f"{said.title}: {row}, of {of}. {said.definition}",
        "population": [
            {
                "code": _concept(_POPULATION, code),
                "description": what,
                "criteria": {"_language": _SQL, "expression": f"{query}: {what}"},
            }
            for code, what in (("denominator", of), ("numerator", row))
        ],
        "stratifier": [
            {"code": {"text": by}, "criteria": {"_language": _SQL, "expression": f"{query}: {by}"}} for by in _STRATA
        ],
    }


def _report_group(key: tuple[str, ...], lines: Sequence[Line]) -> Json:
    whole = next(line for line in lines if line.unit == ALL and line.quarter == ALL)
    by_unit = [line for line in lines if line.unit != ALL and line.quarter == ALL]
    by_quarter = [line for line in lines if line.unit == ALL and line.quarter != ALL]
    strata = ((name, found) for name, found in zip(_STRATA, (by_unit, by_quarter), strict=True) if found)
    return {
        "code": _code(key),
        **_counts(whole),
        "stratifier": [
            {
                "code": [{"text": by}],
                "stratum": [
                    {"value": {"text": getattr(line, by) or "not recorded"}, **_counts(line)} for line in found
                ],
            }
            for by, found in strata
        ],
    }


def _counts(line: Line) -> Json:
    found: Json = {
        "population": [
            {"code": _concept(_POPULATION, code), **_count(n)}
            for code, n in (("denominator", line.of), ("numerator", line.n))
        ]
    }
    return found | ({"measureScore": {"value": round(line.share, 4)}} if line.share is not None else {})


def _count(n: int | None) -> Mapping[str, Any]:
    return {"_count": _MASKED} if n is None else {"count": n}
