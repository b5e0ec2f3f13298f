"""`imr-fhir`, for integration engineers and auditors: one module of `imr_fhir.commands` a verb.

An error ends in one sentence with its next step, on standard error; the exit codes stand in `imr_fhir.commands.exits`.
"""

from importlib import import_module
from typing import Any

import click

from imr_fhir.commands.next_step import sentences
from imr_fhir.errors import ImrError

# In the order in which an integration engineer needs them, then an auditor; each is loaded when it is run.
VERBS = ("load", "check", "validate", "package", "translate", "export", "report", "completion")


class _Verbs(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        return list(VERBS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:  # noqa: ARG002
        if name not in VERBS:
            return None
        command: click.Command = getattr(import_module(f"imr_fhir.commands.{name}"), name)
        return command

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except ImrError as error:
            raise click.ClickException(sentences(error)) from error  # it exits with Exit.FAILED


@click.group(cls=_Verbs)
@click.version_option(package_name="imr-fhir")
def main() -> None:
    """IMR on FHIR: bring the Questionnaires and profiles into a hospital's FHIR server, and reports out of it.

    \b
    Exit codes: 0 done; 1 not done, the error says why; 2 the command line is wrong;
    3 done, and what was looked for was found (a conflict, a finding, a "no"); 4 done in part.
    """
