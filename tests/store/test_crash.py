"""SECURITY F: the process is killed in each state, before and after its commit; what is there then is the table's."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event
from sqlalchemy.engine import URL, make_url

from smart_app.store import Store
from smart_app.store.filing_states import State
from smart_app.store.keys import load_keys
from smart_app.store.launch import Launch
from tests.store import make

A_CRASH_HERE_MEANS = {
    "SEALED": "SEALED",
    "SENDING": "UNKNOWN",
    "PART_OK": "PART_OK",
    "UNKNOWN": "UNKNOWN",
    "WAITING": "WAITING",
    "REFUSED": "REFUSED",
    "DUPLICATE": "DUPLICATE",
    "DONE": "DONE",
    "WITHDRAWN": "WITHDRAWN",
}

Crashed = tuple[Store, Launch, dict[str, Any]]


def open_named(place: str, keys: str) -> Store:
    return Store.open(make_url(place) if place.startswith("postgresql") else Path(place), load_keys(Path(keys)))


def die_in(place: str, keys: str, wanted: str, when: str) -> None:
    """Run by the child: brings a filing to the state and dies, or dies with the last step not yet committed."""
    store = open_named(place, keys)
    launch = make.start(store).launch
    state = State(wanted)
    events = make.PATHS[state]
    last = events[-1] if events else None
    filing = make.seal(store, launch) if events or when == "after" else None
    report = {"before": filing and filing.state, "filing": filing and filing.id}
    for step in events[:-1]:
        filing = make.STEPS[step](store, launch, filing)  # type: ignore[arg-type]
        report["before"] = filing.state
    print(json.dumps(report), flush=True)
    if when == "before":
        event.listen(store._database.engine, "commit", lambda _: os.kill(os.getpid(), signal.SIGKILL))
    if filing is None:
        make.seal(store, launch)
    if last is not None:
        make.STEPS[last](store, launch, filing)  # type: ignore[arg-type]
    os.kill(os.getpid(), signal.SIGKILL)


def killed(script: str) -> str:
    """What a process prints that ends itself by SIGKILL."""
    top = Path(__file__).parents[2]
    ran = subprocess.run([sys.executable, "-c", script], cwd=top, capture_output=True, text=True, check=False)
    assert ran.returncode == -signal.SIGKILL, ran.stderr
    return ran.stdout


@pytest.fixture
def crashed(tmp_path: Path, place: Path | URL, request: pytest.FixtureRequest) -> Iterator[Crashed]:
    state, when = request.param
    keys = load_keys(tmp_path / "keys.json", create=True)
    where = (str(place), str(tmp_path / "keys.json"))
    report = json.loads(killed(f"from tests.store.test_crash import die_in; die_in(*{where!r}, {state!r}, {when!r})"))
    store = Store.open(place, keys)
    (launch,) = store.launches.end_all("restarted", make.NOW)
    yield store, launch, report
    store.close()


@pytest.mark.parametrize(
    "crashed", [(state, "after") for state in A_CRASH_HERE_MEANS], indirect=True, ids=lambda param: param[0]
)
def test_killed_in_a_state(crashed: Crashed, request: pytest.FixtureRequest) -> None:
    store, launch, report = crashed
    state = request.node.callspec.params["crashed"][0]
    filing = store.filings.get(report["filing"], launch.owner)
    assert str(filing.state) == state
    make.later(store, 91)  # the lease, where there is one
    store.filings.recover()
    after = store.filings.get(filing.id, launch.owner)
    assert str(after.state) == A_CRASH_HERE_MEANS[state]
    assert after.attempt == filing.attempt
    assert after.receipts == filing.receipts
    if not after.finished:
        assert list(store.filings.bodies(after).values()) == [part.body for part in make.parts()]
    assert store.audit.verify().broken == 0


@pytest.mark.parametrize(
    "crashed", [(state, "before") for state in A_CRASH_HERE_MEANS], indirect=True, ids=lambda param: param[0]
)
def test_killed_before_the_commit_stays_in_the_state_before(crashed: Crashed) -> None:
    store, launch, report = crashed
    found = store.filings.outbox(launch.owner)
    assert [str(filing.state) for filing in found] == ([report["before"]] if report["before"] else [])
    assert store.audit.verify().broken == 0


def test_answers_given_before_a_crash_stay(tmp_path: Path, place: Path | URL) -> None:
    keys = load_keys(tmp_path / "keys.json", create=True)
    killed(f"""
import os, signal
from tests.store.make import NOW, draft, start
from tests.store.test_crash import open_named
store = open_named({str(place)!r}, {str(tmp_path / "keys.json")!r})
launch = start(store).launch
made = draft(store, launch)
store.drafts.set_answers(made.id, launch.owner, {{"01": "01-2"}}, NOW)
store.drafts.set_answers(made.id, launch.owner, {{"02": "02-5"}}, NOW)
with store.writing():
    store.drafts.set_answers(made.id, launch.owner, {{"03": "03-1"}}, NOW)
    os.kill(os.getpid(), signal.SIGKILL)
""")
    store = Store.open(place, keys)
    (launch,) = store.launches.end_all("restarted", make.NOW)
    (kept,) = store.drafts.open_for(launch.owner)
    assert kept.codes == {"01": "01-2", "02": "02-5"}
    store.close()
