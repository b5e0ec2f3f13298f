"""Where the sandbox and HAPI differ, and why; each is checked like the rest."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Difference:
    sandbox: str
    hapi: str
    why: str


STALE = "R4 (http.html#concurrency) says 412 for a stale If-Match; HAPI says 409: a client reads both as a conflict"
LOCATION = "R4 (http.html#upsert) demands a Location where an update creates; HAPI leaves it out"
STRICTER = "the sandbox is the stricter one: what is not R4 is found here before a hospital finds it"
PRECISE = "R4 (search.html#prefix): ge and le hold for what lies inside the value; HAPI asks for the whole month"
NAMED = "R4 lets a server ignore what it does not know; the sandbox names it, so that nobody believes it was heard"

# The resources that they answer, as ``side.answer`` writes them.
_CODE = '"code": {"coding": [{"code": "a", "system": "urn:c"}, {"code": "b", "system": "urn:c"}]}'
_ID_P = '"identifier": [{"system": "urn:o", "value": "{RUN}-put"}]'
_WHEN = '"effectiveDateTime": "2026-03-05T10:00:00+01:00"'
_TYPE, _STATUS = '"resourceType": "Observation"', '"status": "final"'
_OF_P, _OF_Q = (f'"subject": {{"reference": "Patient/{{{name}}}"}}' for name in "PQ")
_PERSON = 'W/"1" {"resourceType": "Patient"}'
_PUT = f'W/"1" {{{_CODE}, {_WHEN}, {_ID_P}, {_TYPE}, {_STATUS}, {_OF_P}}}'
_FORM = (
    'W/"1" {"resourceType": "Questionnaire", "status": "active", "url": "https://x.example/q/{RUN}", "version": "%s"}'
)


def _taken(*parts: str) -> str:
    return f'201 at Observation/{{id}}/_history/1 W/"1" {{{", ".join(parts)}}}'


DIFFERENCES = {
    "stale update": Difference("412 problem", "409 problem", STALE),
    "transaction with a stale update": Difference("412 problem", "409 problem", STALE),
    "update of what is not there, with If-Match": Difference(
        "412 problem", f"201 {_PERSON}", "no version can match what is not there; HAPI makes it"
    ),
    "update as create": Difference(f"201 at Patient/{{id}}/_history/1 {_PERSON}", f"201 {_PERSON}", LOCATION),
    "conditional update that makes": Difference(
        f"201 at Observation/{{id}}/_history/1 {_PUT}", f"201 {_PUT}", LOCATION
    ),
    **{
        f"form {version}": Difference(
            f"201 at Questionnaire/{{id}}/_history/1 {_FORM % version}", f"201 {_FORM % version}", LOCATION
        )
        for version in ("1.0", "2.0")
    },
    "missing status": Difference("400 problem", _taken(_CODE, _TYPE, _OF_Q), STRICTER),
    "unknown element": Difference("400 problem", _taken(_CODE, _TYPE, _STATUS, _OF_Q), STRICTER),
    "missing contained": Difference(
        "400 problem", _taken(_CODE, '"performer": [{"reference": "#x"}]', _TYPE, _STATUS, _OF_Q), STRICTER
    ),
    "one name twice": Difference("400 problem", _taken('"code": {"text": "x"}', _TYPE, _STATUS, _OF_Q), STRICTER),
    "no media type of FHIR": Difference("415 problem", "400 problem", "R4 (http.html#mime-type) says 415"),
    "Observation?date=ge2026-03": Difference("200 searchset; total 8", "200 searchset; total 1", PRECISE),
    "Observation?date=le2026-03": Difference("200 searchset; total 9", "200 searchset; total 2", PRECISE),
    "Observation?_sort=foo": Difference("400 problem", "200 searchset; total 9", NAMED),
    "Observation?code:wrong=a": Difference("400 problem", "200 searchset; total 9", NAMED),
}
