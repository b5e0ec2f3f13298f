"""`imr-app keys`: make a key file, and change its keys while the app runs."""

import sys
import time
from contextlib import closing
from pathlib import Path

import click
from sqlalchemy.engine import URL

from smart_app.cli_options import config_option, exits, opened
from smart_app.config_file import read_config
from smart_app.store.errors import KeyFileError
from smart_app.store.keys import Keys, Kind, add_key, create_key_file, lead_with_youngest, load_keys

REREAD_SECONDS = 120  # each app process looks at its key file once a minute

_audit = click.option("--audit", "kind", flag_value="audit", help="The key of the audit chain, not that of the values.")
_values = click.option("--values", "kind", flag_value="values", default="values", hidden=True)


@click.group()
def keys() -> None:
    """The keys of what is in the store."""


@keys.command(short_help="Make a new key file, for a new store.")
@click.argument("path", type=click.Path(path_type=Path, dir_okay=False))
@exits
def make(path: Path) -> None:
    """Make a new key file at PATH, for a new store. A file that is there stays as it is."""
    if path.exists():
        click.echo(f"{path} exists; it was left as it is.", err=True)
        sys.exit(2)
    create_key_file(path)
    click.echo(f"Keys are in {path}. Keep a copy where you keep your secrets: without it the store can't be read.")


@keys.command(short_help="Add a key that does not write yet.")
@config_option
@_audit
@_values
@exits
def add(path: Path, kind: Kind) -> None:
    """Add a key that does not write yet: where the app runs on several machines, before `rotate`."""
    config = read_config(path)
    add_key(config.keys, kind)
    click.echo(f"Copy {config.keys} to each machine that runs the app. Two minutes later run: imr-app keys rotate")


@keys.command(short_help="Let the youngest key write; seal all values with it.")
@config_option
@_audit
@_values
@exits
def rotate(path: Path, kind: Kind) -> None:
    """Let the youngest key write (a new one, where there is one alone) and seal all values with it, while the app runs.

    It can be stopped and run again at any time. It says when an old key is needed by nothing in the store any more.
    """
    config = read_config(path)
    if isinstance(config.store, URL) and len(load_keys(config.keys).of(kind)) == 1:
        raise KeyFileError(
            "Other machines may run the app too, and must know a key before it writes.",
            next_step="First run: imr-app keys add",
        )
    now = lead_with_youngest(config.keys, kind)
    if kind == "audit":
        click.echo(f"New rows are chained with key {now.audit[0].id}. Keep the old keys: they verify old rows.")
        return
    with closing(opened(config)) as store:
        sealed = sum(store.rotation.run())
        left = store.rotation.left()
    click.echo(f"{sealed} rows were sealed anew with key {now.values[0].id}.")
    click.echo(_next_step(config.keys, now, found=sealed + left))


def _next_step(path: Path, now: Keys, *, found: int) -> str:
    """An app process may have written with an old key as long as it has not read the file again."""
    old = ", ".join(key.id for key in now.values[1:])
    if found or time.time() - path.stat().st_mtime < REREAD_SECONDS:
        return f"Run this again in two minutes: it then says whether {old} can be taken out of {path}."
    return f"Nothing here is sealed with {old}: take it out of {path}, and keep it elsewhere as long as older backups."
