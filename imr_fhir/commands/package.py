"""`imr-fhir package`."""

import hashlib
from collections.abc import Mapping
from pathlib import Path

import click

from imr_fhir.commands.output import json_option, say_json, writing
from imr_fhir.packaging.contents import contents


@click.command(short_help="Build the FHIR package, Bundles, and pages to read.")
@click.option(
    "-o",
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("dist"),
    show_default=True,
    help="The folder to write to; empty, or with an earlier build of the same version.",
)
@json_option
def package(output: Path, as_json: bool) -> None:
    """Build the FHIR package, Bundles of all artefacts, and pages to read and print.

    \b
    imr.fhir-VERSION.tgz      the FHIR NPM package, for a server or tool that installs packages
    Bundle-transaction.json   for one POST to a server's base, all or nothing
    Bundle-batch.json         the same for a server without transactions: it answers for each entry
    pages/index.html          the Questionnaires and profiles to read, print and hand on

    The same source gives the same bytes, on any machine. No command reads a package back.
    """
    files = contents()
    _require_room(output, files)
    with writing(output, "What is there is not whole. Name a folder that can be written with --output."):
        for name, content in files.items():
            path = output / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
    if as_json:
        written = [{"file": name, "bytes": len(content), "sha256": _sha256(content)} for name, content in files.items()]
        say_json({"folder": str(output), "files": written})
        return
    for name, content in files.items():
        if not name.startswith("pages/"):
            click.echo(f"{output / name}  {len(content):,} bytes\n  sha256 {_sha256(content)}")
    click.echo(
        f"{output / 'pages' / 'index.html'}  and {sum(name.startswith('pages/') for name in files) - 1} more pages"
    )


def _require_room(output: Path, files: Mapping[str, bytes]) -> None:
    """Pages and packages of two versions in one folder would be handed on as one."""
    there = {path.relative_to(output).as_posix() for path in output.rglob("*") if path.is_file()}
    if others := sorted(there - set(files)):
        more = f" and {len(others) - 1} more" if len(others) > 1 else ""
        raise click.ClickException(
            f"{output} holds what this build does not make: {others[0]}{more}. Nothing was written. "
            "Name an empty folder with --output."
        )


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
