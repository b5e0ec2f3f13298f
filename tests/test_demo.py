"""`imr-app demo` as a newcomer has it: a process of its own, real ports, Ctrl-C."""

import os
import re
import shlex
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import IO

import pytest
import requests

from smart_app import cli
from smart_app.sandbox import EHRS
from tests.running import Browser

APP = Path(sys.executable).with_name("imr-app")
Ports = tuple[int, int]


class Running:
    """One demo; ``said`` is what it has printed so far."""

    def __init__(self, folder: Path, ports: Ports, *options: str) -> None:
        self.chart, self.app = (
            f"http://{host}:{port}/" for host, port in zip(("localhost", "127.0.0.1"), ports, strict=True)
        )
        command = [APP, "demo", "--port", str(ports[0]), "--app-port", str(ports[1]), "--data", folder, *options]
        self._process = subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
            preexec_fn=partial(signal.signal, signal.SIGINT, signal.SIG_DFL),  # a test run in the background ignores it
        )
        self.said = ""

    def until(self, words: str) -> "Running":
        """Reads on until a line holds ``words``."""
        output: IO[str] = self._process.stdout  # type: ignore[assignment]
        for line in output:
            self.said += line
            if words in line:
                return self
        raise AssertionError(f"it ended without {words!r}: {self.said}{self._process.stderr.read()}")  # type: ignore[union-attr]

    def ended(self, number: int | None = None) -> tuple[int, str]:
        """Exit code and what it said to the error stream, after the signal ``number``."""
        if number is not None:
            os.killpg(self._process.pid, number)  # as the terminal does
        try:
            rest, errors = self._process.communicate(timeout=60)
        finally:
            self._process.kill()
        self.said += rest
        return self._process.returncode, errors


NOT_TAKEN = "AuditEvents were not taken"  # what an EHR that takes none is told after a page, if there was time


@contextmanager
def demo(folder: Path, ports: Ports, *options: str) -> Iterator[Running]:
    """A demo that is ready; it ends by Ctrl-C, and must end well."""
    running = Running(folder, ports, *options)
    try:
        yield running.until("Ctrl-C ends both")
    finally:
        code, errors = running.ended(signal.SIGINT)
    assert (code, [line for line in errors.splitlines() if NOT_TAKEN not in line]) == (0, [])


def refused(folder: Path, ports: Ports, *options: str) -> str:
    """The one sentence with its next step that it ends with."""
    code, errors = Running(folder, ports, *options).ended()
    assert code == 1
    assert errors.count("\n") == 1
    return errors


@pytest.fixture(scope="module")
def ports(free_port: Callable[[], int]) -> Ports:
    return free_port(), free_port()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, ports: Ports) -> Path:
    """What a first start has left."""
    path = tmp_path_factory.mktemp("demo") / ".demo"
    with demo(path, ports) as first:
        assert f"\nOpen {first.chart} " in first.said
        assert first.app in first.said
        assert first.said.count("Filed ") == 9  # the tenth patient is new
    return path


def filed(running: Running, patient: str = "eva-berg") -> list[str]:
    """The addresses of what IMR has in the record, by the chart page."""
    page = requests.get(f"{running.chart}chart/{patient}?all=1", timeout=30).text
    return re.findall(
        r'href="(/chart/[^"]+/resource/(?:QuestionnaireResponse|Observation|Goal|Provenance)/[^"]+)"', page
    )


def test_a_chart_list_a_chart_and_a_launch(folder: Path, ports: Ports) -> None:
    with demo(folder, ports) as running:
        assert "Tor Haugen" in requests.get(running.chart, timeout=30).text
        assert len(filed(running)) > 20
        panel = Browser().open(f"{running.chart}chart/eva-berg/launch?user=kari")
        assert panel.status_code == 200
        assert re.fullmatch(rf"{running.app}l/[0-9a-f]+/", panel.url)
        assert "Eva Berg" in panel.text
        assert "Outpatient clinic North" in panel.text


def test_another_ehr_has_the_same_stories(folder: Path, ports: Ports) -> None:
    for ehr, open_to_all in (("epic", 200), ("dips", 401)):  # DIPS wants its key for this too
        with demo(folder, ports, "--ehr", ehr) as running:
            assert len(filed(running)) > 20
            assert "imr-fhir" not in running.said  # it wants more than a key that was handed in
            assert requests.get(f"{running.chart}fhir/metadata", timeout=30).status_code == open_to_all
            assert "Eva Berg" in Browser().open(f"{running.chart}chart/eva-berg/launch?user=kari").text


def test_the_lines_for_engineers_can_be_copied(folder: Path, ports: Ports, tmp_path: Path) -> None:
    """A client of the command line's own, with a key that only this hospital knows."""
    with demo(folder, ports) as running:
        lines = [shlex.split(line) for line in running.said.splitlines() if "/imr-fhir " in line]
        assert [line[1] for line in lines] == ["check", "load", "export"]
        said = [
            subprocess.run(line, capture_output=True, text=True, check=False, env={**os.environ, "HOME": str(tmp_path)})
            for line in lines
        ]
    assert [each.returncode for each in said] == [0, 0, 0], said
    assert "a token for system/*.rs" in said[0].stdout
    assert "Nothing to do." in said[1].stdout
    assert re.search(r"QuestionnaireResponse +1\d\d", said[2].stdout)
    assert (folder / "engineer.pem").stat().st_mode & 0o777 == 0o600
    assert (folder / "export" / "manifest.json").exists()


def test_an_ehr_that_is_not_there(tmp_path: Path, ports: Ports) -> None:
    code, errors = Running(tmp_path, ports, "--ehr", "eric").ended()
    assert (code, "'eric' is not one of 'generic', " in errors) == (2, True)


def test_the_ehrs_to_choose_from_are_the_sandbox_s() -> None:
    assert tuple(EHRS) == cli.EHRS


def test_receipts_lead_to_the_record(folder: Path, ports: Ports) -> None:
    settings = (folder / "imr-app.toml").read_text(encoding="utf-8")
    (link,) = re.findall(r'record_link = "(.*)"', settings)
    with demo(folder, ports) as running:
        _, _, _, _, kind, number = filed(running)[0].split("/")
        page = requests.get(link.format(type=kind, id=number), timeout=30)
    assert page.status_code == 200
    assert f"{kind}/{number}" in page.text


def test_a_second_start_finds_yesterday_s_data_and_reset_does_not(tmp_path: Path, free_port: Callable[[], int]) -> None:
    with demo(tmp_path, (free_port(), free_port())) as first:
        yesterday = filed(first)
    (tmp_path / "note.txt").write_text("mine", encoding="utf-8")
    with demo(tmp_path, (free_port(), free_port())) as second:  # other ports, same record
        assert filed(second) == yesterday
        assert "Filed" not in second.said
        assert Browser().open(f"{second.chart}chart/eva-berg/launch").status_code == 200
    with demo(tmp_path, (free_port(), free_port()), "--reset") as third:
        assert len(filed(third)) == len(yesterday)
        assert not set(filed(third)) & set(yesterday)
    assert (tmp_path / "note.txt").exists()


def test_ctrl_c_while_it_seeds(tmp_path: Path, ports: Ports) -> None:
    running = Running(tmp_path, ports).until("Filed Amina Hassan")
    assert running.ended(signal.SIGINT) == (0, "")
    assert "Open " not in running.said
    with demo(tmp_path, ports) as again:
        assert "Filed Amina Hassan" not in again.said
        assert "Filed Tor Haugen" in again.said


def test_sigterm_ends_it_too(folder: Path, ports: Ports) -> None:
    running = Running(folder, ports).until("Ctrl-C ends both")
    assert running.ended(signal.SIGTERM) == (0, "")


@pytest.mark.parametrize(("taken", "option"), [(0, "PORT="), (1, "APP_PORT=")])
def test_a_taken_port(tmp_path: Path, ports: Ports, taken: int, option: str) -> None:
    with socket.create_server(("127.0.0.1", ports[taken])):
        sentence = refused(tmp_path, ports)
    assert f"Port {ports[taken]} can't be had" in sentence
    assert f"make demo {option}" in sentence
    assert list(tmp_path.iterdir()) == []


def test_one_port_for_both(tmp_path: Path, ports: Ports) -> None:
    assert "can't both have port" in refused(tmp_path, (ports[0], ports[0]))


@pytest.mark.parametrize("name", ["file", "file/folder"])
def test_a_folder_that_can_t_be_written_to(tmp_path: Path, ports: Ports, name: str) -> None:
    (tmp_path / "file").write_text("mine", encoding="utf-8")
    sentence = refused(tmp_path / name, ports)
    assert str(tmp_path / name) in sentence
    assert "make demo DATA=" in sentence
    assert (tmp_path / "file").read_text(encoding="utf-8") == "mine"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_of_somebody_else(tmp_path: Path, ports: Ports) -> None:
    tmp_path.chmod(0o500)
    assert "make demo DATA=" in refused(tmp_path, ports)


def test_two_demos_in_one_folder(folder: Path, ports: Ports, free_port: Callable[[], int]) -> None:
    with demo(folder, ports) as running:
        before = filed(running)
        assert "Another demo runs in" in refused(folder, (free_port(), free_port()), "--reset")
        assert filed(running) == before


def test_what_is_damaged_can_be_reset(tmp_path: Path, ports: Ports) -> None:
    for name in ("hospital/hospital.sqlite", "store/imr.sqlite"):
        path = tmp_path / name
        path.parent.mkdir(mode=0o700, exist_ok=True)
        path.write_text("no database, but text that is long enough for its first page", encoding="utf-8")
        path.chmod(0o600)
        sentence = refused(tmp_path, ports)
        assert name in sentence
        assert "make demo RESET=1" in sentence
    with demo(tmp_path, ports, "--reset"):
        pass
