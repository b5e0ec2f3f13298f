"""Two loads at the same time, and what else somebody does between the plan and the write: never two copies unnoticed,
never a silent overwrite, on each kind of server."""

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier, BrokenBarrierError
from typing import Any

import pytest
from click.testing import Result

from imr_fhir.artefacts import artefact_resources, content_hash
from imr_fhir.commands import load_report
from imr_fhir.commands.exits import Exit
from imr_fhir.loader.load import Loaded, load
from imr_fhir.loader.plan import Ours
from imr_fhir.loader.record import Record
from imr_fhir.loader.rollback import plan_rollback, roll_back
from tests.loader.conftest import client_of, earlier, empty, kept, put
from tests.loader.front import Front, front_of
from tests.loader.test_load import gives_ids
from tests.loader.test_servers import ALL, CLIENT, SAID, ended
from tests.servers.medplum import Medplum
from tests.wire_server import Exchange

Command = Callable[..., Result]
FORM = artefact_resources()[-2]


def at_once(front: Front, *wanted: list[dict[str, Any]], folder: Path | None = None) -> list[Loaded]:
    """Each by a load of its own; all have made their plans before any of them writes."""
    barrier, before = Barrier(len(wanted)), front.before

    def waits(exchange: Exchange) -> bool:
        if exchange.request.method != "GET":
            try:
                barrier.wait(5)
            except BrokenBarrierError:  # they have met
                pass
            else:
                barrier.abort()
        return before(exchange)

    front.before = waits
    records = [Record(folder / f"{number}.jsonl" if folder else None, front.base) for number in range(len(wanted))]
    with ThreadPoolExecutor(len(wanted)) as pool:
        done = list(
            pool.map(lambda each: load(client_of(front), each[0], record=each[1]), zip(wanted, records, strict=True))
        )
    front.before = before
    return done


def said(loaded: Loaded) -> str:
    return "\n".join(load_report.text("BASE", loaded, None, single=False, retire=()))


def copies(front: Front) -> list[dict[str, Any]]:
    found = front.ask("GET", f"/Questionnaire?url={FORM['url']}&version={FORM['version']}").json()
    return [entry["resource"] for entry in found.get("entry", [])]


def test_two_loads_of_the_same(server: Front, tmp_path: Path) -> None:
    """Both end well, or are told that another one was there first."""
    both = at_once(server, artefact_resources(), artefact_resources(), folder=tmp_path)
    for each in both:
        assert each.error is None or load_report.exit_code(each) in (Exit.FAILED, Exit.PARTLY), said(each)
    assert any(each.error is None for each in both), [said(each) for each in both]
    assert all(content_hash(kept(server, each)) == SAID[each] for each in ALL)
    assert len(copies(server)) == 1
    assert not load(client_of(server), artefact_resources()).done


def test_two_loads_of_something_else(server: Front) -> None:
    """Whoever comes second does not write over the first, or says so; whoever is written over may have ended before."""
    both = at_once(server, earlier(), artefact_resources())
    stands = content_hash(kept(server, CLIENT))
    won, lost = both if stands != SAID[CLIENT] else both[::-1]
    over = f"over      {CLIENT}: somebody put this there while this ran, and it was written over" in said(won)
    assert over or lost.error is not None, [said(each) for each in both]
    assert (load_report.exit_code(won) is Exit.FOUND) == over or won.error
    assert len(copies(server)) == 1


def test_whoever_is_refused_has_nothing_to_take_back(sandbox: Front, command: Command) -> None:
    """As HAPI does, which refuses one of two at once with 409; most of what the other put there says the same."""

    def loses(exchange: Exchange) -> bool:
        if exchange.request.method != "POST":
            return False
        with front_of(sandbox.behind, sandbox.token) as other:
            load(client_of(other), earlier())
        exchange.answer(409)
        return True

    sandbox.before = loses
    refused = ended(command(sandbox, "--yes"), 1)
    same = refused.output.count("another load put it there while this one ran")
    assert 0 < same < len(ALL)
    assert f"Nothing was written.\nAnother load put {same} of {len(ALL)} there while this one ran." in refused.output
    assert "--rollback" not in refused.output
    assert "nothing to take back" in ended(command(sandbox, "--rollback", "--yes"), 1).output


def test_an_update_that_another_load_made_first_is_not_taken_back(server: Front, command: Command) -> None:
    """It is refused by If-Match, and says what ours says."""
    load(client_of(server), earlier())
    with front_of(server.behind, server.token) as front:
        meanwhile(server, lambda: load(client_of(front), artefact_resources()))
        done = ended(command(server, "--yes", "--one-by-one"), 0)
    assert "another load put it there while this one ran" in done.output
    server.right()
    ended(command(server, "--rollback", "--yes"), 0)
    assert content_hash(kept(server, CLIENT)) == SAID[CLIENT]


@pytest.mark.parametrize("options", [(), ("--one-by-one",)])
def test_what_is_put_under_our_id_meanwhile_is_told_and_put_back(
    server: Front, command: Command, options: tuple[str, ...]
) -> None:
    theirs = FORM | {"title": "Made by hand"}
    meanwhile(server, lambda: put(server, theirs))
    found = ended(command(server, "--yes", *options), 3)
    assert f"over      {CLIENT}: somebody put this there while this ran, and it was written over" in found.output
    assert 'there "Made by hand"' in found.output
    assert f"created   {CLIENT}" in found.output
    server.right()
    undone = ended(command(server, "--rollback", "--yes"), 0)
    assert f"restored  {CLIENT}" in undone.output
    assert kept(server, CLIENT)["title"] == "Made by hand"
    assert not Ours({}).wrote(kept(server, CLIENT)), "by our tag the next load would take it for our own"
    ended(command(server), 3)


def test_what_was_deleted_before_is_not_taken_for_written_over(server: Front, command: Command) -> None:
    put(server, FORM | {"title": "Made by hand"})
    if server.ask("DELETE", f"/{CLIENT}").status_code not in (200, 204):
        pytest.skip("the sandbox deletes nothing")
    if len(server.ask("GET", f"/{CLIENT}/_history").json().get("entry", [])) < 2:
        pytest.skip("the history of Medplum's store in memory forgets what was deleted")
    assert "over " not in ended(command(server, "--yes"), 0).output


def test_a_copy_that_is_made_meanwhile_is_told(server: Front, command: Command) -> None:
    meanwhile(server, lambda: put(server, FORM | {"id": "copy-of-ours"}))
    found = ended(command(server, "--yes"), 3)
    assert (
        "the server has 2 copies of https://w3id.org/imr-fhir/Questionnaire/imr-client, version 0.1.0" in found.output
    )
    assert "Questionnaire/copy-of-ours (version 0.1.0, active)" in found.output
    told = json.loads(ended(command(server, "--json"), 3).stdout)
    assert [step["conflict"] for step in told["steps"] if step["action"] == "conflict"] == ["copies"]


@pytest.fixture(params=["sandbox", pytest.param("strict", marks=pytest.mark.xdist_group("medplum"))])
def choosing(request: pytest.FixtureRequest) -> Iterator[Front]:
    """Servers that choose the ids."""
    if request.param == "sandbox":
        sandbox = request.getfixturevalue("sandbox")
        gives_ids(sandbox)
        yield sandbox
        return
    medplum: Medplum = request.getfixturevalue("medplum_server")
    with front_of(medplum.strict) as front:
        empty(front)
        yield front
        empty(front)


def test_two_loads_where_the_server_chooses_the_ids(choosing: Front) -> None:
    both = at_once(choosing, artefact_resources(), artefact_resources())
    several = len(copies(choosing)) > 1
    assert any(each.error is None for each in both), [said(each) for each in both]
    assert several == any("the server has 2 copies of" in said(each) for each in both)
    assert not several, [said(each) for each in both]


def test_what_another_load_put_there_first_is_not_taken_back(choosing: Front, command: Command) -> None:
    """With ids of the server's a create finds it; the other load has it in its record."""
    theirs: list[Loaded] = []
    meanwhile(choosing, lambda: theirs.append(load(client_of(choosing), artefact_resources())))
    done = ended(command(choosing, "--yes"), 0)
    assert theirs
    assert theirs[0].error is None
    assert done.output.count("another load put it there while this one ran") == len(ALL)
    assert "--rollback here takes nothing back" in done.output
    undone = ended(command(choosing, "--rollback", "--yes"), 0)
    assert undone.output.count("it is as it was before") == len(ALL)
    assert len(copies(choosing)) == 1


def test_something_else_that_was_put_there_first_is_told(choosing: Front, command: Command) -> None:
    meanwhile(choosing, lambda: choosing.ask("POST", "/Questionnaire", json=nameless(FORM | {"title": "Made by hand"})))
    broken = command(choosing, "--yes")
    assert broken.exit_code == 4, broken.output
    assert "was put there meanwhile" in broken.output
    assert [each["title"] for each in copies(choosing)] == ["Made by hand"]


def test_a_server_that_tells_nothing(sandbox: Front, command: Command) -> None:
    """200 for what is new, and no history: that nothing was written over is not said."""

    def silent(exchange: Exchange) -> bool:
        request = exchange.request
        if request.method == "PUT":
            sandbox.ask("PUT", request.path.removeprefix("/fhir"), data=request.body)
            exchange.answer(200)
        elif "/_history" in request.path:
            exchange.answer(404)
        return request.method == "PUT" or "/_history" in request.path

    sandbox.before = silent
    done = ended(command(sandbox, "--yes", "--one-by-one"), 0)
    assert "can't be seen: the server has no history of them" in " ".join(done.output.split())


class TestOneRecord:
    """Two runs on one machine in one folder."""

    def test_only_one_writes(self, sandbox: Front, tmp_path: Path, command: Command) -> None:
        busy = Record(tmp_path / "record.jsonl", sandbox.base)
        step = {"target": CLIENT, "url": FORM["url"], "version": FORM["version"], "sent": SAID[CLIENT], "before": None}
        with busy.begin("apply"):
            busy.write("sending", steps=[step])
            for options in (["--yes"], ["--rollback", "--yes"]):
                assert "Another load writes to the record" in ended(command(sandbox, *options), 1).output
                assert sandbox.writes == {}
            ended(command(sandbox), 0)  # a plan is shown all the same

    def test_a_plan_from_before_another_one_wrote_is_not_carried_out(self, sandbox: Front, tmp_path: Path) -> None:
        early = Record(tmp_path / "record.jsonl", sandbox.base)
        load(client_of(sandbox), earlier(), record=Record(tmp_path / "record.jsonl", sandbox.base))
        sandbox.asked.clear()
        with pytest.raises(Exception, match="Another load wrote to the record"):
            load(client_of(sandbox), artefact_resources(), record=early)
        assert sandbox.writes == {}


def test_what_is_changed_just_before_it_is_deleted_stays(server: Front, tmp_path: Path) -> None:
    record = Record(tmp_path / "record.jsonl", server.base)
    load(client_of(server), artefact_resources(), record=record)
    planned = plan_rollback(client_of(server), record)
    put(server, kept(server, CLIENT) | {"title": "Edited by hand"})
    undone = roll_back(client_of(server), planned, record)
    assert undone.error
    assert f"{CLIENT} was changed there just now" in undone.error.message
    assert kept(server, CLIENT)["title"] == "Edited by hand"


def meanwhile(front: Front, act: Callable[[], Any]) -> None:
    """Once, when the plan is made and the first write comes."""
    acted, before = [False], front.before

    def acts(exchange: Exchange) -> bool:
        if exchange.request.method != "GET" and not acted[0]:
            acted[0] = True
            act()
        return before(exchange)

    front.before = acts


def nameless(resource: dict[str, Any]) -> dict[str, Any]:
    return json.loads(json.dumps({name: value for name, value in resource.items() if name != "id"}, default=str))
