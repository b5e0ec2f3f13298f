"""The command line for integration engineers: one function a verb. An error ends in one sentence with its next step."""

from pathlib import Path
from typing import Any

import click

from imr_fhir.artefacts import artefact_resources
from imr_fhir.ehr.address import LOOPBACK, parse
from imr_fhir.ehr.client import FhirClient
from imr_fhir.ehr.transport import Transport
from imr_fhir.errors import ImrError
from imr_fhir.loader.load import load as load_into


class _Verbs(click.Group):
    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except ImrError as error:
            raise click.ClickException(str(error)) from error


@click.group(cls=_Verbs)
def main() -> None:
    """IMR on FHIR: bring the Questionnaires and profiles into a FHIR server."""


@main.command()
@click.argument("url")
@click.option(
    "--token-file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A file that holds the access token, so that it stands in no process list.",
)
def load(url: str, token_file: Path | None) -> None:
    """Put all artefacts into the FHIR server at URL (its base, e.g. https://ehr.example/fhir).

    Running it again writes only what differs.
    """
    target = parse(url)
    transport = Transport([target.origin], allow_loopback_http=target.host in LOOPBACK)
    token = token_file.read_text(encoding="utf-8").strip() if token_file else ""
    client = FhirClient(transport, url, token=(lambda: token) if token else None)
    done = load_into(client, artefact_resources())
    for each in done:
        click.echo(f"{each.action:<10} {each.reference}")
    written = sum(each.action != "unchanged" for each in done)
    click.echo(f"{written} written, {len(done) - written} already there.")
