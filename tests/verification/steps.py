"""What the sandbox and HAPI are both asked, in this order."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .searches import SEARCHES

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
U = "urn:uuid:11111111-1111-4111-8111-111111111111"
V = "urn:uuid:22222222-2222-4222-8222-222222222222"


@dataclass(frozen=True)
class Step:
    """One request. ``{RUN}`` stands for this run, ``{P}`` for an id that an earlier step kept."""

    name: str
    method: str
    path: str
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    keep: str = ""


def patient(**more: Any) -> dict[str, Any]:
    number = {"system": "urn:n", "value": "{RUN}"}
    name = [{"family": "Ås", "given": ["Eva"]}]
    return {"resourceType": "Patient", "identifier": [number], "name": name, "birthDate": "1980-01-01", **more}


def observation(number: str = "", **more: Any) -> dict[str, Any]:
    body = {
        "resourceType": "Observation",
        "status": "final",
        "code": {"coding": [{"system": "urn:c", "code": "a"}, {"system": "urn:c", "code": "b"}]},
        "subject": {"reference": "Patient/{P}"},
        "effectiveDateTime": "2026-03-05T10:00:00+01:00",
        **more,
    }
    return {**body, "identifier": [{"system": "urn:o", "value": "{RUN}-" + number}]} if number else body


def entry(resource: Mapping[str, Any], method: str = "POST", url: str = "", full_url: str = "", **more: str) -> Any:
    made = {"resource": resource, "request": {"method": method, "url": url or resource["resourceType"], **more}}
    return {"fullUrl": full_url, **made} if full_url else made


def bundle(*entries: Any, kind: str = "transaction") -> dict[str, Any]:
    return {"resourceType": "Bundle", "type": kind, "entry": list(entries)}


def response(version: str) -> dict[str, Any]:
    return {
        "resourceType": "QuestionnaireResponse",
        "status": "completed",
        "questionnaire": "https://x.example/q/{RUN}" + version,
        "subject": {"reference": "Patient/{P}"},
        "authored": "2026-03-05T10:00:00+01:00",
    }


PROVENANCE = {
    "resourceType": "Provenance",
    "target": [{"reference": U}],
    "recorded": "2026-03-05T10:00:00Z",
    "agent": [{"who": {"reference": "Patient/{P}"}}],
    "meta": {"tag": [{"system": "urn:t", "code": "{RUN}"}]},
}
FILING = bundle(
    entry(PROVENANCE, full_url=V, ifNoneExist="_tag=urn:t|{RUN}"),
    entry(observation("filed"), full_url=U, ifNoneExist="identifier=urn:o|{RUN}-filed"),
)
MATCH = {"If-None-Exist": "identifier=urn:n|{RUN}"}
CHANGED = patient(id="{P}", active=True)

# What HAPI alone takes goes to another patient, so that searches find the same on both.
LENIENT = observation(subject={"reference": "Patient/{Q}"}, effectiveDateTime=None)

STEPS = (
    Step("create", "POST", "Patient", patient(), keep="P"),
    Step("read", "GET", "Patient/{P}"),
    Step("conditional create that matches", "POST", "Patient", patient(active=True), MATCH),
    Step(
        "conditional create that matches nothing",
        "POST",
        "Patient",
        patient(active=False),
        {"If-None-Exist": "identifier=urn:n|{RUN}&active=false"},
    ),
    Step("conditional create that matches two", "POST", "Patient", patient(), MATCH),
    Step("conditional create by an unknown parameter", "POST", "Patient", patient(), {"If-None-Exist": "foo=1"}),
    Step("minimal create", "POST", "Patient", {"resourceType": "Patient"}, {"Prefer": "return=minimal"}, keep="Q"),
    Step("create with an id", "POST", "Patient", {"resourceType": "Patient", "id": "mine"}),
    Step("update", "PUT", "Patient/{P}", CHANGED, {"If-Match": 'W/"1"'}),
    Step("update that changes nothing", "PUT", "Patient/{P}", CHANGED),
    Step("stale update", "PUT", "Patient/{P}", patient(id="{P}"), {"If-Match": 'W/"1"'}),
    Step(
        "update of what is not there, with If-Match",
        "PUT",
        "Patient/{RUN}-c",
        {"resourceType": "Patient", "id": "{RUN}-c"},
        {"If-Match": 'W/"1"'},
    ),
    Step("update as create", "PUT", "Patient/{RUN}-d", {"resourceType": "Patient", "id": "{RUN}-d"}),
    Step("update with another id", "PUT", "Patient/{P}", patient(id="other")),
    Step("update without id", "PUT", "Patient/{P}", patient()),
    Step("conditional update that makes", "PUT", "Observation?identifier=urn:o|{RUN}-put", observation("put")),
    Step(
        "conditional update that changes",
        "PUT",
        "Observation?identifier=urn:o|{RUN}-put",
        observation("put", status="amended"),
    ),
    Step("history", "GET", "Patient/{P}/_history"),
    Step("vread", "GET", "Patient/{P}/_history/1"),
    Step("vread of no version", "GET", "Patient/{P}/_history/9"),
    Step("read of nothing", "GET", "Patient/nobody-{RUN}"),
    Step("unknown type", "GET", "Nonsense/1"),
    Step("unknown type created", "POST", "Nonsense", {"resourceType": "Nonsense"}),
    Step("no type", "GET", ""),
    Step(
        "decimal",
        "POST",
        "Observation",
        json.dumps(observation("one", valueQuantity={"value": 0})).replace("0}", "3.40}"),
        keep="O",
    ),
    Step("decimal read", "GET", "Observation/{O}"),
    Step(
        "month",
        "POST",
        "Observation",
        observation("two", effectiveDateTime="2026-03", code={"coding": [{"code": "a"}]}),
    ),
    Step(
        "period",
        "POST",
        "Observation",
        {
            **observation("three"),
            "effectiveDateTime": None,
            "effectivePeriod": {"start": "2026-02-10", "end": "2026-03-15"},
        },
    ),
    Step("wrong code", "POST", "Observation", observation(status="finall")),
    Step("wrong date", "POST", "Observation", observation(effectiveDateTime="2026-13-45")),
    Step("wrong type", "POST", "Observation", patient()),
    Step("no JSON", "POST", "Observation", "{bad"),
    Step("missing target", "POST", "Observation", observation(subject={"reference": "Patient/nobody-{RUN}"})),
    Step(
        "missing target by condition",
        "POST",
        "Observation",
        observation(subject={"reference": "Patient?identifier=urn:n|{RUN}y"}),
    ),
    Step(
        "target by condition", "POST", "Observation", observation("cond", performer=[{"reference": "Patient?_id={P}"}])
    ),
    Step("target of an unknown type", "POST", "Observation", observation(focus=[{"reference": "Foo/1"}])),
    Step("urn outside a transaction", "POST", "Observation", observation(focus=[{"reference": U}])),
    Step(
        "target elsewhere",
        "POST",
        "Observation",
        observation("else", performer=[{"reference": "http://other.example/fhir/Patient/1"}]),
    ),
    Step(
        "own absolute target",
        "POST",
        "Observation",
        observation("own", performer=[{"reference": "{BASE}/Patient/{P}"}]),
    ),
    Step("missing status", "POST", "Observation", {**LENIENT, "status": None}),
    Step("unknown element", "POST", "Observation", {**LENIENT, "foo": 1}),
    Step("missing contained", "POST", "Observation", {**LENIENT, "performer": [{"reference": "#x"}]}),
    Step(
        "one name twice",
        "POST",
        "Observation",
        '{"resourceType":"Observation","status":"final","status":"final","code":{"text":"x"},"subject":{"reference":"Patient/{Q}"}}',
    ),
    Step("no media type of FHIR", "POST", "Patient", "x", {"Content-Type": "text/plain"}),
    Step("filing", "POST", "", FILING),
    Step("filing again", "POST", "", FILING),
    Step("filed Provenance", "GET", "Provenance?_tag=urn:t|{RUN}"),
    Step(
        "filed Observation",
        "GET",
        "Observation?identifier=urn:o|{RUN}-filed&_revinclude=Provenance:target&_include=Observation:subject",
    ),
    Step(
        "transaction with a missing target",
        "POST",
        "",
        bundle(entry(observation("undone")), entry(observation(subject={"reference": "Patient/nobody-{RUN}"}))),
    ),
    Step("it left nothing", "GET", "Observation?identifier=urn:o|{RUN}-undone&_summary=count"),
    Step(
        "transaction with a stale update",
        "POST",
        "",
        bundle(entry(observation("undone")), entry(patient(id="{P}"), "PUT", "Patient/{P}", ifMatch='W/"1"')),
    ),
    Step("it left nothing either", "GET", "Observation?identifier=urn:o|{RUN}-undone&_summary=count"),
    Step(
        "transaction with an update and a read",
        "POST",
        "",
        bundle(
            entry(patient(id="{P}", active=False), "PUT", "Patient/{P}", ifMatch='W/"2"'),
            {"request": {"method": "GET", "url": "Patient/{P}"}},
        ),
    ),
    Step("transaction with an unresolved urn", "POST", "", bundle(entry(observation(focus=[{"reference": U}])))),
    Step("transaction without a request", "POST", "", bundle({"resource": observation()})),
    Step("transaction with an unknown method", "POST", "", bundle(entry(observation(), "FOO"))),
    Step(
        "transaction with one fullUrl twice",
        "POST",
        "",
        bundle(entry(observation(), full_url=U), entry(observation(), full_url=U)),
    ),
    Step(
        "transaction that updates one twice",
        "POST",
        "",
        bundle(entry(CHANGED, "PUT", "Patient/{P}"), entry(CHANGED, "PUT", "Patient/{P}")),
    ),
    Step("empty transaction", "POST", "", {"resourceType": "Bundle", "type": "transaction"}),
    Step(
        "batch",
        "POST",
        "",
        bundle(
            entry(observation("batch")),
            entry(observation(subject={"reference": "Patient/nobody-{RUN}"})),
            {"request": {"method": "GET", "url": "Patient/{P}"}},
            {"request": {"method": "GET", "url": "Observation?identifier=urn:o|{RUN}-one"}},
            kind="batch",
        ),
    ),
    Step("collection", "POST", "", bundle(kind="collection")),
    Step(
        "form 1.0",
        "PUT",
        "Questionnaire/{RUN}-1.0",
        {
            "resourceType": "Questionnaire",
            "id": "{RUN}-1.0",
            "status": "active",
            "url": "https://x.example/q/{RUN}",
            "version": "1.0",
        },
    ),
    Step(
        "form 2.0",
        "PUT",
        "Questionnaire/{RUN}-2.0",
        {
            "resourceType": "Questionnaire",
            "id": "{RUN}-2.0",
            "status": "active",
            "url": "https://x.example/q/{RUN}",
            "version": "2.0",
        },
    ),
    Step("forms by url", "GET", "Questionnaire?url=https://x.example/q/{RUN}&_summary=count"),
    Step("form by url and version", "GET", "Questionnaire?url=https://x.example/q/{RUN}&version=2.0&_summary=count"),
    Step("response to 1.0", "POST", "QuestionnaireResponse", response("|1.0")),
    Step("response to 2.0", "POST", "QuestionnaireResponse", response("|2.0")),
    Step("response to no version", "POST", "QuestionnaireResponse", response("")),
    Step("search by name", "GET", "Patient?identifier=urn:n|{RUN}&name=as&_summary=count"),
    Step("search by exact name", "GET", "Patient?identifier=urn:n|{RUN}&family:exact=Ås&_summary=count"),
    Step("search by birth date", "GET", "Patient?identifier=urn:n|{RUN}&birthdate=1980-01-01&_summary=count"),
    Step("search by POST", "POST", "Patient/_search", "identifier=urn:n%7C{RUN}&_summary=count", FORM),
    Step("first page", "GET", "Observation?patient={P}&_count=2&_total=accurate"),
    Step(
        "sorted",
        "GET",
        "Observation?patient={P}&identifier=urn:o|{RUN}-one,urn:o|{RUN}-two,urn:o|{RUN}-three&_sort=date",
    ),
    Step(
        "sorted backwards",
        "GET",
        "Observation?patient={P}&identifier=urn:o|{RUN}-one,urn:o|{RUN}-two,urn:o|{RUN}-three&_sort=-date",
    ),
    *(
        Step(f"{kind}?{query}", "GET", f"{kind}?patient={{P}}&_summary=count&{query}")
        for kind, queries in SEARCHES.items()
        for query in queries
    ),
)
