"""SECURITY F on the sandbox: the app is killed (SIGKILL) in each state of a filing and started again.

Nothing is lost, and nothing is filed twice.
"""

import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import requests

from smart_app.config_file import read_config
from smart_app.sandbox import Client, HospitalConfig, fhir_api, start_hospital
from smart_app.sandbox.capability import capability_statement
from smart_app.store import Store
from smart_app.store.filing_states import State
from smart_app.store.keys import load_keys
from tests.flows import steps
from tests.flows.steps import SAVED, answers, filed, go, heading, say, text
from tests.flows.wrong import Wsgi, in_front, is_send
from tests.running import CLIENT_ID, SCOPES, SITE, Chart, Clock, Running, log_in

SETTINGS = """\
[app]
demo = true
public_url = "http://127.0.0.1:{port}"
store = "private/imr.sqlite"
keys = "private/imr.keys"

[sites.{site}]
organization = "Nordlys DPS"
phone = "+47 00 00 00 00"
iss = "{iss}"
client_id = "{client}"
allow_unverified_clinician_scale = true
"""
LEASE = 91  # seconds, and one more


@dataclass
class Process:
    """The app of one folder. To start it again is to kill the one before."""

    settings: Path
    port: int
    running: subprocess.Popen[str] | None = field(default=None)
    _ending: threading.Lock = field(default_factory=threading.Lock)

    def start(self, point: str = "") -> None:
        self.kill()
        command = [sys.executable, "-m", "tests.flows.killed_app", str(self.settings), str(self.port), point]
        top = Path(__file__).parents[2]
        self.running = subprocess.Popen(command, cwd=top, stdout=subprocess.PIPE, text=True)
        assert self.running.stdout.readline() == "ready\n"  # type: ignore[union-attr]

    def kill(self) -> None:
        """Also from the hospital's thread, while the test's goes on already."""
        with self._ending:
            if self.running:
                self.running.kill()
                self.running.wait(10)
                self.running.stdout.close()  # type: ignore[union-attr]

    def died(self) -> bool:
        return self.running.wait(10) == -signal.SIGKILL  # type: ignore[union-attr]


@pytest.fixture(scope="module")
def process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Process, Running]]:
    folder = tmp_path_factory.mktemp("killed")
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    client = Client(CLIENT_ID, "IMR", SCOPES, redirect_uris=(f"{url}/callback/{SITE}",))
    hospital = start_hospital(HospitalConfig(folder / "hospital.sqlite", (client,), seed=("north.json",)))
    settings = folder / "app.toml"
    settings.write_text(SETTINGS.format(port=port, site=SITE, iss=hospital.fhir_base, client=CLIENT_ID))
    (folder / "private").mkdir(mode=0o700)
    config = read_config(settings)
    store = Store.open(config.store, load_keys(config.keys, create=True))
    found = Process(settings, port)
    yield found, Running(hospital, hospital.app, store, config, Clock(), folder, [])
    found.kill()
    store.close()
    hospital.stop()


@contextmanager
def kills_when_taken(run: Running, process: Process) -> Iterator[None]:
    """The hospital has committed the transaction; its reply finds nobody."""

    def make(hospital: Wsgi) -> Wsgi:
        def answering(environ: Any, start_response: Any) -> Any:
            reply = hospital(environ, start_response)
            if is_send(environ):
                process.kill()
            return reply

        return answering

    with in_front(run, make):
        yield


def lease_runs_out(run: Running) -> None:
    with run.store.writing() as connection:
        for column in ("lease_until", "lost_at"):
            connection.exec_driver_sql(f"UPDATE filing SET {column} = {column} - {LEASE * 1000}")


def states(run: Running, chart: Chart) -> list[State]:
    secret = chart.browser.jar["127.0.0.1"][f"__Host-l-{chart.id[:8]}"]
    owner = run.store.launches.access(chart.id, secret, run.clock()).owner
    return [filing.state for filing in run.store.filings.outbox(owner)]


def save_until_killed(chart: Chart, form: requests.Response) -> None:
    with pytest.raises(requests.ConnectionError):
        go(chart.browser, form, do="complete", **answers(3), comment="Not to be lost")


def filed_in_the_end(run: Running, patient: str, chart: Chart) -> None:
    """After the restart: it is in sight, one press files it, and it is in the record once."""
    assert say("waiting.text", n=1) in text(chart.browser.get(chart.url))
    run.asked.clear()
    outbox = chart.browser.get(chart.at("outbox"))
    done = go(chart.browser, outbox, chart.at("outbox"))
    if say("filing.outbox.empty") not in text(done):  # what never arrived is looked for first, then sent by a press
        lease_runs_out(run)
        for _ in range(2):
            done = go(chart.browser, done, chart.at("outbox"))
    assert say("filing.outbox.empty") in text(done)
    (response,) = filed(run, patient, "QuestionnaireResponse")
    (score,) = filed(run, patient, "Observation")
    assert "Not to be lost" in str(response["item"])
    assert score["derivedFrom"] == [{"reference": f"QuestionnaireResponse/{response['id']}"}]
    assert len(steps.told_of(run, response)) == 1
    assert run.store.audit.verify().broken == 0


@pytest.mark.parametrize(
    ("point", "there"),
    [
        ("sealed", State.SEALED),
        ("claimed", State.SENDING),
        ("taken", State.SENDING),
        ("accepted", State.PART_OK),
    ],
)
def test_killed_and_started_again(process: tuple[Process, Running], point: str, there: State) -> None:
    app, run = process
    patient = steps.new_patient(run)
    app.start("" if point == "taken" else point)
    chart = log_in(run, patient=patient)
    form = steps.begin(chart)
    if point == "taken":
        with kills_when_taken(run, app):
            save_until_killed(chart, form)
    else:
        save_until_killed(chart, form)
        assert app.died()
    assert states(run, chart) == [there]
    app.start()
    lease_runs_out(run)
    filed_in_the_end(run, patient, chart)


def test_after_a_restart_the_next_launch_offers_it_in_a_fresh_browser(process: tuple[Process, Running]) -> None:
    app, run = process
    patient = steps.new_patient(run)
    app.start("sealed")
    chart = log_in(run, patient=patient)
    save_until_killed(chart, steps.begin(chart))
    assert app.died()
    app.start()
    assert say("waiting.text", n=1) not in text(log_in(run, patient=patient, user="Practitioner/ola").page)
    filed_in_the_end(run, patient, log_in(run, patient=patient))


def test_killed_between_two_parts(process: tuple[Process, Running], monkeypatch: pytest.MonkeyPatch) -> None:
    def without_transactions(config: Any) -> dict[str, Any]:
        said = capability_statement(config)
        said["rest"][0]["interaction"] = []
        return said

    monkeypatch.setattr(fhir_api, "capability_statement", without_transactions)
    app, run = process
    patient = steps.new_patient(run)
    app.start("between")
    chart = log_in(run, patient=patient)
    save_until_killed(chart, steps.begin(chart))
    assert app.died()
    assert states(run, chart) == [State.PART_OK]
    assert len(filed(run, patient, "QuestionnaireResponse")) == 1
    assert filed(run, patient, "Observation") == []
    app.start()
    filed_in_the_end(run, patient, chart)


def test_killed_on_the_way_answers_and_what_the_patient_handed_in_stay(process: tuple[Process, Running]) -> None:
    app, run = process
    patient = steps.new_patient(run)
    app.start()
    chart = log_in(run, patient=patient)
    start = steps.give(chart)
    check = steps.answer_alone(chart.browser, start, answers(2), "Not to be lost")
    app.start()
    assert heading(steps.hand_in(chart.browser, check)) == say("hand.done")
    app.start()
    assert heading(steps.take_back(chart)) == say("safety.today")
    assert len(filed(run, patient, "QuestionnaireResponse")) == 1
    assert heading(steps.rate(chart)) == SAVED
