"""`imr-fhir translate export` and `imr-fhir translate import`."""

import re
from collections import Counter
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import click

from imr_fhir.commands.exits import Exit
from imr_fhir.commands.output import json_option, say_json, writing
from imr_fhir.ehr.json_writer import write_file
from imr_fhir.translation.check import Checked, check, form_of
from imr_fhir.translation.export import canonical, rows
from imr_fhir.translation.source import code_system_for, questionnaire_at, questionnaire_named
from imr_fhir.translation.table import read_table, write_table
from imr_fhir.translation.taking import Taken, take
from imr_fhir.translation_status import STATUSES, TranslationStatus

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_OUT = click.Path(dir_okay=False, path_type=Path)
_VERSION = re.compile(r"\d+\.\d+\.\d+(-[0-9A-Za-z.-]{1,20})?", re.ASCII)  # semver; it ends the id
_NOT_WHOLE = "Nothing was written. Mend the table, or take what is right with --partial."


@click.group(short_help="Give the texts to translators as a table, and take it back.")
def translate() -> None:
    """Give the texts of a Questionnaire to translators as a table, and take the table back."""


@translate.command("export")
@click.argument("questionnaire")
@click.option("--to", "lang", required=True, metavar="LANGUAGE", help="Language code (BCP 47): nb, nn, se, pt-BR.")
@click.option("-o", "--output", type=_OUT, required=True, help="The table to write, a CSV; a new file.")
@click.option(
    "--before",
    metavar="FILE",
    help="The older version of the form, for which the translations were made: what changed since is stale.",
)
@click.option("--semicolon", is_flag=True, help="Semicolons between cells: Excel in Norway and much of Europe.")
@json_option
def export(questionnaire: str, lang: str, output: Path, before: str | None, semicolon: bool, as_json: bool) -> None:
    """Write the texts of a Questionnaire as a table.

    QUESTIONNAIRE is client, clinician, or a file. A row a text: its key, where it is shown, the English, the
    translation so far, and its status: translated, missing, or stale. Translators fill in the column "translation" and
    change nothing else.
    """
    form = questionnaire_named(questionnaire)
    found = rows(form, lang, before=questionnaire_named(before) if before else None)
    table = write_table(found, ";" if semicolon else ",")
    if output.exists():
        raise click.ClickException(
            f"{output} is there already, perhaps with what translators wrote in it. Nothing was written. "
            "Name another file with --output."
        )
    with writing(output, "Name a file that can be written with --output."), output.open("xb") as file:
        file.write(table)
    count = Counter(row.status for row in found)
    if as_json:
        named = {status: [row.key for row in found if row.status == status] for status in ("missing", "stale")}
        say_json({"file": str(output), "form": canonical(form), "language": lang, "strings": len(found), **named})
        return
    click.echo(f"{output}: {len(found)} texts of {canonical(form)} into {lang}.")
    click.echo(", ".join(f"{count[status]} {status}" for status in ("translated", "missing", "stale")) + ".")


@translate.command("import")
@click.argument("table", type=_FILE)
@click.option("--by", required=True, metavar="NAME", help="Who answers for this translation.")
@click.option("--on", "day", metavar="DATE", help="The day on which they said so, YYYY-MM-DD.  [default: today]")
@click.option(
    "--status",
    type=click.Choice(STATUSES),
    required=True,
    help="reviewed: read by someone competent in both languages; validated: tested with those who answer.",
)
@click.option("--note", default="", help="How it was made and what is missing, in English.")
@click.option(
    "--into",
    type=click.Path(file_okay=False, path_type=Path),
    required=True,
    help="The folder for the Questionnaire and its CodeSystem; files of the same names there are replaced.",
)
@click.option("--questionnaire", help="client, clinician or a file.  [default: the packaged one that the table names]")
@click.option("--code-system", type=_FILE, help="That of its answers.  [default: the packaged one]")
@click.option("--version", default="", help="Of both from now on.  [default: the next minor one if anything changes]")
@click.option("--partial", is_flag=True, help="Take what is right and leave the rest as it is.")
@json_option
def import_(
    table: Path,
    by: str,
    day: str | None,
    status: Any,
    note: str,
    into: Path,
    questionnaire: str | None,
    code_system: Path | None,
    version: str,
    partial: bool,
    as_json: bool,
) -> None:
    """Take a table back.

    The translations in TABLE go into the Questionnaire and into the CodeSystem of its answers. Nothing is written
    unless the table is whole: each text translated, none from an older English text, none that the form does not have.
    With --partial the exit code is 4 where something was left out.
    """
    if partial and status == "validated":
        raise click.UsageError("A translation that is taken in part can't be called validated: leave --partial out.")
    if version and not _VERSION.fullmatch(version):
        raise click.UsageError(f"--version {version!r} is no version like 0.2.0.")
    noted = _one_line(note, "--note").removesuffix(".") if note else ""
    said = TranslationStatus("", status, _one_line(by, "--by"), _day(day), noted)
    lines = read_table(table.read_bytes())
    form = questionnaire_named(questionnaire) if questionnaire else questionnaire_at(form_of(lines))
    codes = code_system_for(form, code_system)
    checked = check(form, lines)
    whole = not checked.findings
    taken = None
    if whole or (partial and checked.taken):
        described = TranslationStatus(checked.lang, said.status, said.by, said.on, said.note)
        taken = take(form, codes, checked.taken, described, version=version)
    files = _write(into, taken) if taken else []
    (_say_json if as_json else _say)(checked, form, taken, files)
    raise SystemExit(Exit.DONE if whole else Exit.PARTLY if taken else Exit.FAILED)


def _one_line(text: str, option: str) -> str:
    if not text.strip() or not text.isprintable():
        raise click.UsageError(f"{option} must be words on one line.")
    return text.strip()


def _day(text: str | None) -> str:
    today = datetime.now(UTC).date()
    try:
        return (date.fromisoformat(text) if text else today).isoformat()
    except ValueError as fault:
        raise click.UsageError(f"--on {text!r} is no day like {today}.") from fault


def _write(into: Path, taken: Taken) -> list[Path]:
    """Both files, each put in place whole."""
    written = []
    with writing(into, "Name a folder that can be written with --into."):
        into.mkdir(parents=True, exist_ok=True)
        for resource in (taken.questionnaire, taken.code_system):
            path = into / f"{resource['resourceType']}-{resource['url'].rsplit('/', 1)[-1]}.json"
            path.with_suffix(".new").write_bytes(write_file(resource))
            written.append(path)
        for path in written:
            path.with_suffix(".new").replace(path)
    return written


def _say(checked: Checked, form: dict[str, Any], taken: Taken | None, files: list[Path]) -> None:
    for finding in checked.findings:
        click.echo(finding, err=True)
    if taken is None:
        click.echo(_NOT_WHOLE, err=True)
        return
    new = canonical(taken.questionnaire)
    click.echo(f"{len(checked.taken)} texts into {checked.lang}, {taken.changed} of them new or changed.")
    if checked.findings:
        click.echo(f"{len(checked.findings)} were left out, as they are named above.")
    click.echo(f"{new}, made from {canonical(form)}." if new != canonical(form) else f"{new}, the same version.")
    for path in files:
        click.echo(path)


def _say_json(checked: Checked, form: dict[str, Any], taken: Taken | None, files: list[Path]) -> None:
    findings = [{"kind": each.kind, "line": each.line, "said": each.said} for each in checked.findings]
    say_json(
        {
            "language": checked.lang,
            "before": canonical(form),
            "after": canonical(taken.questionnaire) if taken else None,
            "taken": len(checked.taken) if taken else 0,
            "changed": taken.changed if taken else 0,
            "findings": findings,
            "files": [str(path) for path in files],
        }
    )
