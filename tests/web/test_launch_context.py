"""What the EHR says with a token besides the patient, in each way that SMART has had for it."""

from typing import Any
from urllib.parse import urlsplit

import pytest

from imr_fhir.ehr.fhir_context import context_items
from imr_fhir.ehr.scopes import NEEDED, Need, granted
from smart_app.plan import plan_from
from tests.flows.steps import say, text
from tests.running import Browser, Chart, Running, log_in
from tests.web.steps import record_of, titled

ENCOUNTER = {"reference": "Encounter/visit-1"}


@pytest.mark.parametrize(
    ("told", "encounter"),
    [
        ({"fhir_context": ("Encounter/visit-1",)}, "visit-1"),  # SMART 2.0
        ({"fhir_context": (ENCOUNTER,)}, "visit-1"),  # from 2.1
        ({"fhir_context": ({**ENCOUNTER, "role": "launch"},)}, "visit-1"),
        ({"fhir_context": ("Goal/g", {"canonical": "urn:x"}, {"identifier": {"value": "1"}}, ENCOUNTER)}, "visit-1"),
        ({"fhir_context": ("{fhir}/Encounter/visit-1",)}, "visit-1"),
        ({"fhir_context": (ENCOUNTER, "Encounter/visit-1")}, "visit-1"),
        ({"fhir_context": ({**ENCOUNTER, "role": "https://ehr.example/earlier"},)}, ""),
        ({"fhir_context": ("Encounter/visit-1", "Encounter/visit-2")}, ""),  # nothing says which
        ({"fhir_context": ("https://elsewhere.example/fhir/Encounter/visit-1",)}, ""),
        ({"fhir_context": ("Encounter/../Patient/x", 7, None, {"reference": 7}, {**ENCOUNTER, "role": 7})}, ""),
        ({"fhir_context": ("Encounter/visit-1",), "encounter": "visit-2"}, "visit-2"),
        ({}, ""),
    ],
)
def test_the_encounter(run: Running, told: dict[str, Any], encounter: str) -> None:
    if "fhir_context" in told:
        items = told["fhir_context"]
        told["fhir_context"] = tuple(i.format(fhir=run.site.iss) if isinstance(i, str) else i for i in items)
    assert record_of(run, log_in(run, **told)).context.encounter == encounter


@pytest.mark.parametrize("said", ["Encounter/1", {"reference": "Encounter/1"}, 7, None, [[]], [None]])
def test_a_fhir_context_that_is_none_stops_nobody(said: object) -> None:
    assert context_items(said) == ()


@pytest.mark.parametrize(
    ("intent", "user", "path"),
    [
        ("imr-client", "Practitioner/kari", "give"),
        ("imr-goal", "Practitioner/kari", "goal/new"),
        ("imr-today", "Practitioner/kari", "today"),
        ("imr-together", "Practitioner/kari", "together"),
        ("summary-timeline-view", "Practitioner/kari", ""),
        ("../../elsewhere", "Practitioner/kari", ""),
        ("", "Practitioner/kari", ""),
        ("imr-goal", "RelatedPerson/x", ""),  # no page that a reader may not open
    ],
)
def test_an_intent_leads_to_its_page_and_an_unknown_one_to_the_panel(
    run: Running, intent: str, user: str, path: str
) -> None:
    chart = log_in(run, intent=intent, user=user)
    assert urlsplit(chart.url).path.split("/", 3)[3] == path


def test_the_name_stands_on_the_page_also_where_the_ehr_shows_its_own_banner(run: Running) -> None:
    """Two charts in two tabs are told apart by it, and paper has no banner."""
    assert "Eva Berg" in log_in(run, need_patient_banner=False).page.text


def test_the_tenant_is_kept_and_shown_to_nobody(run: Running) -> None:
    chart = log_in(run, tenant="tenant-of-the-hospital")
    assert record_of(run, chart).context.tenant == "tenant-of-the-hospital"
    assert not any("tenant-of-the-hospital" in f"{page.text}{page.headers}" for page in chart.browser.visited[-3:])


@pytest.mark.parametrize("style", ["absolute", "relative"])
@pytest.mark.parametrize(
    ("user", "role"),
    [
        ("Practitioner/kari", "clinician"),
        ("PractitionerRole/kari-nordlys", "clinician"),
        ("Patient/eva-berg", "patient"),
        ("Patient/jonas-lie", "reader"),  # SECURITY A: a patient in the own record only
        ("RelatedPerson/mother", "reader"),
        ("Person/eva", "reader"),
        ("Device/robot", "reader"),
    ],
)
def test_who_logged_in(run: Running, user: str, style: str, role: str) -> None:
    assert record_of(run, log_in(run, user=user, fhir_user=style)).context.role == role


def test_without_a_fhir_user_one_may_read_only(run: Running) -> None:
    chart = log_in(run, fhir_user="none")
    record = record_of(run, chart)
    assert (record.context.role, record.context.fhir_user) == ("reader", "")
    assert record.context.sub, "the person is known all the same, and the audit log names them"
    assert chart.browser.get(chart.at("give")).status_code == 403


def granted_without(need: Need) -> str:
    kept = [other.v2 for other in NEEDED if other is not need]
    return " ".join(["openid", "fhirUser", "launch", *kept])


@pytest.mark.parametrize("need", NEEDED, ids=lambda need: need.resource)
def test_each_scope_that_is_not_granted_takes_away_only_its_own(run: Running, need: Need) -> None:
    browser = Browser()
    page = browser.open(run.launch_url("eva-berg", granted=granted_without(need)))
    opens = need.resource != "Patient"
    assert (page.status_code == 200) == opens, page.text
    if not opens:
        assert titled(page) == say("error.forbidden.title")
        return
    scopes = record_of(run, Chart(browser, page.url, page)).tokens.scopes
    allowed = {other.resource for other in NEEDED if all(granted(scopes, other.resource, o) for o in other.operations)}
    assert allowed == {other.resource for other in NEEDED} - {need.resource}
    said = {kind: say("problem.not-available", what=say(f"problem.what.{kind}"), reason="") for kind in _OF_THE_CHART}
    missing = [kind for kind in _OF_THE_CHART if said[kind].strip() in text(page)]
    assert missing == [kind for kind in _OF_THE_CHART if kind == need.resource]


_OF_THE_CHART = ("QuestionnaireResponse", "Observation", "Goal", "EpisodeOfCare")


@pytest.mark.parametrize(
    ("scopes", "writes"),
    [
        ("patient/*.cruds user/*.rs", True),
        ("patient/*.*", True),
        ("patient/*.read patient/*.write", True),
        ("user/*.cruds", True),
        ("user/*.read user/*.write", True),
        ("patient/*.rs", False),
        ("patient/*.read", False),
        ("user/*.rs patient/*.rs", False),
    ],
)
def test_wildcards_of_both_versions_and_levels(run: Running, scopes: str, writes: bool) -> None:
    chart = log_in(run, granted=f"openid fhirUser launch {scopes}")
    assert plan_from(record_of(run, chart).context.plan).may_file("client") == writes
