"""Whatever a record holds, reading it gives a Response or a sentence; whatever we write is read as it was."""

from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imr_fhir import answers, goal, observation, record, response
from imr_fhir.ehr.json_reader import read_json
from imr_fhir.ehr.json_writer import write_json
from imr_fhir.errors import ResourceError
from imr_fhir.response import Response
from imr_fhir.scale import NA, RATERS, scale
from tests.filed import every_resource, urn

no_deadline = settings(deadline=None)  # a shared machine may pause

Read = Callable[..., object]
READERS: Mapping[str, tuple[Read, type]] = {
    "response": (response.from_resource, Response),
    "score": (observation.from_resource, observation.StoredScore),
    "goal": (goal.from_resource, goal.Goal),
    "note": (record.from_resource, record.Note),
}
_RESOURCES = dict(every_resource(profile=True))
SOUND = {
    "response": [found for name, found in _RESOURCES.items() if name.startswith("response")],
    "score": [found for name, found in _RESOURCES.items() if name.startswith("score")],
    "goal": [found for name, found in _RESOURCES.items() if name.startswith("goal")],
    "note": [_RESOURCES[name] for name in ("review", "helps", "due outcome", "prompt", "seen first")],
}

# Text as likely to hit a code path as to miss every one.
_TEXT = st.text(max_size=12) | st.sampled_from(
    ["", "Patient/anna", "Patient/bo", "06-3", "13-na", "2026-01-01", "2026-13-40T99:99:99Z", "\u202e", "completed"]
)
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**18), 10**18)
    | st.decimals(allow_nan=False, allow_infinity=False, places=2)
    | _TEXT,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["url", "linkId", "item", "answer", "coding", "code", "system", "reference", "valueCode"])
            | st.text(max_size=5),
            inner,
            max_size=3,
        )
    ),
    max_leaves=12,
)


def _places(value: object, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [place for key, each in inner for place in [(*path, key), *_places(each, (*path, key))]]


@st.composite
def damaged(draw: st.DrawFn, kind: str) -> Any:
    """A sound resource with one to three places changed, doubled or taken out."""
    resource = deepcopy(draw(st.sampled_from(SOUND[kind])))
    for _ in range(draw(st.integers(1, 3))):
        *path, last = draw(st.sampled_from(_places(resource)))
        parent: Any = resource
        for step in path:
            parent = parent[step]
        match draw(st.sampled_from(["change", "double", "remove"])):
            case "change":
                parent[last] = draw(JSON)
            case "double" if isinstance(parent, list):
                parent.append(deepcopy(parent[last]))
            case _:
                del parent[last]
        if not _places(resource):
            break
    return resource


@pytest.mark.parametrize("kind", READERS)
@no_deadline
@given(data=st.data())
def test_garbage_is_read_or_refused_with_a_sentence(kind: str, data: st.DataObject) -> None:
    read, known = READERS[kind]
    raw = data.draw(JSON | damaged(kind))
    try:
        found = read(raw, patient="anna")
    except ResourceError as fault:
        said = fault.message, fault.next_step
    else:
        said = ("read", type(found).__name__)
        assert isinstance(found, known)
    assert all(said)


_OFFSETS = st.integers(-12 * 4, 14 * 4).map(lambda quarters: timezone(timedelta(minutes=15 * quarters)))
MOMENTS = st.datetimes(datetime(1950, 1, 1), datetime(2150, 1, 1), timezones=_OFFSETS | st.just(UTC)).map(
    lambda moment: moment.replace(microsecond=moment.microsecond // 1000 * 1000)
)

# What FHIR can carry: everything but control characters, halves of surrogate pairs and two noncharacters.
_COMMENT = st.text(
    st.characters(exclude_categories=["Cc", "Cs"], include_characters="\t\r\n", exclude_characters="\ufffe\uffff"),
    max_size=200,
).map(lambda text: text if text.strip() else "")


@st.composite
def responses(draw: st.DrawFn) -> Response:
    rater = draw(st.sampled_from(RATERS))
    rating = {item: st.integers(1, 5) for item in range(1, 16)} | {13: st.sampled_from([1, 2, 3, 4, 5, NA])}
    status = draw(st.sampled_from(response.STATUSES))
    whole = status in ("completed", "amended")
    answered = range(1, 16) if whole else sorted(draw(st.sets(st.integers(1, 15))))
    return Response(
        rater=rater,
        status=status,
        ratings={item: draw(rating[item]) for item in answered},
        comment=draw(_COMMENT),
        identifier=draw(st.sampled_from(["", urn(1)])),
        id=draw(st.from_regex(r"\A[A-Za-z0-9-]{0,64}\Z")),
        version_id="",
        patient="anna",
        source="Patient/anna" if rater == "client" else draw(st.sampled_from(["", "Practitioner/1"])),
        author=draw(st.sampled_from(["", "Patient/anna", "PractitionerRole/9"])),
        encounter=draw(st.sampled_from(["", "Encounter/3"])),
        measured=draw(MOMENTS),
        authored=draw(MOMENTS),
        language=draw(st.sampled_from(["en", "nb"])),
        questionnaire=scale(rater).canonical,
    )


# What may stand in a question, its answer or the answer's coding beside what we write, or instead of it.
_ODD: Mapping[str, list[Any]] = {
    "modifierExtension": [[{"url": "http://x"}]],
    "item": [[], [{"linkId": "07"}]],
    "linkId": ["07", "comment", "16", 7],
    "answer": [[], {}, [{"valueInteger": 3}], [{"valueCoding": {"code": "06-3"}}] * 2],
    "valueString": ["3"],
    "_valueCoding": [{}],
    "extension": [[], [{"url": "http://x"}]],
    "text": ["other words"],
    "system": ["http://other.example", None, 1],
    "code": ["06-3", "07-3", "13-na", "06-9", None, ["06-3"]],
    "version": ["9"],
    "id": ["a"],
}


@st.composite
def oddly_answered(draw: st.DrawFn) -> Any:
    """A sound response of which one question, its answer or that answer's coding has something odd."""
    answered = [each for each in SOUND["response"] if each["item"][0]["linkId"] == "imr"]
    resource = deepcopy(draw(st.sampled_from(answered)))
    question = draw(st.sampled_from(resource["item"][0]["item"]))
    answer = question["answer"][0]
    place = draw(st.sampled_from([question, answer, answer["valueCoding"]]))
    name = draw(st.sampled_from(sorted(_ODD)))
    place[name] = deepcopy(draw(st.sampled_from(_ODD[name])))
    return resource


def outcome(raw: Any) -> object:
    try:
        return response.from_resource(raw, patient="anna")
    except ResourceError as fault:
        return fault.message


@no_deadline
@given(oddly_answered() | damaged("response"))
def test_an_answer_that_is_read_in_one_look_says_what_it_says_read_with_care(raw: Any) -> None:
    in_one_look = outcome(raw)
    with patch.object(answers, "_plain", return_value=None):
        assert outcome(raw) == in_one_look


@no_deadline
@given(responses())
def test_what_is_written_is_read_as_it_was(said: Response) -> None:
    resource = response.to_resource(said, filing="f")
    read = response.from_resource(resource, patient="anna")
    assert replace(read, version_id="") == said
    assert bool(read.version_id) == bool(said.id), "of what is stored without a version, a digest stands for it"
    assert response.from_resource(read_json(write_json(resource)), patient="anna") == read


@no_deadline
@given(responses().filter(lambda said: said.status != "in-progress"))
def test_the_score_keeps_every_rating_and_has_a_value_only_when_complete(said: Response) -> None:
    resource = observation.score_observation(said, response_reference="", urn=urn(5), filing="f")
    stored = observation.from_resource(resource, patient="anna")
    assert stored.ratings == said.ratings
    value = resource.get("valueQuantity", {}).get("value")
    if said.complete:
        assert isinstance(value, Decimal)
        assert 1 <= value <= 5
    elif said.status == "stopped":
        assert value is None
    assert ("valueQuantity" in resource) != ("dataAbsentReason" in resource)
