"""Load, reload, upgrade, conflict, a failure in the middle, and back again: on each kind of server."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from click.testing import Result

from imr_fhir.artefacts import BASE, CODES, GOAL_PROFILE, VERSION, artefact_resources, content_hash
from imr_fhir.loader import apply
from imr_fhir.loader.load import load
from imr_fhir.loader.record import Record
from tests.loader.conftest import client_of, earlier, kept, older, put
from tests.loader.front import Front
from tests.wire_server import Exchange

Command = Callable[..., Result]

ALL = [f"{each['resourceType']}/{each['id']}" for each in artefact_resources()]
CLIENT = "Questionnaire/imr-client-0.1.0"
SAID = {f"{each['resourceType']}/{each['id']}": content_hash(each) for each in artefact_resources()}


def ended(result: Result, code: int) -> Result:
    assert result.exit_code == code, result.output
    return result


def deletes(front: Front) -> bool:
    """The sandbox deletes nothing; there a rollback retires."""
    return not front.token


def test_a_plan_writes_nothing(server: Front, command: Command) -> None:
    planned = ended(command(server), 0)
    assert [line.split()[1] for line in planned.output.splitlines() if line.startswith("  create ")] == ALL
    assert "Nothing has been written; with --yes it is." in planned.output
    assert server.writes == {}


def test_load_then_load_again(server: Front, command: Command) -> None:
    first = ended(command(server, "--yes"), 0)
    assert f"{len(ALL)} written in one transaction, read back and compared." in first.output
    assert server.writes == {"POST": 1}
    assert all(content_hash(kept(server, each)) == SAID[each] for each in ALL)
    second = ended(command(server, "--yes"), 0)
    assert f"{len(ALL)} are there as they should be" in second.output
    assert server.writes == {}
    assert len(server.asked) == 4  # one search a type


def test_one_by_one(server: Front, command: Command) -> None:
    loaded = ended(command(server, "--yes", "--one-by-one"), 0)
    assert f"{len(ALL)} written one by one" in loaded.output
    assert [each.removeprefix("PUT /") for each in server.asked if each.startswith("PUT")] == ALL


def test_a_new_version_stands_beside_the_old_one(server: Front, command: Command) -> None:
    load(client_of(server), older())
    planned = ended(command(server), 0)
    assert "Questionnaire/imr-client-0.0.9 (version 0.0.9, active)" in planned.output
    ended(command(server, "--yes"), 0)
    assert kept(server, "Questionnaire/imr-client-0.0.9")["status"] == "active"
    assert content_hash(kept(server, CLIENT)) == SAID[CLIENT]


def test_old_ones_are_retired_and_come_back(server: Front, command: Command) -> None:
    load(client_of(server), older())
    before = kept(server, "Questionnaire/imr-client-0.0.9")
    ended(command(server, "--yes", "--retire", "0.0.9"), 0)
    assert kept(server, "Questionnaire/imr-client-0.0.9")["status"] == "retired"
    ended(command(server, "--yes", "--retire", "0.0.9"), 0)
    assert server.writes == {}
    ended(command(server, "--rollback", "--yes"), 0)
    assert content_hash(kept(server, "Questionnaire/imr-client-0.0.9")) == content_hash(before)


def test_what_it_wrote_itself_is_updated_and_restored(server: Front, command: Command) -> None:
    load(client_of(server), earlier())
    was = kept(server, CLIENT)
    planned = ended(command(server), 0)
    assert "item[imr].item[04].text" in planned.output
    assert '+ "In a normal week, how many times' in planned.output
    ended(command(server, "--yes"), 0)
    assert content_hash(kept(server, CLIENT)) == SAID[CLIENT]
    ended(command(server, "--rollback", "--yes"), 0)
    assert content_hash(kept(server, CLIENT)) == content_hash(was)


@pytest.mark.parametrize("marked", [True, False])
def test_what_somebody_changed_is_never_written_over(server: Front, command: Command, marked: bool) -> None:
    """With our tag still on it, or without."""
    ended(command(server, "--yes"), 0)
    edited = kept(server, CLIENT) | {"title": "Edited by hand"}
    if not marked:
        del edited["meta"]
    put(server, edited)
    found = ended(command(server, "--yes"), 3)
    assert 'there "Edited by hand"' in found.output
    assert 'ours  "Illness Management' in found.output
    assert server.writes == {}
    assert kept(server, CLIENT)["title"] == "Edited by hand"


def test_a_second_copy_is_a_conflict_with_both_shown(server: Front, command: Command) -> None:
    put(server, artefact_resources()[-2] | {"id": "copy-of-ours", "title": "Copied"})
    ended(command(server, "--yes", "--leave-conflicts"), 3)
    put(server, artefact_resources()[-2])
    found = ended(command(server), 3)
    assert "Questionnaire/copy-of-ours (version 0.1.0, active)" in found.output
    assert f"{CLIENT} (version 0.1.0, active)" in found.output
    assert "it says what ours says" in found.output


def test_an_id_that_is_taken_is_a_conflict(server: Front, command: Command) -> None:
    put(server, artefact_resources()[-2] | {"url": "https://hospital.example/form"})
    found = ended(command(server, "--yes"), 3)
    assert f"{CLIENT} is something else there: https://hospital.example/form" in found.output
    assert server.writes == {}


def test_the_rest_is_loaded_where_asked_for(server: Front, command: Command) -> None:
    put(server, artefact_resources()[-2] | {"title": "Made by hand"})
    ended(command(server, "--yes", "--leave-conflicts"), 3)
    assert kept(server, CLIENT)["title"] == "Made by hand"
    assert all(content_hash(kept(server, each)) == SAID[each] for each in ALL if each != CLIENT)


def test_what_somebody_changes_meanwhile_is_not_written_over(server: Front, command: Command) -> None:
    """Between the plan and the write. A server that does transactions as batches has the rest then."""
    load(client_of(server), earlier())
    edited = kept(server, CLIENT) | {"title": "Edited by hand"}

    def edits(exchange: Exchange) -> bool:
        if exchange.request.method == "POST":
            put(server, edited)
        return False

    server.before = edits
    broken = command(server, "--yes")
    assert broken.exit_code in (1, 4), broken.output
    assert f"not in    {CLIENT}" in broken.output
    assert ("Nothing was written." in broken.output) == (broken.exit_code == 1)
    assert kept(server, CLIENT)["title"] == "Edited by hand"


def breaks_at(count: int) -> Callable[[Exchange], bool]:
    """The server is gone from the ``count``-th write on."""
    seen = [0]

    def fault(exchange: Exchange) -> bool:
        seen[0] += exchange.request.method != "GET"
        if seen[0] >= count and exchange.request.method != "GET":
            exchange.answer(503)
            return True
        return False

    return fault


def test_a_failure_in_the_middle_says_what_is_in_and_goes_on(server: Front, command: Command) -> None:
    server.before = breaks_at(6)
    broken = ended(command(server, "--yes", "--one-by-one"), 4)
    assert f"It broke off: 5 of {len(ALL)} are in." in broken.output
    assert "run the same command again" in broken.output
    assert "(503)" in broken.output
    server.right()
    ended(command(server, "--yes", "--one-by-one"), 0)
    assert server.writes == {"PUT": len(ALL) - 5}
    ended(command(server, "--rollback", "--yes"), 0)  # both halves
    left = [each for each in ALL if server.ask("GET", f"/{each}").status_code == 200]
    assert left == ([] if deletes(server) else ALL)


def test_a_transaction_that_is_refused_leaves_nothing(server: Front, command: Command) -> None:
    def refuses(exchange: Exchange) -> bool:
        if exchange.request.method == "POST":
            exchange.answer(403)
        return exchange.request.method == "POST"

    server.before = refuses
    refused = ended(command(server, "--yes"), 1)
    assert "Nothing was written." in refused.output
    assert "system/Questionnaire.crus" in refused.output
    assert server.ask("GET", f"/{CLIENT}").status_code in (404, 410)


@pytest.mark.parametrize("options", [(), ("--one-by-one",)])
def test_an_answer_that_was_lost_is_no_failure(server: Front, command: Command, options: tuple[str, ...]) -> None:
    lost = [False]

    def loses(exchange: Exchange) -> bool:
        if exchange.request.method == "GET" or lost[0]:
            return False
        lost[0] = True
        exchange.reset()
        return True

    server.after = loses
    ended(command(server, "--yes", *options), 0)
    assert lost[0]
    assert all(content_hash(kept(server, each)) == SAID[each] for each in ALL)


def test_a_rollback_takes_back_what_was_loaded(server: Front, command: Command) -> None:
    ended(command(server, "--yes"), 0)
    planned = ended(command(server, "--rollback"), 0)
    assert f"{len(ALL)} to delete. Nothing has been done; with --yes it is." in planned.output
    assert server.writes == {}
    undone = ended(command(server, "--rollback", "--yes"), 0)
    if deletes(server):
        assert f"{len(ALL)} deleted." in undone.output
        assert [each for each in ALL if server.ask("GET", f"/{each}").status_code == 200] == []
    else:
        assert f"{len(ALL)} retired." in undone.output
        assert {kept(server, each)["status"] for each in ALL} == {"retired"}
    assert "nothing to take back" in ended(command(server, "--rollback", "--yes"), 1).output
    ended(command(server, "--yes"), 0)
    assert all(content_hash(kept(server, each)) == SAID[each] for each in ALL)


@pytest.mark.parametrize(
    "named",
    ["https://w3id.org/imr-fhir/Questionnaire/imr-client|0.1.0", "https://w3id.org/imr-fhir/Questionnaire/imr-client"],
)
def test_what_answers_point_to_stays(server: Front, command: Command, named: str) -> None:
    ended(command(server, "--yes"), 0)
    answers(server, named)
    left = ended(command(server, "--rollback", "--yes"), 3)
    assert f"{CLIENT}: QuestionnaireResponses in the record point to it." in left.output
    assert server.writes == {}


def test_answers_to_another_version_keep_nothing(server: Front, command: Command) -> None:
    ended(command(server, "--yes"), 0)
    answers(server, "https://w3id.org/imr-fhir/Questionnaire/imr-client|0.0.9")
    ended(command(server, "--rollback", "--yes"), 0)


def coded(code: str, system: str = CODES, version: str = VERSION) -> dict[str, Any]:
    return {"coding": [{"system": system, "code": code} | ({"version": version} if version else {})]}


def observation(version: str = VERSION, **more: Any) -> dict[str, Any]:
    return {
        "resourceType": "Observation", "id": "score", "status": "final",
        "code": coded("score-client", version=version), **more,
    }  # fmt: skip


def goal(**more: Any) -> dict[str, Any]:
    return {
        "resourceType": "Goal", "id": "goal", "lifecycleStatus": "active", "description": {"text": "Sing"},
        "subject": {"display": "Anna"}, **more,
    }  # fmt: skip


# fmt: off
RELYING = {
    "a score": (observation(), "CodeSystem/imr-0.1.0: Observations in the record use its codes."),
    "a score of no version": (observation(""), "CodeSystem/imr-0.1.0: Observations in the record use its codes."),
    "an item of a score": (
        observation("0.0.9", component=[{"code": coded("01", f"{BASE}/CodeSystem/imr-client")}]),
        "CodeSystem/imr-client-0.1.0: Observations in the record use its codes."),
    "a goal": (goal(category=[coded("goal")]), "CodeSystem/imr-0.1.0: Goals in the record use its codes."),
    "a goal by its profile": (
        goal(meta={"profile": [GOAL_PROFILE]}),
        "StructureDefinition/imr-goal-0.1.0: Goals in the record name it as their profile."),
}
# fmt: on


@pytest.mark.parametrize("relying", RELYING)
def test_what_scores_and_goals_rely_on_stays(server: Front, command: Command, relying: str) -> None:
    resource, said = RELYING[relying]
    ended(command(server, "--yes"), 0)
    put(server, resource)
    left = ended(command(server, "--rollback", "--yes"), 3)
    assert said in left.output
    assert "more: they belong to " in left.output
    assert server.writes == {}


def test_scores_and_goals_of_another_version_keep_nothing(server: Front, command: Command) -> None:
    """Nor does what names no version, where another version stays that it can mean."""
    load(client_of(server), older())
    ended(command(server, "--yes"), 0)
    put(server, observation("0.0.9"))
    put(server, goal(meta={"profile": [GOAL_PROFILE]}, category=[coded("goal", version="")]))
    ended(command(server, "--rollback", "--yes"), 0)


def test_what_was_changed_since_stays(server: Front, command: Command) -> None:
    ended(command(server, "--yes"), 0)
    put(server, kept(server, CLIENT) | {"title": "Edited by hand"})
    left = ended(command(server, "--rollback", "--yes"), 3)
    assert f"{CLIENT}: It was changed there since it was loaded." in left.output
    assert kept(server, CLIENT)["title"] == "Edited by hand"


def test_what_somebody_else_puts_there_meanwhile_is_never_taken_for_our_own(
    sandbox: Front, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where ids are the server's, a create gives what is there already: a rollback must not take that away."""
    monkeypatch.setattr(apply, "PAUSES", ())
    theirs = {**artefact_resources()[-2], "id": "theirs", "title": "Made by hand"}

    def gives_ids(exchange: Exchange) -> bool:
        request = exchange.request
        if request.method == "PUT":
            exchange.answer(405)
        elif "url=https://w3id.org/imr-fhir/Questionnaire/imr-client&" in request.headers.get("if-none-exist", ""):
            put(sandbox, theirs)
        return request.method == "PUT"

    sandbox.before = gives_ids
    broken = command(sandbox, "--yes", "--one-by-one")
    sandbox.right()
    undone = command(sandbox, "--rollback", "--yes")
    assert kept(sandbox, "Questionnaire/theirs")["title"] == "Made by hand", broken.output + undone.output
    assert kept(sandbox, "Questionnaire/theirs")["status"] == theirs["status"], broken.output + undone.output
    assert broken.exit_code == 4, broken.output
    assert "Questionnaire/theirs was put there meanwhile" in broken.output


def test_json_is_one_value(server: Front, command: Command) -> None:
    told = json.loads(ended(command(server, "--json"), 0).stdout)
    assert {step["action"] for step in told["steps"]} == {"create"}
    told = json.loads(ended(command(server, "--json", "--yes"), 0).stdout)
    assert {(step["action"], step["state"]) for step in told["steps"]} == {("create", "in")}
    told = json.loads(ended(command(server, "--json", "--rollback", "--yes"), 0).stdout)
    assert {step["done"] for step in told["steps"]} == {"deleted" if deletes(server) else "retired"}


def answers(front: Front, questionnaire: str) -> None:
    response: dict[str, Any] = {
        "resourceType": "QuestionnaireResponse", "id": "answered",
        "status": "completed", "questionnaire": questionnaire,
    }  # fmt: skip
    put(front, response)


def test_without_a_record_the_tag_tells_what_is_our_own(server: Front) -> None:
    load(client_of(server), earlier())
    assert [each.state for each in load(client_of(server), artefact_resources(), record=Record()).done] == ["in"] * 4
