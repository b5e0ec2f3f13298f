"""How commands speak: results on standard output, as text or as one JSON value; all else on standard error."""

import json
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import click

T = TypeVar("T")

json_option = click.option("--json", "as_json", is_flag=True, help="The result as one JSON value, for a script.")


def say_json(value: Any) -> None:
    click.echo(json.dumps(value, ensure_ascii=False, indent=2, default=str))


def progress(items: Iterable[T], label: str, *, length: int | None = None) -> Iterable[T]:
    """``items``, with a bar for a person who waits; a log file or a script sees nothing of it."""
    if not sys.stderr.isatty():
        yield from items
        return
    with click.progressbar(items, label=label, length=length, file=sys.stderr) as bar:
        yield from bar


@contextmanager
def writing(where: Path, next_step: str) -> Iterator[None]:
    """Raises click's error where ``where`` can't be written: no such folder, no right to it, a full disk."""
    try:
        yield
    except OSError as error:
        reason = (error.strerror or "it failed").lower()
        raise click.ClickException(f"{where} can't be written: {reason}. {next_step}") from None
