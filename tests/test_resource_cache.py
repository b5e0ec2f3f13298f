"""What the same text said before it says again, and nothing else."""

import copy
import json
import time
import tracemalloc
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC
from functools import partial, reduce
from typing import Any

import pytest

from imr_fhir import record, response
from imr_fhir.artefacts import CODES
from imr_fhir.ehr.resource_cache import CachedResource, ResourceCache, once, weight
from imr_fhir.ehr.scores import derived_from, has_code
from imr_fhir.errors import NotJson
from imr_fhir.goal import from_resource as goal_from
from imr_fhir.scale import scale
from tests import shared_resources

BASE = "https://ehr.example/fhir"

# As short as what they say can be said.
_ANNA = {"subject": {"reference": "Patient/anna"}}
LEAST_RESPONSE = {
    "resourceType": "QuestionnaireResponse", "id": "", "status": "in-progress", "authored": "2026-01-01T00:00:00Z",
    "questionnaire": scale("client").canonical, **_ANNA,
}  # fmt: skip
LEAST_GOAL = {
    "resourceType": "Goal", "id": "", "lifecycleStatus": "active", "description": {"text": "x"}, **_ANNA
}  # fmt: skip
LEAST_NOTE = {
    "resourceType": "Observation", "id": "", "status": "final", "effectiveDateTime": "2026-01-01T00:00:00Z",
    "code": {"coding": [{"system": CODES, "code": "review"}]}, "focus": [{"reference": "Goal/2"}],
    "valueCodeableConcept": {"coding": [{"system": CODES, "code": "done"}]}, **_ANNA,
}  # fmt: skip
FORM = "QuestionnaireResponse"
MANY = 22_000  # just more than fit in a table of 32,768 places, so it has twice as many


def goal(
    resource_id: str, words: str = "Play the guitar again, and with others, on Thursdays", subject: str = "Patient/anna"
) -> dict[str, Any]:
    text = {"text": words}
    return {"resourceType": "Goal", "id": resource_id, "description": text, "subject": {"reference": subject}}


def bundle(*resources: dict[str, Any], **more: Any) -> bytes:
    return json.dumps({"resourceType": "Bundle", **more, "entry": [{"resource": each} for each in resources]}).encode()


def resources(cache: ResourceCache, body: bytes, base: str = BASE) -> list[Any]:
    return [entry["resource"] for entry in cache.read(body, base)["entry"]]


def test_the_same_text_is_read_once() -> None:
    cache = ResourceCache()
    one, other = (goal(number, "As long as those of a record " * 20) for number in ("1", "2"))
    first = resources(cache, bundle(one, other, id="x"))
    again = resources(cache, bundle(other, one, id="y", total=2))
    assert [id(each) for each in again] == [id(first[1]), id(first[0])]
    assert first == [one, other]


def test_a_changed_text_is_read_anew() -> None:
    cache = ResourceCache()
    for words in ("Play the guitar again", "Play the guitar again, with others", "Play"):
        for _ in range(2):
            assert resources(cache, bundle(goal("1", words))) == [goal("1", words)]


def test_many_that_begin_alike() -> None:
    cache = ResourceCache()
    alike = [goal("1", f"{'long ' * 100}{number}") for number in range(5)]
    for _ in range(2):
        assert resources(cache, bundle(*alike)) == alike


def test_one_that_begins_like_a_longer_one() -> None:
    cache = ResourceCache()
    assert resources(cache, b'{"entry":[{"resource":{"a":1}}]}') == [{"a": 1}]
    assert cache.read(b'{"entry":[{"resource":{"a":1},"resource":0}]}'.replace(b',"resource":0', b""), BASE) == {
        "entry": [{"resource": {"a": 1}}]
    }
    assert resources(cache, b'{"entry":[{"resource":{"a":1,"b":2}}]}') == [{"a": 1, "b": 2}]


def test_references_are_made_local_to_the_server_that_sent_them() -> None:
    cache = ResourceCache()
    body = bundle(goal("1", subject=f"{BASE}/Patient/anna"))
    for _ in range(2):
        assert resources(cache, body)[0]["subject"] == {"reference": "Patient/anna"}
        assert resources(cache, body, "https://other.example/fhir")[0]["subject"] == {
            "reference": f"{BASE}/Patient/anna"
        }


def test_what_is_no_address_stays_as_it_is() -> None:
    odd = goal("1", subject="https://[ehr.example/fhir/Patient/anna")
    assert resources(ResourceCache(), bundle(odd)) == [odd]


def test_a_name_twice_around_what_is_known_is_refused_all_the_same() -> None:
    cache, known = ResourceCache(), json.dumps(goal("1")).encode()
    assert cache.read(b'{"entry":[{"resource":%s}]}' % known, BASE)
    with pytest.raises(NotJson):
        cache.read(b'{"entry":[{"resource":%s,"resource":%s}]}' % (known, known), BASE)


def test_what_is_old_is_let_go() -> None:
    cache = ResourceCache(seconds=0.05)
    first = resources(cache, bundle(goal("1")))[0]
    assert resources(cache, bundle(goal("1")))[0] is first
    time.sleep(0.1)
    second = resources(cache, bundle(goal("1")))[0]
    assert second is not first
    assert second == first
    time.sleep(0.1)
    cache.forget()
    assert not cache._kept
    assert cache._size == 0


def test_it_holds_no_more_than_it_may() -> None:
    one = weight(json.dumps(goal("10")))
    cache = ResourceCache(most=3 * one)
    for number in range(10, 30):
        assert resources(cache, bundle(goal(str(number)))) == [goal(str(number))]
        assert cache._size <= 3 * one
    assert [text for text, *_ in cache._kept.values()] == [json.dumps(goal(str(number))) for number in (27, 28, 29)]
    huge = goal("40", "x" * 4 * one)
    assert resources(cache, bundle(huge)) == [huge]
    assert not cache._kept


def test_the_oldest_is_at_hand() -> None:
    """A dict steps over all that was let go before it finds its first: 33 thousand let go took seconds, under a lock
    that every request waits for. No test can count those steps, and how long they take is not the same twice."""
    assert isinstance(ResourceCache()._kept, OrderedDict)


def inside(outer: Callable[[Any], Any]) -> Any:
    return reduce(lambda inner, _: outer(inner), range(50), 1)


@pytest.mark.parametrize(
    "shapes",
    [
        [{"a": number} for number in range(2_000)],
        [LEAST_RESPONSE | {"id": str(number)} for number in range(500)],
        [LEAST_GOAL | {"id": str(number)} for number in range(500)],
        [LEAST_NOTE | {"id": str(number)} for number in range(500)],
        [{"resourceType": "Observation", "code": {"coding": [{"code": f"{number:x}"} for number in range(MANY)]}}],
        [{"resourceType": "Observation", "code": {"coding": [{"system": "\N{BLACK STAR}", "code": "x" * 100_000}]}}],
        [
            {
                "resourceType": "Observation",
                "derivedFrom": [{"reference": f"{FORM}/{number:x}"} for number in range(MANY)],
            }
        ],
        [{"lists": [[]] * MANY}],
        [{"objects": [{}] * MANY}],
        [{"lists in lists": [inside(lambda inner: [inner])] * 500}],
        [{"objects in objects": [inside(lambda inner: {"": inner})] * 500}],
        [{"lists of objects": [[{"a": 1}]] * MANY}],
        [{"short": [f"{number:x}" for number in range(MANY)]}],
        [{"wide": ["\N{BLACK STAR}"] * MANY}],
        [{"digits": [number / 10 for number in range(MANY)]}],
        [{"names": {f"{number:x}": 10_000 + number for number in range(MANY)}}],
        [{"names of words": {f"{number:x}": f"{number:x}" for number in range(MANY)}}],
        [{"long": "x" * 100_000}],
        [{"long and wide": "x" * 100_000 + "\N{SLIGHTLY SMILING FACE}"}],
    ],
    ids=lambda shapes: ", ".join(shapes[0])[-40:],
)
@pytest.mark.parametrize("escaped", [True, False])
def test_it_takes_no_more_memory_than_it_counts(shapes: list[dict[str, Any]], escaped: bool) -> None:
    text = json.dumps({"entry": [{"resource": each} for each in shapes]}, separators=(",", ":"), ensure_ascii=escaped)
    body, cache = text.encode(), ResourceCache()
    tracemalloc.start()
    try:
        for raw in resources(cache, body):
            work_out(raw)
        del raw
        shared_resources.forget()  # its copies
        taken, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(cache._kept) == len(shapes)
    assert taken <= cache._size


def work_out(raw: CachedResource) -> None:
    patient, base = "".join(("an", "na")), "".join((BASE[:5], BASE[5:]))  # as each request has texts of its own
    if raw.get("resourceType") == "QuestionnaireResponse":
        read = partial(response.from_resource, raw, patient=patient)
        assert once(raw, ("response", patient, UTC), read).in_time
        assert once(raw, ("response", patient, UTC), read).score
    elif raw.get("resourceType") == "Goal":
        assert once(raw, "ours", lambda: True)
        assert once(raw, ("goal", patient), partial(goal_from, raw, patient=patient))
    elif raw.get("resourceType") == "Observation":
        derived_from(raw, base)
        if has_code(raw, record.TOKENS):
            assert once(raw, ("note", patient, UTC), partial(record.from_resource, raw, patient=patient))


def test_a_copy_is_nobody_elses() -> None:
    shared = resources(ResourceCache(), bundle(goal("1")))[0]
    for one in (copy.copy(shared), copy.deepcopy(shared), {**shared}, shared.copy()):
        assert type(one) is dict
        assert one == shared


def test_what_is_worked_out_is_worked_out_once_a_resource() -> None:
    shared = resources(ResourceCache(), bundle(goal("1")))[0]
    asked: list[str] = []
    for raw in (shared, shared, goal("1")):
        for what in ("words", ("words", "nb")):
            assert once(raw, what, lambda what=what: asked.append(str(what)) or len(what)) == len(what)  # type: ignore[func-returns-value]
    assert asked == ["words", "('words', 'nb')", "words", "('words', 'nb')"]


def test_what_is_changed_of_what_is_shared_is_seen_after_each_test() -> None:
    shared = resources(ResourceCache(), bundle(goal("1")))[0]
    ratings = once(shared, "ratings", lambda: {1: 2})
    ratings[1], shared["subject"]["reference"] = 3, "Patient/eva"
    assert len(shared_resources.changed()) == 2
    ratings[1], shared["subject"]["reference"] = 2, "Patient/anna"
    assert shared_resources.changed() == []


def test_side_by_side() -> None:
    cache = ResourceCache(most=40_000)
    bodies = [[goal(str(number), "word " * (number % 7 + turn)) for number in range(12)] for turn in range(4)]
    with ThreadPoolExecutor(8) as threads:
        found = [(body, threads.submit(resources, cache, bundle(*body))) for body in bodies * 25]
        for body, seen in found:
            assert seen.result() == body
    assert cache._size == sum(weight(text) for text, *_ in cache._kept.values())
    assert all(isinstance(kept, CachedResource) for _, kept, *_ in cache._kept.values())
