"""`imr-fhir validate`."""

import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from typing import Any

import click

from imr_fhir.commands.exits import Exit
from imr_fhir.commands.output import json_option, progress, say_json
from imr_fhir.validation.finding import Finding
from imr_fhir.validation.sources import texts
from imr_fhir.validation.validate import Tally
from imr_fhir.validation.validate import validate as findings_in


@click.command()
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@json_option
@click.pass_context
def validate(ctx: click.Context, files: tuple[str, ...], as_json: bool) -> None:
    """Check IMR resources against our profiles and Questionnaires, fast and without Java.

    FILE is a resource or a Bundle in JSON, NDJSON (one resource a line), a folder of such, or - for standard input.

    Each finding has its file, line and column, the path, what is wrong and what to do. Resources that are none of ours
    (a Patient, a laboratory result) are counted as not checked. Nothing is sent anywhere.

    \b
    Exit codes: 0 all that is ours is good (warnings may have been told); 3 something is wrong;
    1 something could not be read.
    """
    tally = Tally()
    given = progress(texts(files, sys.stdin.buffer), "Checking")
    found = findings_in(given, tally)
    if as_json:
        say_json(_as_json(list(found), tally))
    else:
        _say(found, tally)
    ctx.exit(_exit(tally))


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
        yield f"{tally.codes.total():,} findings: {_list(tally.codes)}."
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
