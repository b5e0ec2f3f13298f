"""The FHIR validator finds no error in any kind of resource that the app files, with our profiles and without."""

import pytest

from tests.filed import every_resource
from tests.validator import Validator


@pytest.mark.validator
@pytest.mark.parametrize("profile", [True, False])
def test_the_validator_finds_nothing_wrong(fhir_validator: Validator, profile: bool) -> None:
    found = {name: fhir_validator.validate(resource) for name, resource in every_resource(profile=profile)}
    assert {name: faults for name, faults in found.items() if faults} == {}
