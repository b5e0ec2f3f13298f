"""What the compiler does not know is refused by name: the view, the path and what in it; it never guesses."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from imr_fhir.errors import ViewError
from imr_fhir.reporting.views.compile import compile_view
from tests.tables.in_duckdb import run
from tests.tables.made import patient, view

REFUSED = [
    ("name.given.substring(1)", "calls substring(), which is not known here"),
    ("multipleBirth.ofType(integer).lowBoundary()", "asks for the boundary of a integer, which is not known here"),
    ("name.nickname", "asks for nickname, which HumanName does not have"),
    ("nome.family", "asks for nome, which Patient does not have"),
    ("valueString", "asks for valueString, which Patient does not have"),
    ("deceasedBoolean", "asks for deceasedBoolean, which Patient does not have"),
    ("deceased", "is a deceased[x], and only primitive types are known here"),
    ("deceased = true", "compares a deceased[x] with a boolean by =, which is not known here"),
    ("deceased > 1", "compares a deceased[x] with a integer by >, which is not known here"),
    ("deceased + 1", "has + between a deceased[x] and a integer, which is not known here"),
    ("deceased and true", "needs a Boolean beside and, not a deceased[x]"),
    ("extension.value.count()", "calls count() on several value[x], which need ofType() first"),
    ("extension.value.first().ofType(code)", "calls first() on several value[x], which need ofType() first"),
    ("extension.value[0].ofType(code)", "has an index after value[x], which needs ofType() first"),
    ("deceased.join()", "joins a deceased[x], and join() takes strings"),
    ("name", "is a HumanName, and only primitive types are known here"),
    ("deceased.ofType(integer)", "asks for a integer in deceased[x], which is boolean, dateTime"),
    ("gender.ofType(string)", "asks whether a code is a string, which is not known here"),
    ("name.where(use)", "needs a Boolean in where(), not a code"),
    ("gender and true", "needs a Boolean beside and, not a code"),
    ("birthDate = '1970-01-01'", "compares a date with a string by =, which is not known here"),
    ("active = 'true'", "compares a boolean with a string by =, which is not known here"),
    ("name = name", "compares a HumanName with a HumanName by =, which is not known here"),
    ("birthDate > @2020-01-01T10:00", "a time needs its seconds and its offset here"),
    ("gender | gender", "has the operator |, which is not known here"),
    ("gender ~ 'male'", "has the operator ~, which is not known here"),
    ("%resource.id", "names %resource, which is no constant of the view"),
    ("$index", "has $index, which is not known here"),
    ("4 days", "has the quantity 4 days, which is not known here"),
    ("name.given.extension('http://a').value.ofType(string)", "asks for extension of several values of string"),
    ("name[-1].family", "has an index that is no whole number from 0 on"),
    ("name.where(", "needs a name before 'its end'"),
    ("name.family first", "can't be read from 'first' on"),
    ("gender.first(1)", "calls first() with 1 arguments"),
    ("contained.id", "goes into contained, a Resource, which is not known here"),
    ("text.div.exists()", "goes into div, a xhtml, which is not known here"),
    ("'\\ud83d'", "has half of a surrogate pair, which is no character"),
    ("id.getReferenceKey()", "asks for getReferenceKey() of a id, which is no Reference"),
]


@pytest.mark.parametrize(("path", "why"), REFUSED, ids=[path for path, _ in REFUSED])
def test_a_path_is_refused_by_name(path: str, why: str) -> None:
    with pytest.raises(ViewError) as refused:
        compile_view(view("people", "Patient", answer=path))
    assert f"The view people can't be run here: column answer, path {path}: " in str(refused.value)
    assert why in str(refused.value)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"resource": "Pacient"}, "its resource is 'Pacient', which is no resource of R4"),
        ({"resource": "HumanName"}, "its resource is 'HumanName', which is no resource of R4"),
        ({"name": "../people"}, "its name is none that a table can have"),
        ({"select": []}, "it has no select"),
        ({"select": [{"forEach": "name"}]}, "it has no column"),
        ({"select": [{"column": [{"name": "a b", "path": "id"}]}]}, "has a column named 'a b'"),
        (
            {"select": [{"column": [{"name": "a", "path": "id"}, {"name": "A", "path": "id"}]}]},
            "has the column A twice",
        ),
        (
            {"select": [{"column": [{"name": "a", "path": "id", "type": "integer"}]}]},
            "is a id, and the view says integer",
        ),
        ({"select": [{"forEach": "name", "forEachOrNull": "name"}]}, "a select has more than one of forEach"),
        ({"select": [{"groupBy": "name"}]}, "a select has groupBy, which is not known here"),
        (
            {"select": [{"repeat": ["nome"], "column": [{"name": "a", "path": "id"}]}]},
            "asks for nome, which Patient",
        ),
        ({"where": [{"path": "gender"}]}, "where, path gender: needs a Boolean as its criterion, not a code"),
        ({"constant": [{"name": "c", "valueInteger": "1"}]}, "constant c is '1', which is no integer"),
        ({"constant": [{"name": "c", "valueDate": "yesterday"}]}, "constant c is 'yesterday', which is no date"),
        ({"constant": [{"name": "c", "valueCoding": {}}]}, "constant c is {}, which is no coding"),
    ],
)
def test_a_view_is_refused_by_name(change: dict[str, Any], why: str) -> None:
    with pytest.raises(ViewError) as refused:
        compile_view({**view("people", "Patient", id="id"), **change})
    assert why in str(refused.value)


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("name.family", "column answer, path name.family: has several values, and is no collection"),
        ("name.family + 'x'", "+ between several values"),
        ("name.given", "given has an element without a value, which is not known here"),
        ("multipleBirth.ofType(integer)", "multipleBirth is no whole number"),
    ],
)
def test_what_only_the_data_tell_is_an_error_and_no_guess(path: str, why: str, tmp_path: Path) -> None:
    names = [{"family": "a", "given": ["x", None], "_given": [None, {"id": "1"}]}, {"family": "b"}]
    with pytest.raises(duckdb.InvalidInputException, match=why.replace("+", r"\+").replace(".", r"\.")):
        run(view("people", "Patient", answer=path), [patient("1", name=names, multipleBirthInteger=1.5)], tmp_path)


def test_a_repeat_that_leads_too_deep_is_an_error(tmp_path: Path) -> None:
    definition = {
        "resource": "QuestionnaireResponse",
        "select": [{"repeat": ["item"], "column": [{"name": "a", "path": "linkId"}]}],
    }

    def nested(depth: int) -> dict[str, Any]:
        return {"linkId": str(depth), **({"item": [nested(depth + 1)]} if depth < deepest else {})}

    deepest = 8
    response = {"resourceType": "QuestionnaireResponse", "id": "1", "item": [nested(1)]}
    assert len(run(definition, [response], tmp_path)) == 8
    deepest = 9
    response["item"] = [nested(1)]
    with pytest.raises(duckdb.InvalidInputException, match="repeat leads deeper than is known here"):
        run(definition, [response], tmp_path)


def test_a_times_digits_and_zone(tmp_path: Path) -> None:
    """A date is equal to no time, and before or after it only where all of its day is; a day is meant as UTC."""
    people = [patient("1", deceasedDateTime="2021-03-04T23:30:00-02:00"), patient("2", deceasedDateTime="2021-03")]
    paths = {
        "same": "deceased.ofType(dateTime) = @2021-03-05T02:30:00+01:00",
        "day": "deceased.ofType(dateTime) = @2021-03-05",
        "other_day": "deceased.ofType(dateTime) = @2021-04-01",
        "before": "deceased.ofType(dateTime) < @2021-03-06",
        "at_most": "deceased.ofType(dateTime) <= @2021-03",
    }
    found = run(view("people", "Patient", **paths), people, tmp_path)
    assert [list(row.values()) for row in found] == [
        [True, None, False, True, None],
        [None, None, False, None, True],
    ]


def test_decimals_are_exact(tmp_path: Path) -> None:
    paths = {"sum": "0.1 + 0.2", "same": "0.1 + 0.2 = 0.3", "product": "1.5 * 2", "quotient": "1 / 3", "none": "1 / 0"}
    (found,) = run(view("people", "Patient", **paths), [patient("1")], tmp_path)
    assert found == {
        "sum": Decimal("0.3"), "same": True, "product": Decimal(3), "quotient": Decimal("0.33333333"), "none": None,
    }  # fmt: skip


def test_what_is_no_number_of_fhirpath_is_empty_or_refused(tmp_path: Path) -> None:
    """Eight digits after the point; more are an error where they would be rounded away, an overflow is empty."""
    paths = {"quotient": "1.5 / 0.7", "same": "1.5 / 0.7 = 2.14285714", "large": "2147483647 + 1", "less": "3 - 5 * 2"}
    (found,) = run(view("people", "Patient", **paths), [patient("1")], tmp_path)
    assert found == {"quotient": Decimal("2.14285714"), "same": True, "large": None, "less": -7}
    with pytest.raises(duckdb.InvalidInputException, match="more than eight digits"):
        run(view("people", "Patient", a="0.123456789 * 3"), [patient("1")], tmp_path)


def test_what_is_not_there_is_empty(tmp_path: Path) -> None:
    paths = {"first": "$this[0].exists()", "second": "$this[1].exists()", "count": "Patient[1].count()"}
    (found,) = run(view("people", "Patient", **paths), [patient("1")], tmp_path)
    assert found == {"first": True, "second": False, "count": 0}


def test_a_text_in_a_view_stays_a_text(tmp_path: Path) -> None:
    """Quotes, braces and keywords in it reach no SQL."""
    for text in ("it's", "{source}", "'; DROP TABLE x; --", "_v1", 'a"b', "æ😀"):
        quoted = json.dumps(text)[1:-1].replace("'", "\\'").replace('\\"', '"')
        (found,) = run(view("people", "Patient", a=f"'{quoted}'", b=f"'{quoted}' = id"), [patient(text)], tmp_path)
        assert found == {"a": text, "b": True}


def test_times_that_are_several_are_not_compared() -> None:
    """18:12:00 and 18:12:00.0 are the same time: as texts they would not be."""
    with pytest.raises(ViewError, match="compares several dates or times with ="):
        compile_view(view("hours", "HealthcareService", same="availableTime.availableStartTime = @T18:12:00"))
