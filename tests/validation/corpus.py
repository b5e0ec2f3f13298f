"""Good and broken responses, the same ones in each run: what two validators are asked about."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from random import Random
from typing import Any

from imr_fhir.ehr.json_reader import read_json
from imr_fhir.ehr.json_writer import write_json
from imr_fhir.response import Response, to_resource
from imr_fhir.scale import ITEM_COUNT, NA, NA_ITEM, RATERS, Rater, scale
from tests.validation.mutations import MUTATIONS

Json = dict[str, Any]
GOOD, BROKEN_EACH = 308, 3

_COMMENTS = ("", "", "Ring me on Monday", "Søvn: <b>dårlig</b>\r\n\tog æøå \N{SLIGHTLY SMILING FACE}", "x" * 4000)


@dataclass(frozen=True)
class Case:
    name: str
    resource: Json
    mutation: str = ""  # what broke it
    code: str = ""  # the finding that it must lead to


def good_responses() -> Iterator[Case]:
    """As the app writes them, and as other form fillers and servers may."""
    random = Random(5)
    kinds = list(_AS_OTHERS.items())
    for number in range(GOOD):
        resource = whole(number, random)
        name, change = kinds[number % len(kinds)]
        change(resource)
        yield Case(f"{name} {number}", resource)


def broken_responses() -> Iterator[Case]:
    """Each mutation on several responses."""
    random = Random(6)
    for name, (code, mutate) in MUTATIONS.items():
        for number in range(BROKEN_EACH):
            resource = whole(number * 7, random, status="completed", comment="Fine")
            yield Case(f"{name} {number}", mutate(resource), name, code)


def whole(number: int, random: Random, *, status: str = "", comment: str | None = None) -> Json:
    """One response as the app writes it."""
    rater: Rater = RATERS[number % 2]
    status = status or random.choice(["completed", "completed", "amended", "stopped", "entered-in-error"])
    ratings = {item: random.randint(1, 5) for item in range(1, ITEM_COUNT + 1)}
    if random.random() < 0.3:
        ratings[NA_ITEM] = NA
    if status == "stopped":
        ratings = {item: rating for item, rating in ratings.items() if random.random() < 0.6}
    zone = random.choice([UTC, timezone(timedelta(hours=2)), timezone(timedelta(hours=-5, minutes=-30))])
    at = datetime(2026, 1, 1, 8, tzinfo=zone) + timedelta(hours=number * 7, milliseconds=random.choice([0, 250]))
    author = random.choice(["Patient/anna", "Practitioner/berg", "https://ehr.example/fhir/Practitioner/9"])
    response = Response(
        rater=rater, status=status, ratings=ratings, comment=random.choice(_COMMENTS) if comment is None else comment,
        identifier=f"urn:uuid:6566f1e9-c964-482e-b11d-{number:012}", id=random.choice(["", f"r{number}"]),
        version_id="", patient="anna", source="Patient/anna" if rater == "client" else "Practitioner/berg",
        author=author, encounter=random.choice(["", "Encounter/3"]), measured=at, authored=at + timedelta(minutes=9),
        language=random.choice(["en", "nb"]), questionnaire=scale(rater).canonical,
    )  # fmt: skip
    built = to_resource(response, filing="0e4f7b65-f185-469c-aaf2-8c3fae59ef17", profile=True)
    read: Json = read_json(write_json(built))
    return read


# ---- as others write them


def _drop(element: Json, *names: str) -> None:
    for name in names:
        element.pop(name, None)


def _codings(resource: Json) -> Iterator[Json]:
    for outer in resource["item"]:
        for inner in outer.get("item", []):
            yield from (each["valueCoding"] for each in inner.get("answer", []) if "valueCoding" in each)


def _without(*names: str) -> Callable[[Json], None]:
    def change(resource: Json) -> None:
        for each in _codings(resource):
            _drop(each, *names)

    return change


def _without_text(resource: Json) -> None:
    for outer in resource["item"]:
        for each in (outer, *outer.get("item", [])):
            _drop(each, "text")


def _other_digits(resource: Json) -> None:
    """JavaScript writes 3.40 as 3.4."""
    for mean in (each["answer"][0] for each in resource["item"][-1]["item"] if each["linkId"] == "mean"):
        mean["valueDecimal"] = Decimal(str(float(mean["valueDecimal"])))


def _stored(resource: Json) -> None:
    resource["id"] = "stored-1"
    resource["meta"] |= {"versionId": "3", "lastUpdated": "2026-11-23T10:00:00.123+01:00", "source": "#a1"}


def _narrative(resource: Json) -> None:
    resource["text"] = {"status": "generated", "div": '<div xmlns="http://www.w3.org/1999/xhtml"><p>Answers</p></div>'}


def _by_name(resource: Json) -> None:
    for name in ("author", "subject"):
        resource[name]["display"] = "Anna Berg"


_AS_OTHERS: Mapping[str, Callable[[Json], None]] = {
    "as we write it": lambda resource: None,
    "without displays": _without("display"),
    "without versions of codes": _without("version"),
    "without texts": _without_text,
    "other digits": _other_digits,
    "as a server stores it": _stored,
    "with narrative": _narrative,
    "people by name": _by_name,
    "without encounter": lambda resource: _drop(resource, "encounter"),
    "language of the resource": lambda resource: resource.update(language="en"),
    "label of the site": lambda resource: resource["meta"].update(
        security=[{"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "PSY"}]
    ),
}
