"""`imr-fhir completion`: what a shell needs to complete verbs and options."""

import click
from click.shell_completion import get_completion_class

SHELLS = ("bash", "zsh", "fish")


@click.command()
@click.argument("shell", type=click.Choice(SHELLS))
@click.pass_context
def completion(ctx: click.Context, shell: str) -> None:
    """Print the completion script for SHELL.

    \b
    bash:  imr-fhir completion bash > ~/.local/share/bash-completion/completions/imr-fhir
    zsh:   imr-fhir completion zsh > a folder of your $fpath, as _imr-fhir
    fish:  imr-fhir completion fish > ~/.config/fish/completions/imr-fhir.fish
    """
    root = ctx.find_root()
    kind = get_completion_class(shell)
    assert kind is not None, shell
    click.echo(kind(root.command, {}, "imr-fhir", "_IMR_FHIR_COMPLETE").source())
