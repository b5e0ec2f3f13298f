"""A real backup of a running app comes back: nothing of before it is lost, and nothing of after it is filed twice."""

import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlalchemy.engine import URL

from smart_app.cli import main
from smart_app.config_file import read_config
from smart_app.store import Store
from smart_app.store.keys import load_keys
from tests.flows import steps
from tests.flows.filings import ONCE, act, count, let_time_pass
from tests.flows.served import hospital_of, served, settings_of, until_ready
from tests.flows.steps import SAVED, answers, begin, go, heading, say, text
from tests.flows.wrong import fault
from tests.postgresql import Cluster, programs
from tests.running import Clock, Running, log_in


class Served:
    """One process on one store, which can be backed up, ended, and begun again on the backup."""

    def __init__(self, settings: Path, place: Path | URL, port: int) -> None:
        self.settings, self.place, self.port = settings, place, port
        self.copy = settings.with_name("backup")
        self.process = served(settings)
        until_ready(port)

    def back_up(self) -> None:
        """While it runs, as docs/operating.md says."""
        if isinstance(self.place, URL):
            self._program("pg_dump", "--format=custom", f"--file={self.copy}")
        else:
            with closing(sqlite3.connect(self.place)) as live, closing(sqlite3.connect(self.copy)) as copy:
                live.backup(copy)

    def stop(self) -> None:
        self.process.terminate()
        assert self.process.wait(20) == 0

    def put_back(self) -> None:
        if isinstance(self.place, URL):
            self._program("pg_restore", "--clean", f"--dbname={self.place.database}", str(self.copy))
        else:
            for beside in self.place.parent.glob(f"{self.place.name}-*"):
                beside.unlink()
            self.place.write_bytes(self.copy.read_bytes())

    def begin_again(self) -> None:
        self.process = served(self.settings)
        until_ready(self.port)

    def _program(self, name: str, *arguments: str) -> None:
        assert isinstance(self.place, URL)
        where = [f"--host={self.place.query['host']}", f"--port={self.place.query['port']}", "--username=postgres"]
        folder = programs()
        assert folder is not None
        subprocess.run([folder / name, *where, *arguments], check=True, capture_output=True)


@pytest.fixture(params=["sqlite", "postgresql"])
def app(
    request: pytest.FixtureRequest, tmp_path: Path, free_port: Callable[[], int]
) -> Iterator[tuple[Served, Running]]:
    port = free_port()
    hospital, asked = hospital_of(tmp_path, port)
    place: Path | URL = tmp_path / "private" / "imr.sqlite"
    if request.param == "postgresql":
        cluster: Cluster = request.getfixturevalue("postgresql")
        place = cluster.emptied()
    settings = settings_of(tmp_path, hospital, front=port, port=port, place=place)
    config = read_config(settings)
    store = Store.open(config.store, load_keys(config.keys, create=True))
    found = Served(settings, place, port)
    yield found, Running(hospital, hospital.app, store, config, Clock(), tmp_path, asked)
    found.stop()
    store.close()
    hospital.stop()


def test_what_was_waiting_at_the_backup_and_filed_since_is_found_and_not_filed_again(
    app: tuple[Served, Running],
) -> None:
    served, run = app
    patient = steps.new_patient(run)
    chart = log_in(run, patient=patient)
    form = begin(chart)
    with fault(run, "busy"):
        page = go(chart.browser, form, do="complete", **answers())
    assert heading(page) == say("filing.waiting.title")
    draft = begin(chart)
    go(chart.browser, draft, do="keep", **{"01": "01-2"})
    mark = run.store.audit.head()
    served.back_up()
    let_time_pass(run, 3)
    assert heading(act(chart, page, "send")) == SAVED
    assert count(run, patient) == ONCE
    served.stop()
    run.store.close()
    served.put_back()
    run.asked.clear()
    said = CliRunner().invoke(main, ["restored", "--config", str(served.settings)])
    assert said.exit_code == 0, said.output
    assert "1 sessions were ended" in said.output
    assert "1 filings are looked for in the record" in said.output
    assert "POST /oauth2/revoke" in run.asked
    served.begin_again()
    assert chart.browser.get(chart.url).status_code == 404, "its cookie opens nothing any more"
    again = log_in(run, patient=patient)
    assert say("waiting.text", n=1) in text(again.page)
    run.asked.clear()
    outbox = go(again.browser, again.browser.get(again.at("outbox")), again.at("outbox"))
    assert say("filing.outbox.empty") in text(outbox)
    assert "POST /fhir" not in run.asked, "it was looked for and found"
    assert count(run, patient) == ONCE
    assert 'value="01-2" checked' in begin(again).text, "what was begun is there"
    assert run.store.audit.verify(mark).broken == 0
