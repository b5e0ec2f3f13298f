"""The demo: a sandbox hospital and the app on this machine, with all that they keep in one folder."""

import json
import os
import shutil
import sqlite3
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from joserfc.jwk import ECKey
from sqlalchemy.exc import DatabaseError

from imr_fhir.ehr.token import PrivateKeyJwt, private_key_jwt, public_jwks
from imr_fhir.errors import ImrError
from smart_app import create_app
from smart_app.config import AppConfig
from smart_app.config_file import read_config
from smart_app.ready_sites import ready_settings
from smart_app.sandbox import BACKEND_GRANTS, EHRS, Client, HospitalConfig, RunningHospital, start_hospital
from smart_app.serving import Server, listen
from smart_app.state import State, state_of
from smart_app.store import Store
from smart_app.store.keys import load_keys
from smart_app.stories import backend_client, seed

CLIENT_ID = "imr-on-fhir"
ENGINEER = "imr-fhir-engineer"
SITE = "north"
# As much as the app may ever ask for; each launch asks for what its screens need.
_SCOPES = ("launch", "launch/patient", "openid", "fhirUser", "online_access", "patient/*.cruds", "user/*.cruds")
_GRACEFUL = 5.0

_SETTINGS = """\
# Written by the demo at each start.
[app]
demo = true
public_url = "http://127.0.0.1:{app_port}"
bind = "127.0.0.1:{app_port}"
store = "store/imr.sqlite"
keys = "keys/imr.keys"
log_level = "WARNING"

[sites.{site}]
organization = "Outpatient clinic North"
phone = "+47 00 00 00 00"
iss = "http://localhost:{port}/fhir"
client_id = "{client_id}"
authentication = "private_key_jwt"
key_file = "app.pem"
frame_ancestors = ["http://localhost:{port}"]
allow_unverified_clinician_scale = true
profiles_loaded = true
record_link = "http://localhost:{port}/record/{{type}}/{{id}}"
"""

_ELSEWHERE = "Choose another folder: make demo DATA=/path/to/folder"
_AFRESH = "Start afresh: make demo RESET=1"

Tell = Callable[[str], None]


class DemoError(ImrError):
    """The demo can't start; the next step is what to type."""


@dataclass(frozen=True)
class Demo:
    """``engineer_key``: with it `imr-fhir` logs in at ``fhir_base`` as the client ``ENGINEER``; None where an EHR of
    these manners takes no key that was handed in, or wants headers too."""

    chart_url: str
    app_url: str
    fhir_base: str
    engineer_key: Path | None
    state: State


@contextmanager
def running_demo(
    folder: Path, *, port: int, app_port: int, reset: bool, tell: Tell, ehr: str = "generic"
) -> Iterator[Demo]:
    """Both servers until the block ends; ``tell`` is given a line a step of the first start.

    ``reset``: whatever an earlier demo left in ``folder`` goes first. ``ehr``: whose manners the hospital has, a name
    in the sandbox's table of EHRs. Raises DemoError, and ImrError of the parts.
    """
    _require_free(port, app_port)
    with ExitStack() as running:
        running.enter_context(_held(folder))
        _prepare(folder, reset=reset)
        config = _settings(folder, port, app_port, ehr)
        store = _store(config)
        running.callback(store.close)
        backend = private_key_jwt("imr-on-fhir-seeding", _new_key())
        key = _key(folder / "engineer.pem")
        engineer = private_key_jwt(ENGINEER, key.read_bytes())
        records = _records(folder, config, backend, engineer)
        with _opened(records, port, tell) as generic:  # few EHRs take what the stories are made of
            client = backend_client(generic.fhir_base, backend, now=datetime.now(UTC))
            seed(client, zone=config.sites[SITE].zone, tell=tell)
        hospital = running.enter_context(_opened(replace(records, ehr=ehr), port, tell))
        app = create_app(config, store=store)
        server = Server(app, listen("127.0.0.1", app_port), threads=config.threads)
        server.start()
        running.callback(server.stop, _GRACEFUL)
        easy = not (EHRS[ehr].jwks_url or EHRS[ehr].headers)
        urls = f"{hospital.base_url}/", f"{config.public_url}/", hospital.fhir_base
        yield Demo(*urls, key if easy else None, state_of(app))


def _require_free(port: int, app_port: int) -> None:
    if port == app_port:
        raise DemoError(
            f"The hospital and the app can't both have port {port}.",
            next_step="Write: make demo PORT=8080 APP_PORT=8081",
        )
    for name, wanted in (("PORT", port), ("APP_PORT", app_port)):
        try:
            listen("127.0.0.1", wanted).close()
        except OSError as error:
            raise DemoError(
                f"Port {wanted} can't be had ({error.strerror}).",
                next_step=f"Stop what uses it, or choose another: make demo {name}={wanted % 50000 + 10000}",
            ) from error


@contextmanager
def _writing(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise DemoError(
            f"{folder.absolute()} can't be written to ({error.strerror}).",
            next_step=_ELSEWHERE,
        ) from error


@contextmanager
def _held(folder: Path) -> Iterator[None]:
    """The folder, made where it is missing, for one demo at a time."""
    with _writing(folder):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()
    # SQLite's lock: there is one on every system, and it goes with the process.
    with closing(sqlite3.connect(folder / "demo.lock", timeout=0, isolation_level=None)) as lock:
        try:
            lock.execute("BEGIN EXCLUSIVE")
        except sqlite3.OperationalError as error:
            raise DemoError(
                f"Another demo runs in {folder.absolute()} ({error}).",
                next_step=f"Stop that one. {_ELSEWHERE}",
            ) from error
        yield


def _prepare(folder: Path, *, reset: bool) -> None:
    """Of a folder that is there nothing goes but what a demo made."""
    hospital = folder / "hospital"
    with _writing(folder):
        if reset:
            for made in (hospital, folder / "store", folder / "keys"):
                if made.exists():
                    shutil.rmtree(made)
        hospital.mkdir(mode=0o700, exist_ok=True)
        tempfile.TemporaryFile(dir=hospital).close()


def _settings(folder: Path, port: int, app_port: int, ehr: str) -> AppConfig:
    path = folder / "imr-app.toml"
    _key(folder / "app.pem")
    text = _SETTINGS.format(port=port, app_port=app_port, site=SITE, client_id=CLIENT_ID)
    settings = {**ready_settings(ehr), "extra_headers": EHRS[ehr].headers}
    text += "".join(f"{name} = {_toml(value)}\n" for name, value in settings.items())
    path.write_text(text, encoding="utf-8")
    return read_config(path)


def _toml(value: str | Sequence[str] | Mapping[str, str]) -> str:
    """JSON's strings and lists are TOML's; its objects are not."""
    if isinstance(value, Mapping):
        return f"{{ {', '.join(f'{json.dumps(key)} = {json.dumps(each)}' for key, each in value.items())} }}"
    return json.dumps(value)


def _key(path: Path) -> Path:
    """Made where it is missing."""
    if not path.exists():
        with os.fdopen(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600), "wb") as file:
            file.write(_new_key())
    return path


def _new_key() -> bytes:
    return ECKey.generate_key("P-384").as_pem(private=True)


def _records(folder: Path, config: AppConfig, backend: PrivateKeyJwt, engineer: PrivateKeyJwt) -> HospitalConfig:
    app = config.public_url
    clients = (
        Client(
            CLIENT_ID,
            "IMR on FHIR",
            _SCOPES,
            redirect_uris=(f"{app}/callback/{SITE}",),
            jwks_uri=f"{app}/.well-known/jwks.json",
        ),
        *(
            Client(each.client_id, what, ("system/*.cruds",), grant_types=BACKEND_GRANTS, jwks=public_jwks([each]))
            for each, what in (
                (backend, "Loads the questionnaires, profiles and stories"),
                (engineer, "The command line: imr-fhir"),
            )
        ),
    )
    return HospitalConfig(folder / "hospital" / "hospital.sqlite", clients, app_launch_url=f"{app}/launch")


@contextmanager
def _opened(records: HospitalConfig, port: int, tell: Tell) -> Iterator[RunningHospital]:
    if not records.database.exists():
        tell("Making the hospital and its patients' records ...")
    try:
        hospital = start_hospital(records, port)
    except sqlite3.DatabaseError as error:
        raise DemoError(
            f"The hospital's records in {records.database} can't be used ({error}).",
            next_step=_AFRESH,
        ) from error
    try:
        yield hospital
    finally:
        hospital.stop()


def _store(config: AppConfig) -> Store:
    try:
        return Store.open(config.store, load_keys(config.keys, create=True))
    except DatabaseError as error:
        raise DemoError(f"The app's store {config.store} can't be used ({error.orig}).", next_step=_AFRESH) from error
