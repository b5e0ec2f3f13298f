"""`imr-fhir validate` on 10,000 responses, beside what the JSON parser and the FHIR models library take."""

import io
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import replace

from fhir.resources.R4B import get_fhir_model_class

from benchmarks.measure import Line
from benchmarks.rules import response
from imr_fhir.ehr.json_writer import write_json
from imr_fhir.response import to_resource
from imr_fhir.validation.sources import STDIN, texts
from imr_fhir.validation.validate import Tally, validate

RESPONSES = 10_000
BROKEN = 100  # of them, each in one place: their lines are looked up too
SAMPLE = 500  # for the library, which takes too long for all
GOAL = 10  # seconds


def lines() -> Iterator[Line]:
    given = [_line(number) for number in range(RESPONSES)]
    size = sum(map(len, given)) / RESPONSES / 1000
    seconds, tally = _validated(b"\n".join(given))
    assert (tally.good.total(), tally.broken.total()) == (RESPONSES - BROKEN, BROKEN), tally
    yield Line(
        f"validate, {RESPONSES:,} responses of {size:.1f} kB, {BROKEN} of them broken: CPU time",
        f"{seconds:.1f} s on one core",
        f"under {GOAL} s",
        seconds < GOAL,
    )
    sample = given[:SAMPLE]
    ours, _ = _validated(b"\n".join(sample))
    model = get_fhir_model_class("QuestionnaireResponse")
    parsing = _seconds(lambda: [json.loads(each) for each in sample])
    models = _seconds(lambda: [model.model_validate_json(each) for each in sample])
    yield Line(
        f"the same for {SAMPLE}, beside the JSON parser and the FHIR models library, which checks structure only",
        f"{ours / parsing:.1f} times json, {ours / models:.2f} times fhir.resources",
        "faster than the library",
        ours < models,
    )


def _line(number: int) -> bytes:
    found = response(number % 1_000, "client" if number % 2 else "clinician")  # all within a lifetime
    urn = f"urn:uuid:6566f1e9-c964-482e-b11d-{number:012}"
    resource = to_resource(replace(found, identifier=urn), filing="0e4f7b65-f185-469c-aaf2-8c3fae59ef17")
    if number % (RESPONSES // BROKEN) == 0:
        resource["item"][0]["item"][6]["answer"][0]["valueCoding"]["display"] = "Other words"
    return write_json(resource)


def _validated(given: bytes) -> tuple[float, Tally]:
    tally = Tally()

    def work() -> None:
        nonlocal tally
        tally = Tally()
        for _ in validate(texts([STDIN], io.BytesIO(given)), tally):
            pass

    return _seconds(work), tally


def _seconds(work: Callable[[], object]) -> float:
    """CPU time of one run after one on which everything is looked up and remembered."""
    work()
    begun = time.process_time()
    work()
    return time.process_time() - begun
