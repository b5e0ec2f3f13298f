"""`imr-fhir load`."""

import click

from imr_fhir.artefacts import artefact_resources
from imr_fhir.commands.server import Server, server_options
from imr_fhir.loader.load import load as load_into


@click.command()
@server_options
def load(server: Server) -> None:
    """Put all artefacts into the FHIR server at URL (its base, e.g. https://ehr.example/fhir).

    Running it again writes only what differs.
    """
    done = load_into(server.client, artefact_resources())
    for each in done:
        click.echo(f"{each.action:<10} {each.reference}")
    written = sum(each.action != "unchanged" for each in done)
    click.echo(f"{written} written, {len(done) - written} already there.")
