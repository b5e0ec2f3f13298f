"""The sandbox's FHIR side and HAPI FHIR, asked the same: a fake that is not like the real thing proves nothing."""

from collections.abc import Iterator

import pytest

from smart_app.sandbox import HospitalConfig, running_hospital

from .differences import DIFFERENCES
from .side import Side, remove
from .steps import STEPS

pytestmark = pytest.mark.hapi


@pytest.fixture(scope="module")
def answers(hapi_base: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, tuple[str, str]]]:
    """What the sandbox and HAPI said to each step."""
    path = tmp_path_factory.mktemp("like-hapi") / "hospital.sqlite"
    with running_hospital(HospitalConfig(path, seed=())) as hospital:
        token = hospital.hospital.access_token("system/*.cruds")
        sandbox = Side(hospital.fhir_base, {"Authorization": f"Bearer {token}"})
        hapi = Side(hapi_base, {})
        yield {step.name: (sandbox.run(step), hapi.run(step)) for step in STEPS}
        remove(hapi)


@pytest.mark.parametrize("name", [step.name for step in STEPS])
def test_the_same(answers: dict[str, tuple[str, str]], name: str) -> None:
    sandbox, hapi = answers[name]
    if difference := DIFFERENCES.get(name):
        assert (sandbox, hapi) == (difference.sandbox, difference.hapi), difference.why
    else:
        assert sandbox == hapi


def test_each_difference_is_of_a_step() -> None:
    assert DIFFERENCES.keys() <= {step.name for step in STEPS}
    assert len({step.name for step in STEPS}) == len(STEPS)
