"""`imr-fhir validate`."""

import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from imr_fhir.commands.credentials import FILE
from imr_fhir.commands.exits import Exit
from imr_fhir.commands.output import json_option, progress, say_json
from imr_fhir.commands.server import Server, optional_server_options
from imr_fhir.validation.finding import Finding
from imr_fhir.validation.hl7 import ByJar, ByServer, Engine, validate_by
from imr_fhir.validation.sources import texts
from imr_fhir.validation.validate import Tally
from imr_fhir.validation.validate import validate as findings_in


@click.command(short_help="Check IMR resources, fast and without Java.")
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@json_option
@click.option(
    "--engine",
    type=click.Choice(("own", "hl7")),
    default="own",
    show_default=True,
    help="hl7: by HL7's validator in Java, with --server or --validator-jar.",
)
@click.option(
    "--validator-jar",
    type=FILE,
    envvar="IMR_FHIR_VALIDATOR_JAR",
    show_envvar=True,
    help="HL7's validator_cli.jar; needs java.",
)
@optional_server_options
@click.pass_context
def validate(
    ctx: click.Context,
    server: Server | None,
    files: tuple[str, ...],
    as_json: bool,
    engine: str,
    validator_jar: Path | None,
) -> None:
    """Check IMR resources against our profiles and Questionnaires, fast and without Java.

    FILE is a resource or a Bundle in JSON, NDJSON (one resource a line), a folder of such, or - for standard input.

    Each finding has its file, line and column, the path, what is wrong and what to do. Resources that are none of ours
    (a Patient, a laboratory result) are counted as not checked. Nothing is sent anywhere.

    --engine hl7 lets HL7's validator judge, which knows all of R4, takes 30 to 300 ms for each resource, and compares
    no displays and scores. --server is a FHIR server with $validate that has our artefacts (imr-fhir load), or that
    validator run as a server (http://127.0.0.1:8082/validateResource). The resources are sent there.

    \b
    Exit codes: 0 all that is ours is good (warnings may have been told); 3 something is wrong;
    1 something could not be read.
    """
    if server and engine == "own":
        raise click.UsageError("--server goes with --engine hl7: our own validator asks no server.")
    tally = Tally()
    given = progress(texts(files, sys.stdin.buffer), "Checking")
    found = findings_in(given, tally) if engine == "own" else validate_by(_engine(server, validator_jar), given, tally)
    if as_json:
        say_json(_as_json(list(found), tally))
    else:
        # On one screen the bar would run through the findings, so they wait for its end.
        _say(list(found) if sys.stderr.isatty() and sys.stdout.isatty() else found, tally)
    ctx.exit(_exit(tally))


def _engine(server: Server | None, jar: Path | None) -> Engine:
    if server:
        return ByServer(server.client)
    if jar:
        return ByJar(jar)
    raise click.UsageError("--engine hl7 needs --server or --validator-jar.")


def _exit(tally: Tally) -> Exit:
    if tally.unreadable:
        return Exit.FAILED
    return Exit.FOUND if tally.errors else Exit.DONE


def _say(found: Iterable[Finding], tally: Tally) -> None:
    for finding in found:
        where = f"{finding.file}:{finding.line}:{finding.column}" if finding.line else finding.file
        click.echo(
            f"{where}: {finding.severity} [{finding.code}]" + (f" {finding.resource}" if finding.resource else "")
        )
        if finding.path:
            click.echo(f"    {finding.path}")
        click.echo(f"    {finding.message}\n    {finding.next_step}\n")
    for line in _summary(tally):
        click.echo(line)


def _summary(tally: Tally) -> Iterator[str]:
    for what, counted in (
        ("good", tally.good),
        ("with errors", tally.broken),
        ("not checked, being none of ours", tally.not_checked),
    ):
        if counted:
            yield f"{counted.total():,} {what}: {_list(counted)}."
    if tally.other_profiles:
        yield f"Not checked against others' profiles that they claim: {_list(tally.other_profiles)}."
    if tally.unreadable:
        yield f"{tally.unreadable:,} could not be read."
    if tally.codes:
        total = tally.codes.total()
        yield f"{total:,} finding{'' if total == 1 else 's'}: {_list(tally.codes)}."
    elif not tally.good:
        yield "Nothing of ours was in it, so nothing was checked."


def _list(counted: Counter[str]) -> str:
    return ", ".join(f"{name} {number:,}" for name, number in counted.most_common())


def _as_json(found: list[Finding], tally: Tally) -> dict[str, Any]:
    """FHIR's and JavaScript's way of writing names."""
    return {
        "good": tally.good,
        "broken": tally.broken,
        "notChecked": tally.not_checked,
        "otherProfiles": tally.other_profiles,
        "unreadable": tally.unreadable,
        "findings": [
            {("nextStep" if name == "next_step" else name): value for name, value in asdict(finding).items()}
            for finding in found
        ],
    }
