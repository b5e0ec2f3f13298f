"""FHIRPath that others wrote (fhirpathpy) gives the same answers, path by path."""

import json
from pathlib import Path
from typing import Any

import pytest
from fhirpathpy import evaluate
from fhirpathpy.models import models

from tests.tables.in_duckdb import run

R4 = models["r4"]

PEOPLE: list[dict[str, Any]] = [
    {"resourceType": "Patient", "id": "1"},
    {
        "resourceType": "Patient",
        "id": "2",
        "active": True,
        "name": [
            {"use": "official", "family": "A", "given": ["a", "b"]},
            {"use": "usual", "given": ["c"], "period": {"start": "2020-01-01"}},
            {"use": "old", "family": "A"},
        ],
        "gender": "female",
        "birthDate": "1970-06",
        "deceasedBoolean": False,
        "multipleBirthInteger": 2,
        "telecom": [{"system": "phone", "value": "1", "rank": 1}, {"system": "email", "value": "2"}],
        "contact": [
            {"name": {"family": "K"}, "telecom": [{"value": "3"}, {"value": "4", "rank": 2}]},
            {"gender": "male"},
        ],
        "extension": [
            {"url": "http://a", "valueString": "x"},
            {"url": "http://a", "valueCode": "y"},
            {"url": "http://b", "extension": [{"url": "c", "valueCoding": {"code": "z"}}]},
        ],
    },
    {
        "resourceType": "Patient",
        "id": "3",
        "active": False,
        "name": [{"family": "B", "_family": {"extension": [{"url": "http://f", "valueString": "own"}]}}],
        "_birthDate": {"extension": [{"url": "http://t", "valueDateTime": "1980-01-01T10:00:00+01:00"}]},
        "deceasedDateTime": "2021-03-04T23:30:00-02:00",
        "multipleBirthBoolean": True,
    },
]

PATHS = """
id
Patient.id
active
name.family
name.given
name[1].given[0]
name.first().given.first()
name.last().use
name.where(use = 'official').given
name.where(use = 'official' or family = 'A').use
name.where(use = 'official' and family = 'A').use
name.where(given.exists()).use
name.where(family.empty()).use
name.where(family = 'A').exists()
name.exists(use = 'usual')
name.empty()
name.count()
name.given.count()
telecom.where(rank > 0).value
telecom.where(rank.exists().not()).value
telecom.rank + 1
telecom.first().rank * 3 - 1
contact.telecom.value
contact.telecom.where(rank = 2).value
contact.where(gender = 'male').exists()
contact.name.family
contact.telecom[1].value
active and true
active or gender = 'male'
active and gender = 'male'
active.not()
(gender = 'female') xor active
active implies gender = 'female'
gender = 'female' implies active
gender.empty() implies name.exists()
gender != 'male'
name.family = 'A'
name.where(use = 'official').family = 'A'
name.given = name.given
name.use != name.use
deceased.ofType(boolean)
deceased.ofType(dateTime)
deceased.exists()
deceased is boolean
multipleBirth.ofType(integer) > 1
multipleBirth.exists()
birthDate
birthDate.exists()
birthDate.empty()
birthDate < @1980-01-01
birthDate > @1970-07-01
birthDate = @1970-06
birthDate != @1971-06
birthDate.extension('http://t').value.ofType(dateTime)
name.period.start
name.period.where(start >= @2020-01-01).start
deceased.ofType(dateTime) > @2021-03-05T00:00:00Z
deceased.ofType(dateTime) = @2021-03-05T01:30:00.000Z
deceased.ofType(dateTime) <= @2021-03-05T01:30:00Z
extension('http://a').value.ofType(string)
extension.where(url = 'http://a').count()
extension('http://b').extension('c').value.ofType(Coding).code
extension('http://none').exists()
'a' = 'b'
1 + 2 * 3
5 / 2
7 - 2.5
name.where($this.use = 'old').family
name.given.where($this = 'b')
{} = 1
true and {}
false and {}
true or {}
""".strip().splitlines()


@pytest.mark.parametrize("path", PATHS)
def test_answers_are_those_of_fhirpathpy(path: str, tmp_path: Path) -> None:
    # It does not compare a date that has extensions and no value.
    people = PEOPLE[:2] if path.startswith("birthDate ") else PEOPLE
    column = {"name": "v", "path": path, "collection": True}
    view = {"resource": "Patient", "select": [{"column": [{"name": "id", "path": "id"}, column]}]}
    found = {row["id"]: _plain(row["v"]) for row in run(view, people, tmp_path)}
    assert found == {person["id"]: _plain(evaluate(person, path, {}, R4)) for person in people}


def _plain(values: list[Any]) -> list[str]:
    return [
        json.dumps(value if isinstance(value, str | bool) else float(value))
        for value in values
        if value is not None and not isinstance(value, dict)
    ]
