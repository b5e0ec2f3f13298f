"""The FHIR server that a command speaks with, and how it authenticates there: options that each such verb shares.

A secret comes from a file or from the environment, never from the command line, which others on a machine
can read.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Any

import click

from imr_fhir.ehr.address import LOOPBACK, parse
from imr_fhir.ehr.client import FhirClient
from imr_fhir.ehr.transport import Transport

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@dataclass(frozen=True, slots=True)
class Server:
    """``base``: the server's FHIR address."""

    base: str
    transport: Transport
    client: FhirClient


def server_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The argument URL and the options for authentication; the command is called with ``server``."""

    @click.argument("url")
    @click.option("--token-file", type=_FILE, help="A file that holds the access token.")
    @wraps(command)
    def with_server(url: str, token_file: Path | None, **others: Any) -> Any:
        return command(server=_server(url, token_file), **others)

    return with_server


def _server(url: str, token_file: Path | None) -> Server:
    target = parse(url)
    transport = Transport([target.origin], allow_loopback_http=target.host in LOOPBACK)
    token = token_file.read_text(encoding="utf-8").strip() if token_file else ""
    return Server(url, transport, FhirClient(transport, url, token=(lambda: token) if token else None))
