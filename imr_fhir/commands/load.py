"""`imr-fhir load`."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from imr_fhir.artefacts import artefact_resources
from imr_fhir.commands import load_report, rollback_report
from imr_fhir.commands.exits import Exit
from imr_fhir.commands.next_step import sentences
from imr_fhir.commands.output import json_option, progress, say_json
from imr_fhir.commands.server import Server, server_options
from imr_fhir.errors import Conflict, Forbidden, ImrError, Invalid, LoadError
from imr_fhir.loader.load import Loaded, carry_out, look_and_plan
from imr_fhir.loader.plan import Step
from imr_fhir.loader.record import Record
from imr_fhir.loader.rollback import plan_rollback, roll_back

_TYPES = ("CodeSystem", "ValueSet", "StructureDefinition", "Questionnaire")
_ADVICE: Mapping[type[ImrError], str] = {
    Forbidden: (
        f"The log-in needs the scopes {' '.join(f'system/{name}.crus' for name in _TYPES)}, "
        "and the server has to take these types from it."
    ),
    Conflict: "Somebody changed it meanwhile: look at the plan again.",
    Invalid: "With --one-by-one it shows which of them the server refuses.",
}


@dataclass(frozen=True, slots=True)
class _Asked:
    """The options."""

    yes: bool
    retire: tuple[str, ...]
    leave_conflicts: bool
    one_by_one: bool
    rollback: bool
    as_json: bool


@click.command(short_help="Bring Questionnaires, profiles and code lists into a server.")
@server_options
@click.option("--yes", is_flag=True, help="Do it; without this nothing is written.")
@click.option("--retire", multiple=True, metavar="VERSION", help='Set older artefacts of VERSION to "retired".')
@click.option("--leave-conflicts", is_flag=True, help="Load the rest; what is in conflict stays as it is.")
@click.option("--one-by-one", is_flag=True, help="Write one by one, also where the server has transactions.")
@click.option("--rollback", is_flag=True, help="Take back what the last load wrote.")
@click.option("--record", "path", type=click.Path(path_type=Path), help="The record of what was done to this server.")
@json_option
def load(server: Server, path: Path | None, **options: Any) -> None:
    """Bring the Questionnaires, profiles and code lists into the FHIR server at URL.

    URL is its base, e.g. https://ehr.example/fhir. First it says what it would do; with --yes it does it, and reads
    back what the server has. Running it again writes nothing. It never writes over what it did not write itself.

    What it does is kept in a record beside you (imr-fhir-load-HOST.jsonl, or --record FILE): --rollback needs it, and
    a load that broke off goes on where it was.

    \b
    Exit codes: 0 done, or a plan without conflict; 1 nothing was written, the error says why;
    3 a conflict, the server keeps something in another way than sent, or somebody else wrote there meanwhile;
    4 done in part.
    """
    asked = _Asked(**options)
    _check(asked)
    record = Record(path or default_record(server.base), server.base, datetime.now(UTC))
    try:
        (_roll_back if asked.rollback else _load)(server, record, asked)
    except ImrError as error:
        raise _advised(error) from error


def default_record(base: str) -> Path:
    """In the working directory, one for each server."""
    name = re.sub(r"[^A-Za-z0-9.]+", "-", base.partition("://")[2]).strip("-.")
    return Path(f"imr-fhir-load-{name}.jsonl")


def _check(asked: _Asked) -> None:
    versions = {each["version"] for each in artefact_resources()}  # a translated form has one of its own
    if len(versions) == 1 and (now := versions.pop()) in asked.retire:
        raise click.UsageError(f"{now} is the version that is loaded; only older ones are retired.")
    if asked.retire and asked.rollback:
        raise click.UsageError("--rollback takes back also what --retire did; give one of them.")


def _load(server: Server, record: Record, asked: _Asked) -> None:
    plan = look_and_plan(server.client, artefact_resources(), record, asked.retire)
    loaded = Loaded(plan)
    if asked.yes and (asked.leave_conflicts or not plan.of("conflict")):
        loaded = carry_out(server.client, plan, record, single=asked.one_by_one, each=_with_progress)
    single = loaded.single if loaded.done else asked.one_by_one or not plan.transaction
    if asked.as_json:
        say_json(load_report.as_json(server.base, loaded, record.path, single=single))
    else:
        click.echo("\n".join(load_report.text(server.base, loaded, record.path, single=single, retire=asked.retire)))
    _end(load_report.exit_code(loaded), loaded.error)


def _roll_back(server: Server, record: Record, asked: _Asked) -> None:
    undone = plan_rollback(server.client, record)
    if asked.yes:
        undone = roll_back(server.client, undone, record)
    if asked.as_json:
        say_json(rollback_report.as_json(server.base, undone, record.path, done=asked.yes))
    else:
        click.echo("\n".join(rollback_report.text(server.base, undone, done=asked.yes)))
    _end(rollback_report.exit_code(undone, done=asked.yes), undone.error)


def _with_progress(steps: Sequence[Step]) -> Iterable[Step]:
    return progress(steps, "Writing", length=len(steps))


def _advised(error: ImrError) -> ImrError:
    """The same with the next step for who loads."""
    next_step = next((said for kind, said in _ADVICE.items() if isinstance(error, kind)), "")
    return LoadError(error.message, next_step=next_step) if next_step else error


def _end(code: Exit, error: ImrError | None) -> None:
    if error:
        click.echo(f"Error: {sentences(_advised(error))}", err=True)
    if code:
        raise SystemExit(code)
