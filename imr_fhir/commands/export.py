"""`imr-fhir export`."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any, get_args

import click

from imr_fhir.commands.exits import Exit
from imr_fhir.commands.export_told import Progress, told
from imr_fhir.commands.output import json_option, say_json
from imr_fhir.commands.server import Server, reading_server_options
from imr_fhir.ehr.outcome import plain
from imr_fhir.errors import ResourceError
from imr_fhir.fhir_time import parse_date_time
from imr_fhir.reporting.export.allowed import TYPES
from imr_fhir.reporting.export.asked import Asked
from imr_fhir.reporting.export.export import GO_ON, How, Options
from imr_fhir.reporting.export.export import export as export_into
from imr_fhir.reporting.export.key_file import pseudonyms, require_outside
from imr_fhir.reporting.export.ledger import private_folder
from imr_fhir.reporting.export.manifest import is_whole
from imr_fhir.reporting.export.pseudonym import Pseudonyms

KEY = Path(click.get_app_dir("imr-fhir")) / "pseudonyms.key"
_FOLDER = click.Path(file_okay=False, path_type=Path)


def _since(_: click.Context, __: click.Parameter, value: str) -> str:
    try:
        if value:
            parse_date_time(value)
    except ResourceError as error:
        raise click.BadParameter(error.message) from None
    return value


@click.command(short_help="Fetch what an IMR report needs, without names.")
@reading_server_options
@click.argument("folder", metavar="DIR", type=_FOLDER)
@click.option("--group", default="", help="Id of a Group: only its patients.")
@click.option("--system", "whole_system", is_flag=True, help="All of the server, not only what is a patient's.")
@click.option("--type", "types", multiple=True, type=click.Choice(TYPES), help="Only this type. May be given again.")
@click.option("--since", default="", callback=_since, help="Only what has changed since this time (first run only).")
@click.option("--anew", is_flag=True, help="Throw away what is in DIR, and begin anew.")
@click.option(
    "--how",
    type=click.Choice(get_args(How)),
    default="auto",
    help="By $export, or page by page.  [default: by what it has]",
)
@click.option("--post", is_flag=True, help="Begin the $export with POST.")
@click.option(
    "--pseudonym-key",
    type=click.Path(dir_okay=False, path_type=Path),
    default=KEY,
    show_default=True,
    help="File with the key of the pseudonyms; made on first use. It stays with the hospital.",
)
@click.option("--keep-ids", is_flag=True, help="Leave ids as they are, without pseudonyms.")
@click.option("--shift-dates", is_flag=True, help="Move all dates of a patient back by the same 1 to 52 weeks.")
@click.option("--with-free-text", is_flag=True, help="Also what people wrote: comments, goals, reasons.")
@click.option("--with-unit-names", is_flag=True, help="Units under their own ids and names.")
@click.option(
    "--code-system", "systems", multiple=True, metavar="URL", help="Of a site's own codes. May be given again."
)
@click.option(
    "--episode-type",
    "episode_types",
    multiple=True,
    metavar="SYSTEM|CODE",
    help="Of a course of IMR. May be given again.",
)
@click.option(
    "--courses",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The hospital's table of courses (CSV), where the EHR has no EpisodeOfCare.",
)
@click.option("--keep-raw", type=_FOLDER, help="A folder, not in DIR, for what came as it came: identified.")
@json_option
def export(server: Server, folder: Path, as_json: bool, **given: Any) -> None:
    """Fetch what an IMR report needs from the FHIR server at URL into DIR, without names.

    Bulk Data ($export) where the server has it, else plain search. Run it again to go on after a break, and later to
    fetch what has changed since. DIR holds one resource a line (Type-00001.ndjson) and manifest.json.

    Only listed elements leave, ids as keyed pseudonyms: docs/reporting.md says which.
    """
    if given["keep_ids"] and given["shift_dates"]:
        raise click.UsageError("--shift-dates needs the key of the pseudonyms: leave --keep-ids out.")
    if given["group"] and given["whole_system"]:
        raise click.UsageError("--group and --system: give one of them.")
    raw = given["keep_raw"]
    if raw:
        require_outside(raw, folder, "--keep-raw")
        private_folder(raw)
    key = None if given["keep_ids"] else _key(given["pseudonym_key"], folder)
    asked = Asked(
        server.client.base,
        "group" if given["group"] else "system" if given["whole_system"] else "patient",
        given["group"],
        given["types"] or TYPES,
        free_text=given["with_free_text"],
        unit_names=given["with_unit_names"],
        shift_dates=given["shift_dates"],
        systems=given["systems"],
        episode_types=given["episode_types"],
        pseudonyms=key,
    )
    options = Options(given["how"], given["post"], given["since"], given["anew"], raw, given["courses"])
    with Progress() as progress:
        try:
            exported = export_into(server.client, folder, asked, options, now=datetime.now(UTC), tell=progress.tell)
        except KeyboardInterrupt:
            progress.clear()
            click.echo(f"Stopped. {GO_ON}", err=True)
            raise
    manifest = exported.manifest
    for system, count in exported.unknown_systems.items():
        stayed = f"{count:,} codes of {plain(system, 100)} stayed behind."
        click.echo(f"{stayed} If they are no person's words, --code-system lets them out.", err=True)
    if as_json:
        say_json(manifest)
    else:
        for line in told(manifest, folder):
            click.echo(line)
    if not is_whole(manifest):
        click.get_current_context().exit(Exit.PARTLY)


def _key(path: Path, folder: Path) -> Pseudonyms:
    key, made = pseudonyms(path, outside=folder)
    if made:
        kept = "Keep it safe, at the hospital: with another key, or without it, a later export does not fit this one."
        click.echo(f"A new key of pseudonyms is in {path}. {kept}", err=True)
    return key
