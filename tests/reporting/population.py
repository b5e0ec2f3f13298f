"""A made-up population with IMR, as FHIR resources with ids of their own: what happens in a real one, and what is wrong
in one, each seldom. The same seed gives the same people."""

import json
import random
import uuid
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

from imr_fhir import goal as goals
from imr_fhir import record, response
from imr_fhir.due import add_months
from imr_fhir.goal import LIFE_AREAS, Goal
from imr_fhir.observation import score_observation
from imr_fhir.record import DueOutcome, Review, SeenFirst
from imr_fhir.response import Response
from imr_fhir.scale import NA, NA_ITEM, RATERS, Rater, scale

EXPORTED = datetime(2026, 9, 15, 3, tzinfo=UTC)
UNITS = ("Organization/north", "Organization/south", "Organization/fjord")
TEST_LABEL = {"system": "http://terminology.hl7.org/CodeSystem/v3-ActReason", "code": "HTEST"}

Resource = dict[str, Any]


@dataclass
class Person:
    """Draws all of one person's life; ``resources`` in an order in which they can be written."""

    number: int
    draw: random.Random
    resources: list[Resource] = field(default_factory=list)

    @property
    def id(self) -> str:
        return f"person-{self.number:05d}"

    @property
    def reference(self) -> str:
        return f"Patient/{self.id}"

    def chance(self, share: float) -> bool:
        return self.draw.random() < share

    def uuid(self) -> str:
        return str(uuid.UUID(int=self.draw.getrandbits(128), version=4))

    def add(self, built: Mapping[str, Any], **more: Any) -> Resource:
        """``built`` with an id, as a server would keep it."""
        kept = {**built, **more}
        kept["id"] = f"{self.id}-{len(self.resources):03d}"
        kept["meta"] = {**kept.get("meta", {}), "versionId": "1", "lastUpdated": "2026-09-01T08:00:00.000Z"}
        self.resources.append(kept)
        return kept


def population(people: int, *, seed: int = 7) -> Iterator[Resource]:
    """The resources of ``people`` persons over two years, each person's Patient first."""
    for number in range(people):
        yield from _life(Person(number, random.Random(f"{seed}-{number}")))


def write_ndjson(resources: Iterable[Resource], folder: Path) -> None:
    """As an export writes them: ``Type-00001.ndjson``, an empty file for each type that there is none of."""
    lines: dict[str, list[str]] = {}
    for each in resources:
        lines.setdefault(each["resourceType"], []).append(json.dumps(each, default=float, ensure_ascii=False))
    for name, rows in lines.items():
        (folder / f"{name}-00001.ndjson").write_text("".join(f"{row}\n" for row in rows), encoding="utf-8")


def _life(who: Person) -> list[Resource]:
    begun = date(2024, 9, 1) + timedelta(days=who.draw.randrange(660))
    end = begun + timedelta(days=who.draw.randrange(40, 500)) if who.chance(0.4) else None
    end = end if end and end < EXPORTED.date() - timedelta(days=1) else None
    died = end if end and who.chance(0.1) else None
    labels = {"meta": {"security": [TEST_LABEL]}} if who.chance(0.04) else {}
    patient = {"resourceType": "Patient", "id": who.id, "active": True, **labels}
    patient["meta"] = {**patient.get("meta", {}), "versionId": "1", "lastUpdated": "2026-09-01T08:00:00.000Z"}
    who.resources.append({**patient, **({"deceasedDateTime": died.isoformat()} if died else {})})
    if not who.chance(0.05):
        _episode(who, begun, end)
    _ratings(who, begun, end or EXPORTED.date())
    _goals(who, begun, end or EXPORTED.date())
    if end and not died:
        _afterwards(who, end + timedelta(days=who.draw.randrange(5, 90)))
    return who.resources


def _afterwards(who: Person, begun: date) -> None:
    """A second course, one that is only planned, its day past or to come, or a rating in no course."""
    if who.chance(0.3) and begun < EXPORTED.date():
        _episode(who, begun, None)
        _ratings(who, begun, EXPORTED.date())
        _goals(who, begun, EXPORTED.date())
    elif who.chance(0.2):
        who.add({
            "resourceType": "EpisodeOfCare", "status": "planned", "patient": {"reference": who.reference},
            "managingOrganization": {"reference": who.draw.choice(UNITS)}, "period": {"start": str(begun)},
        })  # fmt: skip
    elif who.chance(0.2) and (when := begun + timedelta(days=120)) < EXPORTED.date():
        _rating(who, "client", when, dict.fromkeys(range(1, 16), 3), "nb")


def _episode(who: Person, begun: date, end: date | None) -> None:
    status = "active" if end is None else who.draw.choice(["finished", "finished", "cancelled"])
    history = [{"status": "planned", "period": {"start": str(begun - timedelta(days=9)), "end": str(begun)}}]
    if who.chance(0.15):
        hold = begun + timedelta(days=75)
        history.append({"status": "onhold", "period": {"start": str(hold), "end": str(hold + timedelta(days=70))}})
    who.add({
        "resourceType": "EpisodeOfCare", "status": "entered-in-error" if who.chance(0.02) else status,
        "statusHistory": history, "patient": {"reference": who.reference},
        "managingOrganization": {"reference": who.draw.choice(UNITS)},
        "period": {"start": str(begun), **({"end": str(end)} if end else {})},
    })  # fmt: skip


def _ratings(who: Person, begun: date, last: date) -> None:
    levels = {item: who.draw.randint(1, 4) for item in range(1, 16)}
    languages = who.draw.choice(["en", "nb"]), who.draw.choice(["en", "nb"])
    k = 0
    while (due := add_months(begun, 3 * k)) <= last:
        if who.chance(0.2):
            _outcome(who, due)
        for rater in RATERS:
            when = due + timedelta(days=who.draw.choice([-20, -13, -3, 0, 0, 1, 2, 9, 27, 28, 29, 60]))
            if who.chance(0.8) and when < EXPORTED.date():
                _rating(who, rater, when, levels, languages[0] if who.chance(0.95) else languages[1])
        levels = {item: min(5, max(1, level + who.draw.choice([-1, 0, 0, 0, 1, 1]))) for item, level in levels.items()}
        k += 1


def _moment(who: Person, on: date) -> datetime:
    return datetime.combine(on, time(who.draw.randrange(7, 23), who.draw.randrange(60)), UTC)


def _rating(who: Person, rater: Rater, on: date, levels: Mapping[int, int], language: str) -> None:
    ratings = {item: min(5, max(1, level + who.draw.choice([-1, 0, 0, 1]))) for item, level in levels.items()}
    if who.chance(0.2):
        ratings[NA_ITEM] = NA
    status = "completed"
    if who.chance(0.08):
        status, ratings = (
            "stopped",
            {item: rating for item, rating in ratings.items() if item < who.draw.randint(2, 14)},
        )
    measured, by = _moment(who, on), "Practitioner/kari" if who.chance(0.9) else "Practitioner/ola"
    said = Response(
        rater=rater, status=status, ratings=ratings, comment="Bussen går ikke" if who.chance(0.1) else "",
        identifier=f"urn:uuid:{who.uuid()}", id="", version_id="", patient=who.id,
        source=who.reference if rater == "client" else by, author=by, encounter="", measured=measured,
        authored=measured, language=language, questionnaire=scale(rater).canonical,
    )  # fmt: skip
    if status == "completed" and who.chance(0.08):
        said = replace(said, status="amended", authored=measured + timedelta(days=30))
    if who.chance(0.03):
        said = replace(said, status="entered-in-error")
    built = response.to_resource(said, filing=who.uuid())
    kept = who.add(_spoiled(who, built))
    if kept["questionnaire"] == said.questionnaire and not who.chance(0.1):
        score = score_observation(
            said,
            response_reference=f"QuestionnaireResponse/{kept['id']}",
            urn=f"urn:uuid:{who.uuid()}",
            filing=who.uuid(),
        )
        who.add(score)
    if who.chance(0.02):
        who.add(built)  # the same rating a second time
    if rater == "client" and who.chance(0.1):
        seen = SeenFirst(
            patient=who.id,
            said=measured,
            performer=by,
            identifier=f"urn:uuid:{who.uuid()}",
            response=f"QuestionnaireResponse/{kept['id']}",
        )
        who.add(record.to_resource(seen, filing=who.uuid()))


def _spoiled(who: Person, built: Resource) -> Resource:
    """Now and then what other software, or an older version, leaves in a record."""
    if who.chance(0.02):
        return {**built, "questionnaire": built["questionnaire"].replace("|0.1.0", "|0.0.9")}
    if who.chance(0.02):
        return {**built, "status": "in-progress"}
    if who.chance(0.01):
        return {key: value for key, value in built.items() if key not in ("authored", "extension")}
    if who.chance(0.01):
        spoiled: Resource = json.loads(json.dumps(built, default=str))
        group = next(item for item in spoiled["item"] if item["linkId"] == "imr")
        group["item"][0]["answer"][0]["valueCoding"]["code"] = "15-1"
        return spoiled
    return built


def _outcome(who: Person, due: date) -> None:
    said = _moment(who, due + timedelta(days=who.draw.randrange(-5, 20)))
    if said < EXPORTED:
        outcome = DueOutcome(
            patient=who.id, said=said, performer="Practitioner/kari", identifier=f"urn:uuid:{who.uuid()}",
            outcome=who.draw.choice(record.OUTCOMES),
        )  # fmt: skip
        who.add(record.to_resource(outcome, filing=who.uuid()))


def _goals(who: Person, begun: date, last: date) -> None:
    for _ in range(who.draw.choice([0, 1, 1, 2])):
        start = begun + timedelta(days=who.draw.randrange(-5, 120))
        if start > last:
            continue
        wish = Goal(
            patient=who.id, text="Spise middag med søsteren min", identifier=f"urn:uuid:{who.uuid()}", start=start,
            category=who.draw.choice(LIFE_AREAS), theirs=who.chance(0.8),
        )  # fmt: skip
        kept = who.add(goals.to_resource(wish, filing=who.uuid()))
        step = replace(
            wish, text="Ringe henne", identifier=f"urn:uuid:{who.uuid()}", parent=f"Goal/{kept['id']}", category=""
        )
        kept_step = who.add(goals.to_resource(step, filing=who.uuid()))
        _reviews(who, wish, kept, kept_step, last)


def _reviews(who: Person, wish: Goal, kept: Resource, step: Resource, last: date) -> None:
    on, results = wish.start, ("partly", "not-yet", "partly", "done", "not-wanted")
    assert on is not None
    while who.chance(0.7) and (on := on + timedelta(days=who.draw.randrange(5, 80))) <= last:
        about, result = (step if who.chance(0.3) else kept), who.draw.choice(results)
        by = who.reference if who.chance(0.5) else "Practitioner/kari"
        review = Review(patient=who.id, said=_moment(who, on), performer=by, identifier=f"urn:uuid:{who.uuid()}",
                        focus=f"Goal/{about['id']}", result=result)  # fmt: skip
        who.add(record.to_resource(review, filing=who.uuid()))
        if about is kept:
            wish = goals.reviewed(wish, result, on)
            kept.update(
                {key: value for key, value in goals.to_resource(wish, filing=who.uuid()).items() if key != "meta"}
            )
        if result in ("done", "not-wanted") and about is kept:
            return
