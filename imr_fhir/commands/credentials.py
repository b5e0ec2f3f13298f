"""Secrets of the command line, from a file or the environment; what is wrong with one is said without showing it.

A file is named for the call. What is in the environment goes along with every call, so it goes to the server alone that
``FOR`` names, whatever address stands on the command line.
"""

import base64
import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from imr_fhir.ehr.address import parse, under
from imr_fhir.ehr.transport import may_be_added
from imr_fhir.errors import RefusedUrl

if TYPE_CHECKING:
    from imr_fhir.ehr.token import PrivateKeyJwt

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
FOR = "IMR_FHIR_SECRETS_FOR"


def one_line(path: Path | None, variable: str, what: str, base: str, *, bearer: bool = False) -> str:
    """What is in the file, else in the environment for ``base``; "" where neither is given. Raises UsageError.

    ``bearer``: it goes into a header as it is, and has no blanks.
    """
    text, place = _text(path, variable, base)
    secret = text.strip("\r\n")
    if bearer:
        secret = secret.strip()
        if secret.lower().startswith("bearer "):
            raise click.UsageError(f"{place} begins with the word Bearer: leave that out, the {what} alone is wanted.")
    if place and not (secret and secret.isprintable() and not (bearer and (" " in secret or not secret.isascii()))):
        raise click.UsageError(f"{place} holds no {what} on one line.")
    return secret


def headers(path: Path | None, variable: str, base: str) -> dict[str, str]:
    """Lines "Name: value"; empty ones and those that begin with "#" are left out. Raises UsageError."""
    text, place = _text(path, variable, base)
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


def _text(path: Path | None, variable: str, base: str) -> tuple[str, str]:
    """And where it comes from, "" where nothing is given."""
    if path is None:
        text = os.environ.get(variable, "")
        return (text, f"${variable}") if text and _is_for(base, variable) else ("", "")
    try:
        text = path.read_bytes().decode("utf-8-sig", "replace")  # an error of the decoder would have the bytes
    except OSError as error:
        raise click.UsageError(f"{path} can't be read ({error.strerror}).") from None
    if "\ufffd" in text:
        raise click.UsageError(f"{path} is no text in UTF-8.")
    return text, str(path)


def _is_for(base: str, variable: str) -> bool:
    """Whether the environment's secrets are for the server at ``base``; says so where they are for another."""
    named = os.environ.get(FOR, "").strip()
    if not named:
        raise click.UsageError(
            f"${variable} is set, and nothing says for which server, so it was sent to none. "
            f"If it is for this one, set {FOR}={base} too; else unset it."
        )
    try:
        parse(named)
    except RefusedUrl:
        raise click.UsageError(f"${FOR} has to be the base of a FHIR server, such as {FOR}={base}.") from None
    try:
        under(base, named)
    except RefusedUrl:
        click.echo(f"${variable} is for {named} (${FOR}), so it is not sent to {base}.", err=True)
        return False
    return True
