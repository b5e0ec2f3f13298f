"""What the commands of `imr-app` share: the settings file, the store behind it, and how a command ends."""

import sys
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

import click

from imr_fhir.errors import ImrError
from smart_app.config import AppConfig
from smart_app.store import Store
from smart_app.store.keys import load_keys

config_option = click.option(
    "--config",
    "path",
    type=click.Path(path_type=Path, dir_okay=False),
    default=Path("imr-app.toml"),
    show_default=True,
    envvar="IMR_APP_CONFIG",
    help="The settings file.",
)


def exits(command: Callable[..., None]) -> Callable[..., None]:
    """What stands in the way as its sentences and exit code 2, without a traceback."""

    @wraps(command)
    def run(*args: Any, **kwargs: Any) -> None:
        try:
            command(*args, **kwargs)
        except (ImrError, OSError) as error:
            click.echo(str(error), err=True)
            sys.exit(2)

    return run


def opened(config: AppConfig) -> Store:
    return Store.open(config.store, load_keys(config.keys))
