"""The chart pages, and the packaged records that they show."""

import gzip
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from html import unescape
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from flask.testing import FlaskClient

from smart_app.sandbox import FAULTS, Hospital, HospitalConfig, Launch, create_hospital, hospital_of
from smart_app.sandbox.launches import launch_of, unused_launch
from smart_app.sandbox.records import FILING_SYSTEM
from smart_app.sandbox.seed import AS_OF, DATA, EVERYTHING, NORTH, moved, read_records
from smart_app.sandbox.validation import check_resource

from .conftest import BASE, FHIR, Caller, observation

PATIENTS = {
    "eva-berg", "jonas-lie", "amina-hassan", "per-olsen", "solveig-dahl",
    "mikkel-strand", "ingrid-moen", "tor-haugen", "nora-vik", "henrik-aas",
}  # fmt: skip


@pytest.fixture(scope="module")
def chart(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FlaskClient]:
    path = tmp_path_factory.mktemp("chart") / "hospital.sqlite"
    app = create_hospital(HospitalConfig(path, base_url=BASE, seed=(NORTH,)))
    app.testing = True
    yield app.test_client()
    hospital_of(app).close()


@pytest.fixture
def north(chart: FlaskClient) -> Hospital:
    return hospital_of(chart.application)


def test_the_list_and_a_search_by_name(chart: FlaskClient) -> None:
    page = chart.get("/").text
    assert page.index("Eva Berg") < page.index("Tor Haugen")
    found = chart.get("/?q=haug").text
    assert ("Tor Haugen" in found, "Eva Berg" in found) == (True, False)
    assert "No patient has this name" in chart.get("/?q=<script>").text


def test_a_chart_shows_the_patient(chart: FlaskClient) -> None:
    page = chart.get("/chart/ingrid-moen").text
    for words in ("Ingrid Moen", "1979-08-08", "Schizophrenia", "Illness Management and Recovery", "cancelled"):
        assert words in page
    assert chart.get("/chart/nobody").status_code == 404


def test_no_name_in_title_or_address(chart: FlaskClient) -> None:
    assert "<title>North Hospital</title>" in chart.get("/chart/eva-berg").text


def test_bokmaal_by_hand_and_by_the_browser(chart: FlaskClient) -> None:
    assert 'lang="nb"' in chart.get("/?lang=nb").text
    assert "Pasienter" in chart.get("/", headers={"Accept-Language": "nn-NO,en;q=0.5"}).text
    page = chart.get("/chart/eva-berg?lang=nb&user=ola").text
    assert "Åpne IMR i journalen" in page
    assert 'href="/?user=ola&amp;lang=nb"' in page


def launched(address: str, north: Hospital) -> tuple[str, Launch]:
    """The launch address without its query, and what its token stands for."""
    parts = urlsplit(address)
    query = parse_qs(parts.query)
    assert query["iss"] == [FHIR]
    held = unused_launch(north.vault, query["launch"][0])
    assert held is not None
    return parts._replace(query="").geturl(), launch_of(held.body)


def test_it_opens_in_a_tab(chart: FlaskClient, north: Hospital) -> None:
    reply = chart.get("/chart/eva-berg/launch?user=ola&fault=slow&fault=unheard-of")
    address, launch = launched(reply.location, north)
    assert address == "http://127.0.0.1:8001/launch"
    assert (launch.user, launch.patient, launch.encounter, launch.faults) == (
        "Practitioner/ola",
        "eva-berg",
        "eva-berg-today",
        ("slow",),
    )
    assert "eva" not in reply.location


def test_who_is_logged_in_is_the_patient_s_own_clinician_unless_chosen(chart: FlaskClient, north: Hospital) -> None:
    for query, user in (("", "ola"), ("?user=kari", "kari"), ("?user=nobody", "ola")):
        _, launch = launched(chart.get(f"/chart/tor-haugen/launch{query}").location, north)
        assert launch.user == f"Practitioner/{user}"
    assert '<option value="ola" selected>' in chart.get("/chart/tor-haugen").text


def test_a_resource_is_found_without_its_patient(chart: FlaskClient) -> None:
    page = chart.get("/record/Encounter/tor-haugen-visit-40", follow_redirects=True)
    assert (page.status_code, "Tor Haugen" in page.text) == (200, True)
    assert chart.get("/record/Encounter/unknown").status_code == 404
    assert chart.get("/record/Organization/outpatient-clinic-north").status_code == 404


def test_it_opens_in_a_frame(chart: FlaskClient, north: Hospital) -> None:
    page = chart.get("/chart/eva-berg?open=frame")
    (source,) = re.findall(r'<iframe title="[^"]+" src="([^"]+)"', page.text)
    _, launch = launched(unescape(source), north)
    assert launch.user == "Practitioner/kari"
    policy = page.headers["Content-Security-Policy"]
    assert "frame-src http://127.0.0.1:8001 " in policy
    assert "frame-ancestors 'none'" in policy
    assert "<script" not in page.text
    assert "<iframe" not in chart.get("/chart/eva-berg").text


def test_each_fault_can_be_chosen(chart: FlaskClient) -> None:
    page = chart.get("/chart/eva-berg?fault=slow").text
    for name in FAULTS:
        assert f'value="{name}"' in page
    assert 'value="slow" checked' in page


def test_what_the_application_filed_is_listed_and_shown(chart: FlaskClient, north: Hospital) -> None:
    fhir = Caller(chart, north.access_token("system/*.cruds"))
    tag = {"tag": [{"system": FILING_SYSTEM, "code": "f1"}]}
    code = {"text": "<b>IMR score</b>"}
    made = fhir.create(observation("per-olsen", meta=tag, code=code, valueQuantity={"value": 3}))
    fhir.create(observation("per-olsen", code={"text": "Blood pressure"}))
    page = chart.get("/chart/per-olsen").text
    assert "&lt;b&gt;IMR score&lt;/b&gt;" in page
    assert "Blood pressure" not in page
    (link,) = re.findall(rf'href="([^"]*/resource/Observation/{made["id"]})"', page)
    assert "&lt;b&gt;IMR score" in chart.get(link).text
    assert chart.get(link.replace("per-olsen", "eva-berg")).status_code == 404
    assert chart.get("/chart/eva-berg/resource/Organization/outpatient-clinic-north").status_code == 404


def test_the_record_as_packaged(chart: FlaskClient, north: Hospital) -> None:
    fhir = Caller(chart, north.access_token("system/*.cruds"))
    assert set(fhir.ids("Patient?_count=100")) >= PATIENTS
    assert len(fhir.ids("EpisodeOfCare?organization=Organization/outpatient-clinic-north")) == len(PATIENTS)
    assert fhir.ids("QuestionnaireResponse") == fhir.ids("Questionnaire") == fhir.ids("Goal") == []


@pytest.mark.parametrize("name", EVERYTHING)
def test_packaged_records_are_valid(name: str) -> None:
    for each in read_records(name)["entry"]:
        check_resource(each["resource"], each["resource"]["resourceType"])


def test_dates_of_the_clinic_move_along(tmp_path: Path) -> None:
    config = HospitalConfig(tmp_path / "h.sqlite", seed=(NORTH,), clock=lambda: datetime(2027, 12, 31, tzinfo=UTC))
    hospital = hospital_of(create_hospital(config))
    days = (datetime(2027, 12, 31).date() - AS_OF).days
    visit = hospital.store.read("Encounter", "eva-berg-today")
    assert visit is not None
    assert visit.resource()["period"] == {"start": "2027-12-31T09:00:00+01:00"}
    patient = hospital.store.read("Patient", "eva-berg")
    assert patient is not None
    assert patient.resource()["birthDate"] == "1988-04-12"
    assert moved({"period": {"start": "2026-11-23"}, "code": "2026-11-23x"}, days)["code"] == "2026-11-23x"
    hospital.close()


def test_a_second_start_keeps_what_is_there(tmp_path: Path) -> None:
    config = HospitalConfig(tmp_path / "h.sqlite", seed=(NORTH,))
    first = hospital_of(create_hospital(config))
    count = "SELECT count(*), max(version) FROM resource"
    before = first.database.connection.execute(count).fetchone()
    first.close()
    second = hospital_of(create_hospital(replace(config, clock=lambda: datetime(2030, 1, 1, tzinfo=UTC))))
    assert second.database.connection.execute(count).fetchone() == before
    second.close()


def test_synthea_s_records_are_as_it_wrote_them() -> None:
    bundle = json.loads(gzip.decompress((DATA / "brock.json.gz").read_bytes()))
    text = json.dumps(bundle)
    assert "Practitioner?identifier=" in text
    assert {each["resource"]["resourceType"] for each in bundle["entry"]} >= {"Patient", "Encounter", "Condition"}
