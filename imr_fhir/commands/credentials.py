"""Secrets of the command line, from a file or the environment; what is wrong with one is said without showing it."""

import base64
import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from imr_fhir.ehr.transport import may_be_added

if TYPE_CHECKING:
    from imr_fhir.ehr.token import PrivateKeyJwt

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


def one_line(path: Path | None, variable: str, what: str, *, bearer: bool = False) -> str:
    """What is in the file, else in the environment; "" where neither is given. Raises UsageError.

    ``bearer``: it goes into a header as it is, and has no blanks.
    """
    text, place = _text(path, variable)
    secret = text.strip("\r\n")
    if bearer:
        secret = secret.strip()
        if secret.lower().startswith("bearer "):
            raise click.UsageError(f"{place} begins with the word Bearer: leave that out, the {what} alone is wanted.")
    if place and not (secret and secret.isprintable() and not (bearer and (" " in secret or not secret.isascii()))):
        raise click.UsageError(f"{place} holds no {what} on one line.")
    return secret


def headers(path: Path | None, variable: str) -> dict[str, str]:
    """Lines "Name: value"; empty ones and those that begin with "#" are left out. Raises UsageError."""
    text, place = _text(path, variable)
    found = {}
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        name, colon, value = (part.strip() for part in line.partition(":"))
        if not colon or not value or not may_be_added(name, value):
            why = "the options for logging in set that one" if name.lower() == "authorization" else "write Name: value"
            raise click.UsageError(f"{place} line {number} is no header that can be added: {why}.")
        found[name] = value
    return found


def basic(user: str, password: str) -> dict[str, str]:
    """RFC 7617. Raises UsageError."""
    if ":" in user or not user.isprintable():
        raise click.UsageError("--user can't have a colon or a control character (RFC 7617).")
    pair = base64.b64encode(f"{user}:{password}".encode()).decode()
    return {"Authorization": f"Basic {pair}"}


def key(path: Path, client_id: str, *, kid: str, jku: str) -> "PrivateKeyJwt":
    """Raises UsageError."""
    from imr_fhir.ehr.token import private_key_jwt  # a third of the time that a command takes to start

    try:
        return private_key_jwt(client_id, path.read_bytes(), kid=kid, jku=jku)
    except ValueError as error:
        raise click.UsageError(f"{path}: {error}") from None


def _text(path: Path | None, variable: str) -> tuple[str, str]:
    """And where it comes from, "" where nothing is given."""
    if path is None:
        return os.environ.get(variable, ""), f"${variable}" if os.environ.get(variable) else ""
    try:
        text = path.read_bytes().decode("utf-8-sig", "replace")  # an error of the decoder would have the bytes
    except OSError as error:
        raise click.UsageError(f"{path} can't be read ({error.strerror}).") from None
    if "\ufffd" in text:
        raise click.UsageError(f"{path} is no text in UTF-8.")
    return text, str(path)
