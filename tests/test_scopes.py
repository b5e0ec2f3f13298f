"""Scopes of v1 and v2: what they allow, what we ask for, and the write plan made of them."""

from typing import Any

import pytest

from imr_fhir.ehr.capability import write_plan
from imr_fhir.ehr.scopes import NEEDED, SURVEY, WRITTEN, granted, to_ask

ALL = "cruds"


@pytest.mark.parametrize(
    ("scope", "resource", "allowed"),
    [
        # v1
        ("patient/Observation.read", "Observation", "rs"),
        ("user/Observation.write", "Observation", "cud"),
        ("patient/Observation.*", "Observation", ALL),
        ("patient/*.read", "Goal", "rs"),
        ("user/*.*", "Goal", ALL),
        # v2
        ("patient/Observation.rs", "Observation", "rs"),
        ("patient/Observation.c", "Observation", "c"),
        ("patient/Observation.cruds", "Observation", ALL),
        ("system/*.cruds", "Goal", ALL),
        ("patient/*.cu", "Goal", "cu"),
        # limited by a query: ours are surveys and nothing else
        (f"patient/Observation.rs?category={SURVEY}", "Observation", "rs"),
        ("patient/Observation.c?category=survey", "Observation", "c"),
        ("patient/Observation.rs?category=laboratory", "Observation", ""),
        (f"patient/Observation.rs?category={SURVEY}&status=final", "Observation", ""),
        ("patient/Observation.rs?category", "Observation", ""),
        ("patient/Observation.rs?status=survey", "Observation", ""),
        ("patient/Goal.rs?category=survey", "Goal", ""),
        # not for this
        ("patient/Observation.cruds", "Goal", ""),
        ("Observation.read", "Observation", ""),
        ("openid", "Observation", ""),
        ("patient/Observation.", "Observation", ""),
        ("patient/Observation.sr", "Observation", ""),  # v2 has one order only
        ("patient/Observation.readwrite", "Observation", ""),
        ("group/Observation.read", "Observation", ""),
        ("patient/observation.read", "Observation", ""),
        ("xpatient/Observation.read", "Observation", ""),
    ],
)
def test_what_a_scope_allows(scope: str, resource: str, allowed: str) -> None:
    assert "".join(letter for letter in ALL if granted(["launch", scope], resource, letter)) == allowed


def test_no_scope_allows_nothing() -> None:
    assert not granted([], "Observation", "r")


@pytest.mark.parametrize("capabilities", [("permission-v2",), ("permission-v1",), ()])
def test_what_we_ask_for_is_enough(capabilities: tuple[str, ...]) -> None:
    asked = to_ask(capabilities)
    assert {"openid", "fhirUser", "launch"} <= set(asked)
    for need in NEEDED:
        assert all(granted(asked, need.resource, letter) for letter in need.operations), need
    words = {scope.rpartition(".")[2] for scope in asked if "/" in scope}
    assert (words <= {"read", "write"}) == ("permission-v2" not in capabilities)


def test_what_documents_hold_is_asked_for_where_they_are_filed() -> None:
    assert set(to_ask([])) - set(to_ask([], documents=False)) == {"patient/Binary.read"}


@pytest.mark.parametrize(
    "configured", ["", "launch openid patient/*.rs", "launch/patient openid patient/*.rs", "openid"]
)
def test_standalone_the_ehr_is_asked_for_a_patient_instead_of_a_launch(configured: str) -> None:
    asked = to_ask(["permission-v2"], configured=configured, standalone=True)
    assert asked.count("launch/patient") == 1
    assert "launch" not in asked
    assert set(asked) - {"launch/patient"} == set(to_ask(["permission-v2"], configured=configured)) - {
        "launch",
        "launch/patient",
    }


def test_a_site_s_own_scopes_are_asked_for_as_they_are() -> None:
    assert to_ask(["permission-v2"], configured="launch patient/*.rs") == ("launch", "patient/*.rs")


def test_no_right_is_asked_for_that_we_do_not_need() -> None:
    assert not any(granted(to_ask(()), resource, "u") for resource in ("Patient", "EpisodeOfCare", "Questionnaire"))
    assert not any(granted(to_ask(["permission-v2"]), need.resource, "d") for need in NEEDED)


@pytest.mark.parametrize(
    ("capabilities", "asked"),
    [
        ((), set()),
        (("permission-online",), {"online_access"}),
        (("permission-offline",), {"offline_access"}),
        (("permission-offline", "permission-online"), {"online_access"}),
    ],
)
def test_a_refresh_token_only_where_it_is_offered(capabilities: tuple[str, ...], asked: set[str]) -> None:
    assert {scope for scope in to_ask(capabilities) if scope.endswith("_access")} == asked


# The write plan


def statement(**change: Any) -> dict[str, Any]:
    resource = {"interaction": [{"code": "create"}, {"code": "update"}], "conditionalCreate": True}
    rest = {
        "mode": "server",
        "interaction": [{"code": "transaction"}],
        "resource": [{"type": written, **resource} for written in WRITTEN],
        **change,
    }
    return {"resourceType": "CapabilityStatement", "rest": [{"mode": "client"}, rest]}


EVERYTHING = ("user/*.cruds",)


def test_a_server_that_takes_all() -> None:
    plan = write_plan(statement(), EVERYTHING)
    assert (plan.transaction, plan.conditional_create, plan.versioned) == (True, True, True)
    assert all(plan.may(written, operation) for written in WRITTEN for operation in ("create", "update"))


@pytest.mark.parametrize(
    ("capabilities", "scopes", "reasons"),
    [
        (statement(), ("patient/Goal.c",), {("Goal", "create"): "", ("Goal", "update"): "no-scope"}),
        (statement(), ("patient/*.read",), {("Goal", "create"): "no-scope"}),
        (
            statement(resource=[{"type": "Goal", "interaction": [{"code": "update"}]}]),
            EVERYTHING,
            {("Goal", "create"): "not-offered", ("Goal", "update"): "", ("Observation", "create"): "not-offered"},
        ),
        ({"resourceType": "CapabilityStatement"}, EVERYTHING, {("Goal", "create"): "not-offered"}),
        ({"rest": [7, {"mode": "server", "resource": [7]}]}, EVERYTHING, {("Goal", "create"): "not-offered"}),
        ({"rest": "none", "resourceType": "CapabilityStatement"}, EVERYTHING, {("Goal", "create"): "not-offered"}),
        (statement(), EVERYTHING, {("Patient", "create"): "not-offered"}),
    ],
)
def test_why_something_is_not_written(
    capabilities: dict[str, Any], scopes: tuple[str, ...], reasons: dict[tuple[str, str], str]
) -> None:
    plan = write_plan(capabilities, scopes)
    assert {key: plan.reason(*key) for key in reasons} == reasons  # type: ignore[arg-type]


def test_no_transaction_and_no_conditional_create() -> None:
    without = {"type": "Goal", "interaction": [{"code": "create"}]}
    plan = write_plan(statement(interaction=[{"code": "search-system"}], resource=[without]), EVERYTHING)
    assert (plan.transaction, plan.conditional_create) == (False, False)
