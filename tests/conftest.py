"""Shared by all tests: the real parts, and what became of those that this machine lacks."""

import os
import socket
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, sync_playwright

from imr_fhir.ehr.breaker import Breaker
from smart_app.sandbox import FAULTS
from smart_app.state import state_of
from smart_app.tokens import leave_unused
from tests import panels_again, parts, shared_resources
from tests.postgresql import Cluster, cluster
from tests.running import Running, running
from tests.servers.medplum import Medplum, medplum
from tests.written import record_writes

MARKS = {
    "hapi": "needs a HAPI FHIR server; these run in one worker and share it",
    "validator": "needs the FHIR validator; these run in one worker and share it",
    "browser": "needs Chromium",
}


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--store",
        choices=("sqlite", "postgresql"),
        default="sqlite",
        help="postgresql: the flows run on two apps that share one, and requests take turns.",
    )


def pytest_configure(config: pytest.Config) -> None:
    for name, what in MARKS.items():
        config.addinivalue_line("markers", f"{name}: {what}")
    record_writes()
    shared_resources.watch_shared_resources()
    panels_again.watch_panels()


def pytest_itemcollected(item: pytest.Item) -> None:
    """What needs a server that starts slowly runs in one worker and shares it; xdist reads the groups at the end."""
    needed = set(getattr(item, "fixturenames", ()))
    if {"hapi_base", "fhir_validator"} & needed:
        item.add_marker(pytest.mark.xdist_group("java"))
    elif "medplum_server" in needed:
        item.add_marker(pytest.mark.xdist_group("medplum"))


def pytest_runtest_setup(item: pytest.Item) -> None:
    grouped = "PYTEST_XDIST_WORKER" not in os.environ or item.get_closest_marker("xdist_group") is None
    assert grouped or "@" in item.nodeid, "This pytest-xdist does not keep groups together with this pytest."


def pytest_sessionfinish(session: pytest.Session) -> None:
    asked = [part for part in parts.missing() if part.in_ci]
    if os.environ.get("CI") == "true" and asked and not hasattr(session.config, "workerinput"):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for part in parts.missing():
        left_out = f"Left out: {part.what}, since there is no {part.name} here."
        terminalreporter.write_line(f"{left_out} To run them: {part.how}.")


@pytest.fixture(autouse=True)
def _what_requests_share_stays_true() -> Iterator[None]:
    yield
    changed = shared_resources.changed()
    shared_resources.forget()
    assert not changed
    assert not panels_again.differing()


@pytest.fixture(scope="session")
def free_port():  # type: ignore[no-untyped-def]
    def find() -> int:
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            return int(listener.getsockname()[1])

    return find


@pytest.fixture(scope="session")
def hapi_base() -> Iterator[str]:
    """The base URL of an empty HAPI FHIR R4 server, e.g. http://127.0.0.1:8090/fhir; shared, so clean up by patient."""
    parts.need(parts.JAVA, parts.MAVEN)
    from tests.servers import hapi

    with hapi() as base:
        yield base


@pytest.fixture(scope="session")
def medplum_server() -> Iterator[Medplum]:
    parts.need(parts.NODE)
    with medplum() as running:
        yield running


@pytest.fixture(scope="session")
def npm_fhir_base(medplum_server: Medplum) -> str:
    """The base URL of an R4 server from npm; shared, so clean up by patient or by `POST base/$expunge`."""
    return medplum_server.base


@pytest.fixture(scope="session")
def fhir_validator() -> Iterator[object]:
    """The FHIR validator with our Questionnaires and profiles."""
    parts.need(parts.JAVA, parts.MAVEN)
    from tests.servers import validator

    with validator() as running:
        yield running


@pytest.fixture(scope="session")
def postgresql(free_port) -> Iterator[Cluster]:  # type: ignore[no-untyped-def]
    parts.need(parts.POSTGRESQL)
    with cluster(free_port()) as started:
        yield started


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[Running]:
    """One hospital and one app for all flows; each test has a patient of its own."""
    in_postgresql = request.config.getoption("--store") == "postgresql"
    database = request.getfixturevalue("postgresql").emptied() if in_postgresql else None
    with running(tmp_path_factory.mktemp("flows"), database=database) as run:
        yield run


@pytest.fixture
def run(world: Running) -> Iterator[Running]:
    """The same with the real time, no fault and none remembered, nobody logged in, no token to be ended.

    A hand-over would lock the next test's launches.
    """
    world.clock.right()
    for app in filter(None, (world.app, world.twin)):
        for hospital in state_of(app).hospitals.values():
            hospital.transport._breakers = {origin: Breaker() for origin in hospital.transport._breakers}
        leave_unused(state_of(app).hospitals)
    for fault in FAULTS:
        world.hospital.hospital.faults.switch_off(fault)
    with world.store.writing() as connection:
        connection.exec_driver_sql("DELETE FROM refusal")
    world.asked.clear()
    yield world
    world.store.launches.end_all("end of the test", world.clock())


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    parts.need(parts.CHROMIUM)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=parts.chromium(), args=list(parts.CHROMIUM_ARGUMENTS))
        yield browser
        browser.close()
