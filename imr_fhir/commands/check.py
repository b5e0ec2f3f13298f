"""`imr-fhir check`."""

from datetime import UTC, datetime

import click

from imr_fhir.checking.check import Asked
from imr_fhir.checking.check import check as look_at
from imr_fhir.commands.check_table import table
from imr_fhir.commands.exits import Exit
from imr_fhir.commands.output import json_option, say_json
from imr_fhir.commands.server import Server, reading_server_options
from imr_fhir.ehr.address import is_id


def _id(_ctx: click.Context, option: click.Parameter, value: str) -> str:
    """The id alone, also of ``Patient/12``."""
    found = value.rpartition("/")[2]
    if value and (not is_id(found) or found.startswith("-")):  # another option, where a variable was empty
        raise click.BadParameter(f"{value!r} is no id; give it as in --{option.name} 12.")
    return found


@click.command(short_help="Say what of the app works with an EHR, and how to set it up.")
@click.option("--patient", default="", metavar="ID", callback=_id, help="The id of a patient whose record may be read.")
@click.option("--write", is_flag=True, help="Try the writes too, on a TEST patient, and take them back.")
@click.option(
    "--encounter", default="", metavar="ID", callback=_id, help="A visit of that patient, for what is filed under one."
)
@json_option
@reading_server_options
@click.pass_context
def check(ctx: click.Context, server: Server, patient: str, write: bool, encounter: str, as_json: bool) -> None:
    """Say what of the app works with the EHR at URL (its FHIR base), and how to set the app up for it.

    Each thing that the app needs is tried, not only looked up. Nothing is written without --write, and without
    --patient nobody's record is read.

    \b
    Each line says one of: yes; no; says yes but fails; works though not advertised; can't tell.
    Exit code 0: all that was tried and that the app uses works; 3: something of it does not;
    4: of something that was tried nobody could see what came of it.
    """
    if write and not patient:
        raise click.UsageError("--write needs --patient, the id of a test patient: never a real one.")
    visit = f"Encounter/{encounter}" if encounter else ""
    granted = server.service.granted if server.service else None
    asked = Asked(patient, visit, write, server.headers, server.ca, granted)
    report = look_at(server.transport, server.client, asked, now=datetime.now(UTC), tell=_tell)
    say_json(report.as_json()) if as_json else click.echo(table(report, width=_width()))
    ctx.exit(Exit.FOUND if report.wanting else Exit.PARTLY if report.unseen else Exit.DONE)


def _tell(what: str) -> None:
    click.echo(f"… {what}", err=True)


def _width() -> int:
    """Of a terminal; of a file, wide enough that few lines are broken."""
    import shutil

    return max(80, shutil.get_terminal_size((120, 24)).columns)
