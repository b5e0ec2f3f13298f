"""`imr-app`: serve until SIGTERM, check the settings, make keys, look at the audit log."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest
import requests
from click.testing import CliRunner, Result

from imr_fhir.ehr.scopes import NEEDED, to_ask
from smart_app.cli import main
from smart_app.serving import listen
from smart_app.state import state_of
from smart_app.store import Store
from smart_app.store.audit import Entry
from smart_app.store.keys import load_keys
from smart_app.store.who import Who
from smart_app.tidying import tidy
from tests.running import Running, log_in
from tests.web.steps import end_unused, rows


def call(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


@pytest.fixture
def settings(tmp_path: Path, free_port: object) -> Path:
    port = free_port()  # type: ignore[operator]
    assert call("keys", "make", tmp_path / "keys" / "imr.keys").exit_code == 0
    path = tmp_path / "imr-app.toml"
    path.write_text(
        f"""[app]
demo = true
public_url = "http://127.0.0.1:{port}"
bind = "127.0.0.1:{port}"
store = "data/imr.sqlite"
keys = "keys/imr.keys"

[sites.nordlys]
organization = "Nordlys DPS"
phone = "+47 00 00 00 00"
iss = "http://localhost:1/fhir"
client_id = "imr"
"""
    )
    return path


def address(settings: Path) -> str:
    return settings.read_text().partition('public_url = "')[2].partition('"')[0]


def test_an_integration_engineer_can_see_what_is_asked_for() -> None:
    printed = call("scopes").output
    for need in NEEDED:
        assert need.v2 in printed
        assert need.without in printed
    assert {scope for scope in to_ask(()) if "/" in scope} <= set(re.findall(r"[a-z]+/[A-Za-z]+\.[a-z]+", printed))


@pytest.mark.parametrize("standalone", [False, True])
@pytest.mark.parametrize("refresh", ["permission-online", "permission-offline"])
def test_what_is_asked_for_beside_the_record_is_printed_too(refresh: str, standalone: bool) -> None:
    """Who registered the scopes that were printed got no log-in: openid and launch were none of them."""
    printed = {line.split()[0] for line in call("scopes").output.splitlines() if not line.startswith(" ")}
    for version in ((), ("permission-v2",)):
        asked = to_ask((refresh, *version), standalone=standalone)
        assert {scope for scope in asked if "." not in scope} <= printed


def test_keys_are_made_once_and_private(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "imr.keys"
    assert call("keys", "make", path).exit_code == 0
    before = path.read_bytes()
    assert path.stat().st_mode & 0o077 == 0
    again = call("keys", "make", path)
    assert again.exit_code == 2
    assert "left as it is" in again.output
    assert path.read_bytes() == before


def test_keys_are_changed_and_it_says_when_the_old_one_can_go(settings: Path) -> None:
    written(settings)
    file = settings.parent / "keys" / "imr.keys"
    old = load_keys(file).values[0].id
    first = call("keys", "rotate", "--config", settings)
    new = load_keys(file).values[0].id
    assert f"4 rows were sealed anew with key {new}." in first.output, "three of the log, and the canary"
    assert f"Run this again in two minutes: it then says whether {old} can be taken out" in first.output
    assert "in two minutes" in call("keys", "rotate", "--config", settings).output
    os.utime(file, (time.time() - 200,) * 2)
    last = call("keys", "rotate", "--config", settings)
    assert f"Nothing here is sealed with {old}: take it out of" in last.output
    assert [key.id for key in load_keys(file).values] == [new, old]
    content = json.loads(file.read_text())
    content["values"].pop()
    file.write_text(json.dumps(content))
    assert call("audit", "verify", "--config", settings).exit_code == 0


def test_the_key_of_the_chain_is_changed_by_itself(settings: Path) -> None:
    written(settings)
    assert "Keep the old keys" in call("keys", "rotate", "--audit", "--config", settings).output
    keys = load_keys(settings.parent / "keys" / "imr.keys")
    assert (len(keys.values), len(keys.audit)) == (1, 2)
    written(settings)
    assert call("audit", "verify", "--config", settings).output == "6 rows, none broken.\n"


def test_where_other_machines_may_run_the_app_they_know_a_key_before_it_writes(settings: Path) -> None:
    settings.write_text(settings.read_text().replace("data/imr.sqlite", "postgresql:///imr?host=/nowhere"))
    refused = call("keys", "rotate", "--config", settings)
    assert (refused.exit_code, "imr-app keys add" in refused.output) == (2, True)
    assert "each machine" in call("keys", "add", "--config", settings).output
    assert len(load_keys(settings.parent / "keys" / "imr.keys").values) == 2


def test_right_settings(settings: Path) -> None:
    result = call("check-config", "--config", settings)
    assert result.exit_code == 0, result.output
    assert f"callback {address(settings)}/callback/nordlys" in result.output
    assert "The settings are right." in result.output


@pytest.mark.parametrize("hops", [0, 1])
def test_a_proxy_that_is_not_counted_is_warned_of(settings: Path, hops: int) -> None:
    origin = f'public_url = "https://imr.hospital.example"\nproxy_hops = {hops}'
    settings.write_text(settings.read_text().replace(f'public_url = "{address(settings)}"', origin))
    result = call("check-config", "--config", settings)
    assert result.exit_code == 0, result.output
    assert ("Write: proxy_hops = 1" in result.output) is (hops == 0)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (('phone = "+47 00 00 00 00"\n', ""), "[sites.nordlys] phone"),
        (("keys/imr.keys", "keys/none.keys"), "imr-app keys"),
    ],
)
def test_wrong_settings_end_with_what_to_do_and_no_traceback(
    settings: Path, change: tuple[str, str], told: str
) -> None:
    settings.write_text(settings.read_text().replace(*change))
    for command in ("check-config", "serve"):
        result = call(command, "--config", settings)
        assert result.exit_code == 2
        assert told in result.output
        assert "Traceback" not in result.output


def test_the_example_is_printed() -> None:
    assert "[sites.nordlys]" in call("check-config", "--example").output


def opened(settings: Path) -> Store:
    return Store.open(settings.parent / "data" / "imr.sqlite", load_keys(settings.parent / "keys" / "imr.keys"))


def written(settings: Path) -> None:
    from datetime import UTC, datetime

    store = opened(settings)
    for purpose in ("first", "second", "third"):
        entry = Entry("view", "success", Who("user"), "nordlys", "Patient/å", "key", purpose)
        store.audit.record(entry, datetime(2026, 11, 3, tzinfo=UTC))
    store.close()


def test_the_audit_log_is_verified(settings: Path) -> None:
    written(settings)
    verified = call("audit", "verify", "--config", settings)
    assert (verified.exit_code, verified.output) == (0, "3 rows, none broken.\n")


def test_the_mark_of_the_audit_log_is_printed_and_expected(settings: Path) -> None:
    written(settings)
    mark = call("audit", "head", "--config", settings).output.strip()
    assert mark.startswith("3:")
    assert call("audit", "verify", "--config", settings, "--expect", mark).exit_code == 0
    missing = call("audit", "verify", "--config", settings, "--expect", "4" + mark[1:])
    assert (missing.exit_code, "no row has the mark 4:" in missing.output) == (1, True)


def test_the_first_broken_row_is_named(settings: Path) -> None:
    written(settings)
    store = opened(settings)
    with store.writing() as connection:
        connection.exec_driver_sql("UPDATE audit SET outcome = 'failed' WHERE seq = 2")
    store.close()
    verified = call("audit", "verify", "--config", settings)
    assert verified.exit_code == 1
    assert "Row 2 is broken" in verified.output


def test_a_taken_port_is_one_sentence(settings: Path) -> None:
    host, port = address(settings).removeprefix("http://").split(":")
    with listen(host, int(port)) as taken:
        taken.listen()
        result = call("serve", "--config", settings)
    assert result.exit_code == 2
    assert "Address already in use. Choose another `bind`" in result.output
    assert "Traceback" not in result.output


_SERVE = "from smart_app.cli import main; main()"
_STOPPED_AS_IT_STARTS = """
import signal
from smart_app.serving import Server
start = Server.start
Server.start = lambda server: (start(server), signal.raise_signal({number}))
"""


def serve(settings: Path, until: Sequence[int]) -> subprocess.Popen[str]:
    program = [sys.executable, "-c", _SERVE, "serve", "--config", str(settings)]
    process = subprocess.Popen(program, stderr=subprocess.PIPE, text=True, env=os.environ | {"PYTHONWARNINGS": "error"})
    for _ in range(1200):
        try:
            if requests.get(f"{address(settings)}/readyz", timeout=5).status_code in until:
                return process
        except requests.ConnectionError:
            assert process.poll() is None, process.communicate()[1]
        time.sleep(0.05)
    process.kill()
    raise AssertionError(process.communicate()[1])


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_serves_until_it_is_told_to_stop(settings: Path, number: signal.Signals) -> None:
    process = serve(settings, until=[200])
    process.send_signal(number)
    _, log = process.communicate(timeout=20)
    assert process.returncode == 0, log
    assert f"Stopping: {number.name}" in log
    assert "GET /readyz 200" in log
    assert "The audit log stands at 0:" in log


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_told_to_stop_as_soon_as_it_answers_it_stops_as_it_should(settings: Path, number: signal.Signals) -> None:
    code = _STOPPED_AS_IT_STARTS.format(number=int(number)) + _SERVE
    command = [sys.executable, "-c", code, "serve", "--config", str(settings)]
    stopped = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert (stopped.returncode, f"Stopping: {number.name}" in stopped.stderr) == (0, True), stopped.stderr


def test_tidying_ends_and_revokes_what_idled_out(run: Running) -> None:
    from datetime import timedelta

    log_in(run)
    run.asked.clear()
    run.clock.ahead = timedelta(minutes=16)
    tidy(state_of(run.app))
    end_unused(run)
    assert "POST /oauth2/revoke" in run.asked
    with run.store.reading() as connection:
        live = connection.exec_driver_sql("SELECT count(*) FROM launch WHERE state = 'active'").scalar_one()
    assert live == 0
    assert rows(run, "ticket") == 0
