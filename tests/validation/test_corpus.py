"""Good responses are called good, broken ones broken with the finding of what was broken: as the FHIR validator does,
and where it sees nothing."""

from collections import Counter

import pytest

from imr_fhir.ehr.json_reader import read_json
from imr_fhir.ehr.json_writer import write_json
from imr_fhir.validation.judge import Verdict, judge
from tests.test_profiles import BREAKS, EXAMPLES, broken
from tests.validation.corpus import Case, broken_responses, good_responses
from tests.validation.mutations import MUTATIONS, VALIDATOR_MISSES
from tests.validator import Validator

GOOD, BROKEN = list(good_responses()), list(broken_responses())


def verdict(resource: dict[str, object]) -> Verdict:
    """As of what is read from a file."""
    found: Verdict = judge(read_json(write_json(resource)))
    return found


def called_broken(case: Case) -> bool:
    return any(fault.severity == "error" for fault in verdict(case.resource).faults)


def test_there_are_enough_of_each() -> None:
    assert len(GOOD) >= 300
    assert len(BROKEN) >= 300
    assert {case.mutation for case in BROKEN} == set(MUTATIONS)
    assert Counter(case.resource["status"] for case in GOOD).keys() >= {"completed", "amended", "stopped"}


def test_good_responses_are_good() -> None:
    assert {case.name: found for case in GOOD if (found := verdict(case.resource)) != Verdict(True)} == {}


@pytest.mark.parametrize("mutation", MUTATIONS)
def test_what_was_broken_is_found(mutation: str) -> None:
    for case in BROKEN:
        if case.mutation == mutation:
            found = [fault.code for fault in verdict(case.resource).faults if fault.severity == "error"]
            assert case.code in found, case.name


def test_each_finding_says_what_and_what_next() -> None:
    for case in BROKEN:
        for fault in verdict(case.resource).faults:
            assert fault.message.endswith("."), fault
            assert fault.next_step, fault


@pytest.mark.parametrize("example", EXAMPLES)
def test_examples_are_good(example: str) -> None:
    assert verdict(EXAMPLES[example]) == Verdict(True)


@pytest.mark.parametrize(("example", "path", "to", "named"), BREAKS, ids=lambda v: v if isinstance(v, str) else "")
def test_what_a_profile_refuses_is_refused(example: str, path: str, to: object, named: str) -> None:
    """Each row of what the FHIR validator must refuse; what breaks an invariant is found under its key, or where a
    code that does not exist breaks it, under that."""
    found = {fault.code for fault in verdict(broken(example, path, to)).faults if fault.severity == "error"}
    assert found
    if named.startswith("imr-") and named[-1].isdigit():
        assert found & {named, "unknown-code"}


@pytest.mark.validator
def test_the_validator_calls_the_same_good(fhir_validator: Validator) -> None:
    assert {case.name: found for case in GOOD if (found := fhir_validator.validate(case.resource))} == {}


@pytest.mark.validator
def test_what_the_validator_calls_broken_is_called_broken(fhir_validator: Validator) -> None:
    by_it = {case.mutation for case in BROKEN if refused(fhir_validator, case)}
    assert by_it == MUTATIONS.keys() - VALIDATOR_MISSES
    assert [case.name for case in BROKEN if not called_broken(case)] == []


def refused(validator: Validator, case: Case) -> bool:
    try:
        return bool(validator.validate(case.resource))
    except RuntimeError:  # it falls over some shapes
        return True
