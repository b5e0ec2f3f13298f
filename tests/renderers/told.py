"""What the response of a form filler says, and whether it is what was filled in."""

from collections.abc import Mapping
from typing import Any

from imr_fhir.ehr.json_reader import read_json
from imr_fhir.ehr.json_writer import write_json
from imr_fhir.response import Response, from_resource
from imr_fhir.scale import Rater, Ratings, scale
from imr_fhir.scoring import score
from imr_fhir.validation.finding import Fault, Path
from imr_fhir.validation.judge import judge
from tests.renderers.differences import FAULTS, STATUS, UNSTORED
from tests.renderers.filling import written
from tests.renderers.form import Form


def require_same(form: Form, rater: Rater, ratings: Ratings, comment: str) -> None:
    """The response in ``form`` has ``ratings``, ``comment`` and their score, and is good to this library."""
    told = form.response()
    mine = score(ratings)
    expected = {"sum": mine.sum, "rated": mine.rated, "mean": mine.mean}
    stored = figures(told)
    for name, value in expected.items():
        if (form.renderer.name, name, value) in UNSTORED and name not in stored:
            continue
        assert stored.get(name) == value, f"{name} of {ratings}"
    assert told["status"] == STATUS[form.renderer.name]
    read = library_reads(told, rater)
    assert read.ratings == dict(sorted(ratings.items()))
    assert read.score == mine
    assert (read.rater, read.comment, read.questionnaire) == (rater, comment, scale(rater).canonical)
    assert not read.complete or mine.complete
    assert _unknown_faults(form, filed(told, rater, ratings)) == set()


def figures(response: Mapping[str, Any]) -> dict[str, Any]:
    """The stored figures by linkId, without those that have no value."""
    (group,) = [item for item in response["item"] if item["linkId"] == "score"] or [{}]
    return {
        item["linkId"]: value
        for item in group.get("item", ())
        for answer in item.get("answer", ())
        for value in answer.values()
    }


def library_reads(told: Mapping[str, Any], rater: Rater) -> Response:
    """With what the program around a form filler adds at least: whose it is, and when it was answered."""
    whose = {"subject": {"reference": "Patient/anna"}, "authored": "2026-03-31T09:30:00Z"}
    return from_resource({**whose, **told}, patient="anna")


def filed(told: Mapping[str, Any], rater: Rater, ratings: Ratings) -> dict[str, Any]:
    """With all that our profile asks the program around a form filler for."""
    ours = written(rater, ratings)
    added = ("extension", "identifier", "subject", "authored", "author", "source")
    status = "completed" if score(ratings).complete else "stopped"
    return {**told, **{name: ours[name] for name in added}, "status": status}


def _unknown_faults(form: Form, resource: Mapping[str, Any]) -> set[tuple[Path, str]]:
    """What our validator finds, but for what is known of this form filler."""
    found = {(fault.path, fault.code) for fault in judged(resource)}
    return {each for each in found if (form.renderer.name, *each) not in FAULTS}


def judged(resource: Mapping[str, Any]) -> tuple[Fault, ...]:
    verdict = judge(read_json(write_json(resource)))
    assert verdict.checked
    return verdict.faults
