"""Each kind of search parameter with R4's meaning, paging, includes."""

from typing import Any

import pytest

from .conftest import Caller, observation, problem

A, B = {"system": "urn:codes", "code": "a"}, {"system": "urn:codes", "code": "b"}


@pytest.fixture
def record(fhir: Caller, eva: str, tor: str) -> None:
    def put(resource_id: str, patient: str = eva, **more: Any) -> None:
        body = observation(patient, id=resource_id, **more)
        assert fhir("PUT", f"Observation/{resource_id}", body).status_code == 201

    put("o1", effectiveDateTime="2026-03-05T10:00:00+01:00", meta={"tag": [{"system": "urn:tag", "code": "t"}]})
    put("o2", effectiveDateTime="2026-03", code={"coding": [{"code": "a"}]})
    put("o3", effectivePeriod={"start": "2026-02-10", "end": "2026-03-15"}, code={"coding": [A, B]})
    put("o4", status="amended", valueString="Åse's words", identifier=[{"system": "urn:x", "value": "1"}])
    put("other", tor)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", "o1 o2 o3 o4"),
        ("_id=o1,o3", "o1 o3"),
        ("_tag=urn:tag|t", "o1"),
        ("_tag=urn:tag|", "o1"),
        ("code=a", "o1 o2 o3 o4"),
        ("code=urn:codes|a", "o1 o3 o4"),
        ("code=|a", "o2"),
        ("code=urn:codes|", "o1 o3 o4"),
        ("code=urn:codes|b,zzz", "o3"),
        ("code=urn:codes|a&code=urn:codes|b", "o3"),
        ("status=amended", "o4"),
        ("status:not=amended", "o1 o2 o3"),
        ("status=amended,final", "o1 o2 o3 o4"),
        ("identifier=urn:x|1", "o4"),
        ("date=2026-03", "o1 o2"),
        ("date=2026-03-05", "o1"),
        ("date=2026-03-05T09:00:00Z", "o1"),
        ("date=2026-03-05T10:00:00%2B01:00", "o1"),
        ("date=2026-03-05T10:00:00+01:00", "o1"),
        ("date=gt2026-03-05", "o2 o3"),
        ("date=lt2026-03-01", "o3"),
        ("date=ge2026-03", "o1 o2"),
        ("date=le2026-03", "o1 o2 o3"),
        ("date=sa2026-02", "o1 o2"),
        ("date=eb2026-03-16", "o1 o3"),
        ("date=ne2026-03", "o3"),
        ("date=ge2026-03-01&date=le2026-03-05", "o1 o2 o3"),
        ("date:missing=true", "o4"),
        ("date:missing=false", "o1 o2 o3"),
        ("value-string=ase", "o4"),
        ("value-string:exact=Åse's words", "o4"),
        ("value-string:exact=åse's words", ""),
        ("value-string:contains=WORDS", "o4"),
        ("value-string=100%25", ""),
        ("category=", "o1 o2 o3 o4"),
        ("_lastUpdated=ge2026-11-23", "o1 o2 o3 o4"),
        ("_lastUpdated=lt2026-11-23", ""),
        ("_sort=-date", "o1 o2 o3 o4"),
        ("_sort=date", "o3 o2 o1 o4"),
        ("_sort=-_id", "o4 o3 o2 o1"),
    ],
)
def test_meaning(fhir: Caller, record: None, query: str, found: str) -> None:
    ids = fhir.ids(f"Observation?patient=eva&{query}")
    assert (ids if "_sort" in query else sorted(ids)) == found.split()


@pytest.mark.parametrize(
    "who",
    [
        "patient=eva",
        "patient=Patient/eva",
        "subject=eva",
        "subject:Patient=eva",
        "patient=http://localhost/fhir/Patient/eva",
    ],
)
def test_ways_to_name_the_patient(fhir: Caller, record: None, who: str) -> None:
    assert sorted(fhir.ids(f"Observation?{who}")) == ["o1", "o2", "o3", "o4"]


def test_questionnaire_by_url_with_and_without_version(fhir: Caller, eva: str) -> None:
    for resource_id, canonical in (
        ("r1", "https://x.org/q|1.0"),
        ("r2", "https://x.org/q|2.0"),
        ("r3", "https://x.org/q"),
    ):
        body = {
            "resourceType": "QuestionnaireResponse",
            "id": resource_id,
            "status": "completed",
            "questionnaire": canonical,
        }
        assert fhir("PUT", f"QuestionnaireResponse/{resource_id}", body).status_code == 201
    path = "QuestionnaireResponse?questionnaire="
    assert sorted(fhir.ids(f"{path}https://x.org/q")) == ["r1", "r2", "r3"]
    assert fhir.ids(f"{path}https://x.org/q|2.0") == ["r2"]
    assert fhir.ids(f"{path}https://x.org/q|1.0,https://x.org/q|2.0") == ["r1", "r2"]
    assert fhir.ids(f"{path}https://x.org/q|3.0") == []


def test_patients_by_name_birth_date_and_number(fhir: Caller) -> None:
    body = {
        "resourceType": "Patient",
        "id": "p",
        "birthDate": "1988-04-12",
        "name": [{"family": "Østby", "given": ["Åse"]}],
    }
    assert fhir("PUT", "Patient/p", {**body, "identifier": [{"system": "urn:n", "value": "7"}]}).status_code == 201
    for query in ("name=åse", "name=ase", "family=øst", "birthdate=1988-04-12", "birthdate=1988", "identifier=7"):
        assert fhir.ids(f"Patient?{query}") == ["p"], query
    assert fhir.ids("Patient?birthdate=gt1988") == []


@pytest.mark.parametrize(
    "query",
    [
        "foo=1",
        "foo=",
        "code:in=x",
        "date=2026-13",
        "date=ap2026",
        "_count=x",
        "_sort=foo",
        "_include=Observation:foo",
        "_summary=text",
    ],
)
def test_what_is_not_offered_is_refused_by_name(fhir: Caller, query: str) -> None:
    reply = fhir("GET", f"Observation?{query}")
    assert reply.status_code == 400
    assert query.split("=")[0].split(":")[0].strip("_") in problem(reply) or query.split("=")[1] in problem(reply)


def test_paging_holds_still_and_its_links_are_opaque(fhir: Caller, record: None) -> None:
    first = fhir.get("Observation?patient=eva&_count=3&_total=accurate")
    (following,) = [link["url"] for link in first["link"] if link["relation"] == "next"]
    assert "eva" not in following
    fhir.create(observation("eva"))
    second = fhir.get(following.removeprefix("http://localhost/fhir").lstrip("/"))
    ids = [each["resource"]["id"] for page in (first, second) for each in page["entry"]]
    assert ids == ["o1", "o2", "o3", "o4"]
    assert first["total"] == 4
    assert [link["relation"] for link in second["link"]] == ["self"]
    assert fhir("GET", "?_page=unknown.3").status_code == 410


def test_counting(fhir: Caller, record: None) -> None:
    counted = fhir.get("Observation?patient=eva&_summary=count")
    assert (counted["total"], "entry" in counted) == (4, False)
    assert "total" not in fhir.get("Observation?patient=eva")
    assert "entry" not in fhir.get("Observation?code=zzz")


def test_post_search(fhir: Caller, record: None) -> None:
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    reply = fhir("POST", "Observation/_search", "patient=eva&code=urn%3Acodes%7Cb", form)
    assert (reply.status_code, '"id":"o3"' in reply.text, '"id":"o1"' in reply.text) == (200, True, False)
    assert fhir("POST", "Observation/_search", "{}").status_code == 415


def test_include_and_revinclude(fhir: Caller, record: None) -> None:
    provenance = {
        "resourceType": "Provenance",
        "target": [{"reference": "Observation/o1"}],
        "recorded": "2026-03-05T10:00:00Z",
        "agent": [{"who": {"reference": "Patient/eva"}}],
    }
    fhir.create(provenance)
    found = fhir.get("Observation?_id=o1&_include=Observation:subject&_revinclude=Provenance:target")
    modes = [(each["resource"]["resourceType"], each["search"]["mode"]) for each in found["entry"]]
    assert modes == [("Observation", "match"), ("Patient", "include"), ("Provenance", "include")]
