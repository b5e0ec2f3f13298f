"""Reads the settings file: one TOML with a table [app] and a table [sites.<name>] a hospital.

A file with any mistake is refused as a whole; each mistake is told with its place and the line to write instead.
"""

import difflib
import json
import os
import re
import tomllib
import types
from collections.abc import Iterator, Mapping
from dataclasses import MISSING
from dataclasses import fields as dataclass_fields
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from marshmallow import Schema, ValidationError
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from imr_fhir.ehr.address import PAGES_OF_A_BASE, parse
from imr_fhir.ehr.transport import may_be_added
from imr_fhir.errors import ImrError, RefusedUrl
from smart_app.config import AppConfig, SiteConfig
from smart_app.proof import read_proof
from smart_app.ready_sites import READY
from smart_app.site_checks import check_site

# What each way of authentication needs a file for.
_PROOFS = {"private_key_jwt": "key_file", "client_secret_basic": "client_secret_file"}
LOOPBACK = ("localhost", "127.0.0.1", "[::1]")
_LABEL = r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?"
_HOST = rf"{_LABEL}(?:\.{_LABEL})*"
_ORIGIN = re.compile(rf"https://{_HOST}(?::\d{{1,5}})?")
# `https://*.com` would let nearly everybody frame the app: two labels at least stand after `*.`
_FRAME = re.compile(rf"https://(?:\*\.(?={_LABEL}\.))?{_HOST}(?::\d{{1,5}})?")
_LOOPBACK_ORIGIN = re.compile(rf"http://(?:{'|'.join(map(re.escape, LOOPBACK))})(?::\d{{1,5}})?")


class ConfigError(ImrError):
    """The settings can't be used; ``problems`` has a sentence a mistake, each with its place and the line to write."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems), next_step="The app does not start until they are right.")
        self.problems = problems


def read_config(path: Path) -> AppConfig:
    """The checked settings in ``path``; raises ``ConfigError`` with every mistake in it."""
    try:
        text = path.read_text(encoding="utf-8")
        tables = tomllib.loads(text)
    except OSError as error:
        raise ConfigError([f"{path}: can't be read ({error.strerror}). Give another with --config."]) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError([f"{path}: is no TOML: {error}."]) from error
    return _Reader(path, text).config(tables)


class _Reader:
    """Reads one settings file and collects what is wrong with it."""

    def __init__(self, path: Path, text: str) -> None:
        self.path, self.lines = path, text.splitlines()
        self.problems: list[tuple[int, str]] = []

    def config(self, tables: Mapping[str, Any]) -> AppConfig:
        for name in tables.keys() - {"app", "sites"}:
            self._problem(name, "", "is not known.", "[app] or [sites.<name>]")
        app = self._table("app", AppConfig, tables.get("app", {}))
        demo = app.get("demo") is True
        sites = tables.get("sites", {})
        if not isinstance(sites, dict) or not sites:
            sites = {}
            self._problem("sites", "", "has no site.", "[sites.nordlys] and its settings below it")
        loaded = {}
        for name, values in sites.items():
            if not re.fullmatch(r"[a-z][a-z0-9-]{0,30}", name):
                self._problem(f"sites.{name}", "", "has a name that can't stand in an address.", "[sites.nordlys]")
            loaded[name] = self._table(f"sites.{name}", SiteConfig, values)
            self._check_site(f"sites.{name}", loaded[name], demo)
        self._check_app(app, demo)
        self._check_unique_issuers(loaded)
        if self.problems:
            raise ConfigError([text for _, text in sorted(self.problems)])
        return AppConfig(**app, sites=types.MappingProxyType({n: SiteConfig(name=n, **v) for n, v in loaded.items()}))

    def _table(self, table: str, kind: type, values: Any) -> dict[str, Any]:
        """What is right of ``values`` and the defaults; what is wrong goes to the problems."""
        settings = {f.name: f for f in dataclass_fields(kind) if "field" in f.metadata}
        schema = Schema.from_dict({name: f.metadata["field"] for name, f in settings.items()})()
        try:
            loaded: dict[str, Any] = schema.load(values)
        except ValidationError as error:
            loaded = error.valid_data if isinstance(error.valid_data, dict) else {}
            for key, messages in _by_key(error).items():
                self._wrong(table, settings, key, messages)
        if loaded.get("store", "").startswith("postgresql"):
            loaded["store"] = self._database(table, loaded["store"])
        for name in {*_PROOFS.values(), "ca_file", "store", "keys"} & loaded.keys():
            loaded[name] = self.path.parent / loaded[name] if isinstance(loaded[name], str) else loaded[name]
        return loaded

    def _database(self, table: str, address: str) -> URL | None:
        line = 'store = "postgresql://imr@db.hospital.example/imr?passfile=/etc/imr/keys/pgpass"'
        try:
            url = make_url(address)
        except ArgumentError:
            self._problem(table, "store", "is no address of a PostgreSQL database.", line)
            return None
        if url.drivername not in ("postgresql", "postgresql+psycopg"):
            self._problem(table, "store", f"{url.drivername} is no driver that is used here.", line)
        if url.password is not None or "password" in url.query:
            self._problem(table, "store", "has the password in it: keep that in a passfile, 0600.", line)
        return url

    def _wrong(self, table: str, settings: Mapping[str, Any], key: str, messages: Any) -> None:
        if key in settings:
            line = settings[key].metadata["line"]
            self._problem(table, key, " ".join(_sentences(messages)), f"{line}  # {settings[key].metadata['comment']}")
        else:
            near = difflib.get_close_matches(key, settings, 1)
            self._problem(table, key, "is not a setting.", settings[near[0]].metadata["line"] if near else "nothing")

    def _problem(self, table: str, key: str, what: str, line: str) -> None:
        number = self._line_of(table, key)
        place = f"{self.path} line {number}" if number else str(self.path)
        self.problems.append((number, f"{place}: [{table}] {f'{key} ' if key else ''}{what} Write: {line}"))

    def _line_of(self, table: str, key: str) -> int:
        """The number of the line that sets ``key``, else of its table's head, else 0."""
        inside, head = False, 0
        for number, line in enumerate(self.lines, 1):
            if line.lstrip().startswith("["):
                inside = line.strip().startswith(f"[{table}]")
                head = number if inside else head
            if key and re.match(rf"\s*{re.escape(key)}\s*=" if inside else re.escape(f"[{table}.{key}]"), line.strip()):
                return number
        return head

    def _check_app(self, app: Mapping[str, Any], demo: bool) -> None:
        if not _is_origin(app.get("public_url", "https://missing"), demo):
            self._problem("app", "public_url", "is no https origin.", 'public_url = "https://imr.hospital.example"')
        if demo and app.get("bind", LOOPBACK[1]).rpartition(":")[0] not in ("", *LOOPBACK):
            self._problem("app", "bind", "the demo is for this machine only.", 'bind = "127.0.0.1:8480"')

    def _check_site(self, table: str, site: Mapping[str, Any], demo: bool) -> None:
        for address in site.get("frame_ancestors", ()):
            if not (_FRAME.fullmatch(address) or (demo and _LOOPBACK_ORIGIN.fullmatch(address))):
                line = 'frame_ancestors = ["https://ehr.hospital.example"]'
                self._problem(table, "frame_ancestors", f"{address!r} is no https://host or https://*.host.", line)
        for address in site.get("allowed_hosts", ()):
            if not _is_origin(address, demo):
                line = 'allowed_hosts = ["https://login.hospital.example"]'
                self._problem(table, "allowed_hosts", f"{address!r} is no https origin without a path.", line)
        for key, what, line in check_site(site):
            self._problem(table, key, what, line)
        if "iss" in site and not _is_base(site["iss"], demo):
            self._problem(table, "iss", "is no https address.", 'iss = "https://ehr.hospital.example/fhir"')
        elif page := next((page for page in PAGES_OF_A_BASE if site.get("iss", "").endswith(page)), ""):
            self._problem(table, "iss", "is a page of the FHIR base.", f'iss = "{site["iss"].removesuffix(page)}"')
        for name, value in site.get("extra_headers", {}).items():
            if not may_be_added(name, value):
                line = 'extra_headers = { "Ocp-Apim-Subscription-Key" = "..." }'
                self._problem(table, "extra_headers", f"{name!r} is no header that can be added.", line)
        self._check_proof(table, site)

    def _check_proof(self, table: str, site: Mapping[str, Any]) -> None:
        """The file with which the app proves to the EHR who it is."""
        for way, name in _PROOFS.items():
            path, line = site.get(name), SiteConfig.__dataclass_fields__[name].metadata["line"]
            if (site.get("authentication") == way) != (path is not None):
                both = f'authentication = "{way}" with {line}, or neither'
                self._problem(table, "authentication", f"{way} and {name} go together.", both)
            elif path is not None and self._is_private(table, name, path):
                try:
                    read_proof(site.get("client_id", ""), way, path)
                except ValueError as error:
                    self._problem(table, name, str(error), line)

    def _is_private(self, table: str, name: str, path: Path) -> bool:
        if not path.is_file():
            self._problem(table, name, f"{path} is missing.", f'{name} = "a file that exists"')
            return False
        if os.name == "posix" and path.stat().st_mode & 0o077:
            self._problem(table, name, f"{path} can be read by others.", f"in a shell: chmod 600 {path}")
        return True

    def _check_unique_issuers(self, sites: Mapping[str, Mapping[str, Any]]) -> None:
        first: dict[str, str] = {}
        for name, site in sites.items():
            if (other := first.setdefault(site.get("iss", name), name)) != name:
                self._problem(f"sites.{name}", "iss", f"is the one of [sites.{other}] too.", "one site an issuer")


def _by_key(error: ValidationError) -> dict[str, Any]:
    return error.messages if isinstance(error.messages, dict) else {"": error.messages}


def _sentences(messages: Any) -> Iterator[str]:
    """marshmallow's messages, flat: a list has them by index, a dict field by key and value."""
    if isinstance(messages, dict):
        for part in messages.values():
            yield from _sentences(part)
    else:
        yield from messages


def _is_origin(address: str, demo: bool) -> bool:
    plain = _ORIGIN.fullmatch(address) or (demo and _LOOPBACK_ORIGIN.fullmatch(address))
    return bool(plain) and _is_called(address)


def _is_base(address: str, demo: bool) -> bool:
    """A FHIR base: an origin and a path, nothing that could lead elsewhere."""
    if not _is_called(address):
        return False
    parts = urlsplit(address)
    return not (parts.query or parts.fragment) and _is_origin(f"{parts.scheme}://{parts.netloc}", demo)


def _is_called(address: str) -> bool:
    """Whether the transport takes it: no name, path or fragment in it leads elsewhere, and there can be such a port."""
    try:
        parse(address)
    except RefusedUrl:
        return False
    return True


def _default(default: Any) -> str:
    """As it would be written in TOML."""
    return "Not set by default." if default in (MISSING, None, "", ()) else f"Default: {json.dumps(default)}."


def example() -> str:
    """A settings file with every setting, its comment once, its default and a line to copy."""
    lines = ["[app]"]
    for kind, head in ((AppConfig, None), (SiteConfig, "[sites.nordlys]")):
        lines += ["", head] if head else []
        for f in dataclass_fields(kind):
            if "field" in f.metadata:
                required = f.default is MISSING and f.default_factory is MISSING
                default = "" if required else f" {_default(f.default)}"
                lines += [f"# {f.metadata['comment']}{default}", f"{'' if required else '# '}{f.metadata['line']}"]
    lines += ["", f"# Ready tables for Epic, Oracle Health, MEDITECH, OpenEMR, DIPS and others: {READY}"]
    return "\n".join(lines) + "\n"
