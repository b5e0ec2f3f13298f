"""The FHIR server that a command speaks with, and how it logs in there: options that each such verb shares.

A secret comes from a file or from the environment, never from the command line, which others on a machine can read;
one from the environment is for the server that ``$IMR_FHIR_SECRETS_FOR`` names (`credentials`).
"""

import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from imr_fhir.commands.credentials import FILE, FOR, basic, headers, key, one_line
from imr_fhir.ehr.address import LOOPBACK, PAGES_OF_A_BASE, parse
from imr_fhir.ehr.client import FhirClient
from imr_fhir.ehr.transport import Transport
from imr_fhir.errors import RefusedUrl

if TYPE_CHECKING:
    from imr_fhir.ehr.backend_services import BackendServices

TOKEN, PASSWORD, HEADERS = "IMR_FHIR_TOKEN", "IMR_FHIR_PASSWORD", "IMR_FHIR_HEADERS"


@dataclass(frozen=True, slots=True)
class Server:
    """``base``: the server's FHIR address. ``service``: the log-in as a backend service, None where it is another.

    ``headers``: names of those that go with each call. ``ca``: the file of certificate authorities, "" for the public.
    """

    base: str
    transport: Transport = field(repr=False)
    client: FhirClient = field(repr=False)
    service: "BackendServices | None" = field(default=None, repr=False)
    headers: tuple[str, ...] = ()
    ca: str = ""


_AND_FOR = f"with ${FOR}"

_OPTIONS = (
    click.option("--token-file", type=FILE, help=f"Bearer: a file with the access token. Or ${TOKEN} {_AND_FOR}."),
    click.option("--user", help="Basic: the user's name."),
    click.option("--password-file", type=FILE, help=f"Basic: a file with the password. Or ${PASSWORD} {_AND_FOR}."),
    click.option("--client-id", help="SMART backend services: the client id that the server gave."),
    click.option("--key-file", type=FILE, help="... its private key in PEM: RSA (RS384) or EC P-384 (ES384)."),
    click.option("--kid", default="", help="... the key's id there.  [default: its RFC 7638 thumbprint]"),
    click.option("--jku", default="", help="... the address of our JWKS, where the server fetches it."),
    click.option("--scope", default="", help="... what to ask for, a blank between.  [default: system/*, as needed]"),
    click.option("--token-url", default="", help="... the token endpoint, where the server does not say it."),
    click.option("--header-file", type=FILE, help=f'Lines "Name: value", sent on each call. Or ${HEADERS} {_AND_FOR}.'),
    click.option("--ca", type=FILE, help="Certificate authorities in PEM, instead of the public ones."),
    click.option(
        "--allow-host",
        "hosts",
        multiple=True,
        metavar="https://HOST",
        help="Another host that may be called, such as the log-in's. May be given again.",
    ),
)


_URL = click.argument("url")


def _options(
    rights: Callable[[Mapping[str, Any]], str], where: Callable[..., Any] = _URL
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """``rights``: what a backend service asks for, by the verb's own options. ``where`` gives ``url``."""

    def decorate(command: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(command)
        def with_server(**given: Any) -> Any:
            others = {name: given.pop(name) for name in list(given) if name not in _NAMES}
            return command(server=_server(rights=rights(others), **given) if given["url"] else None, **others)

        decorated: Any = with_server
        # Whoever reads --help looks for what the verb does; how to log in comes after it.
        own, decorated.__click_params__ = getattr(command, "__click_params__", []), []
        for option in reversed(_OPTIONS if where is _URL else (where, *_OPTIONS)):
            decorated = option(decorated)
        decorated.__click_params__ += own
        done: Callable[..., Any] = where(decorated) if where is _URL else decorated
        return done

    return decorate


server_options = _options(lambda _: "cruds")
"""The argument URL and the options for authentication; the command is called with ``server``."""

reading_server_options = _options(lambda others: "cruds" if others.get("write") else "rs")
"""The same for a verb that writes nothing, unless it has an option ``write`` and that is given."""

optional_server_options = _options(
    lambda _: "rs", click.option("--server", "url", metavar="URL", help="A server; how to log in there, with it:")
)
"""The same for a verb that needs no server: the option --server, and ``server`` may be None."""

_NAMES = frozenset(
    (
        "url", "token_file", "user", "password_file", "client_id", "key_file", "kid", "jku", "scope", "token_url",
        "header_file", "ca", "hosts",
    )
)  # fmt: skip


def _server(
    *,
    url: str,
    hosts: tuple[str, ...],
    ca: Path | None,
    header_file: Path | None,
    rights: str,
    **login: Any,
) -> Server:
    url = _base(url)
    target = parse(url)
    extra = headers(header_file, HEADERS, url)
    try:
        transport = Transport(
            [target.origin, *(parse(host).origin for host in hosts)],
            allow_loopback_http=target.host in LOOPBACK,
            extra_headers=extra,
            ca=str(ca) if ca else None,
            to_allow="add --allow-host {host}",
        )
    except ssl.SSLError as error:
        raise click.UsageError(f"{ca} has no certificate in PEM ({error.reason}).") from None
    transport.check(url)
    server = _logged_in(url, transport, rights, **login)
    return replace(server, headers=tuple(extra), ca=str(ca) if ca else "")


def _base(url: str) -> str:
    """The FHIR base without a slash at its end, as it stands in the record and in what is told."""
    base = url.rstrip("/")
    try:
        parse(base)
    except RefusedUrl as error:
        raise click.UsageError(
            f"{error.message} Give the FHIR base, such as https://ehr.hospital.example/fhir."
        ) from None
    plain, query, _ = base.partition("?")
    page = next((page for page in PAGES_OF_A_BASE if plain.endswith(page)), "")
    if page or query:
        what = "has a question mark" if query else f"is the {PAGES_OF_A_BASE[page]}"
        raise click.UsageError(f"{base} {what}: the FHIR base is {plain.removesuffix(page).rstrip('/')}.")
    return base


def _logged_in(
    url: str,
    transport: Transport,
    rights: str,
    *,
    token_file: Path | None,
    user: str | None,
    password_file: Path | None,
    client_id: str | None,
    key_file: Path | None,
    kid: str,
    jku: str,
    scope: str,
    token_url: str,
) -> Server:
    """What is on the command line goes before what is in the environment."""
    ways = {"--token-file": token_file, "--user": user, "--client-id": client_id}
    given = [name for name, value in ways.items() if value]
    if len(given) > 1:
        raise click.UsageError(f"{' and '.join(given)} are ways to log in: give one of them.")
    _go_with("--user", user, {"--password-file": password_file})
    _go_with("--client-id", client_id, {"--key-file": key_file, "--kid": kid, "--jku": jku, "--token-url": token_url})
    if client_id:
        from imr_fhir.ehr.backend_services import BackendServices

        if key_file is None:
            raise click.UsageError("--client-id needs --key-file, the private key in PEM.")
        service = BackendServices(
            transport,
            url,
            key(key_file, client_id, kid=kid, jku=jku),
            clock=lambda: datetime.now(UTC),
            scopes=scope,
            rights=rights,
            token_url=token_url,
        )
        return Server(url, transport, service.client(), service)
    if user:
        password = one_line(password_file, PASSWORD, "password", url)
        if not password:
            raise click.UsageError(f"--user needs --password-file, or the password in ${PASSWORD}.")
        return Server(url, transport, FhirClient(transport, url, headers=basic(user, password)))
    token = one_line(token_file, TOKEN, "access token", url, bearer=True)
    return Server(url, transport, FhirClient(transport, url, token=(lambda: token) if token else None))


def _go_with(leader: str, value: str | None, others: Mapping[str, object]) -> None:
    alone = [name for name, other in others.items() if other]
    if alone and not value:
        raise click.UsageError(f"{alone[0]} goes with {leader}.")
