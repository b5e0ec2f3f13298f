"""`imr-app audit`: who did what to whose record, for whoever answers for it."""

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import click

from imr_fhir.ehr.outcome import plain
from smart_app.audit_events import event_of
from smart_app.cli_options import config_option, exits, opened
from smart_app.config import AppConfig
from smart_app.config_file import read_config
from smart_app.store import Store

_DAY: Any = {"type": click.DateTime(("%Y-%m-%d",)), "metavar": "YYYY-MM-DD"}
_PAGE = 500
# heading, width, and what stands there
_COLUMNS: tuple[tuple[str, int, Callable[[dict[str, Any]], str]], ...] = (
    ("row", 7, lambda row: str(row["seq"])),
    ("when (UTC)", 20, lambda row: f"{row['at']:%Y-%m-%d %H:%M:%S}"),
    ("who", 28, lambda row: row["display"] or row["fhir_user"] or row["sub"] or "-"),
    ("role", 10, lambda row: row["role"] or "-"),
    ("did", 16, lambda row: row["action"]),
    ("how it ended", 13, lambda row: row["outcome"]),
    ("whose record", 28, lambda row: f"{row['site']} {row['patient']}".strip()),
    ("why", 0, lambda row: row["purpose"]),
)


@click.group()
def audit() -> None:
    """The audit log: who did what to whose record."""


def _filters(command: Callable[..., None]) -> Callable[..., None]:
    options = (
        click.option("--patient", metavar="ID", default="", help="Only this patient's record, by the id in the EHR."),
        click.option("--user", metavar="WHO", default="", help="Only this person: fhirUser, or the sub of the log-in."),
        click.option("--from", "since", **_DAY, help="Only from the beginning of this day on, in UTC."),
        click.option("--to", "until", **_DAY, help="Only until the end of this day, in UTC."),
    )
    for option in (*reversed(options), config_option):
        command = option(command)
    return command


@audit.command("print")
@_filters
@exits
def print_rows(path: Path, **which: Any) -> None:
    """Print the rows as a table."""
    config = read_config(path)
    click.echo(_line(tuple(heading for heading, _, _ in _COLUMNS)))
    with closing(opened(config)) as store:
        for row in _rows(store, config, **which):
            click.echo(_line(tuple(plain(cell(row)) for _, _, cell in _COLUMNS)))


@audit.command(short_help="Print the rows as FHIR AuditEvents, NDJSON.")
@_filters
@exits
def export(path: Path, **which: Any) -> None:
    """Print the rows as FHIR AuditEvents, NDJSON. What is the app's own affair (a draft discarded) has none."""
    config = read_config(path)
    with closing(opened(config)) as store:
        for row in _rows(store, config, **which):
            site = config.sites.get(row["site"])
            event = event_of(row, site.iss if site else "")
            if event:
                click.echo(json.dumps(event, ensure_ascii=False, separators=(",", ":")))


@audit.command(short_help="Print the mark of the chain as it is now.")
@config_option
@exits
def head(path: Path) -> None:
    """Print the mark of the chain as it is now, SEQ:MAC, for `verify --expect`; keep it on another machine."""
    with closing(opened(read_config(path))) as store:
        click.echo(store.audit.head())


@audit.command(short_help="Walk the whole chain; name the first broken row.")
@config_option
@click.option("--expect", default="", metavar="SEQ:MAC", help="A mark kept elsewhere: it must still be in the chain.")
@exits
def verify(path: Path, expect: str) -> None:
    """Walk the whole chain; exit code 1 and the first broken row where it was changed.

    The chain can't tell that an older copy of the whole store was put back. A mark that was kept elsewhere can: the one
    that `imr-app audit head` prints, and that the app logs when it starts and once a day.
    """
    with closing(opened(read_config(path))) as store:
        verified = store.audit.verify(expect)
    if verified.broken:
        click.echo(f"Row {verified.broken} is broken: {verified.what}. {verified.rows} rows before it are whole.")
        sys.exit(1)
    click.echo(f"{verified.rows} rows, none broken.")


def _rows(
    store: Store, config: AppConfig, *, patient: str, user: str, since: datetime | None, until: datetime | None
) -> Iterator[dict[str, Any]]:
    """Page by page, so that no transaction waits for whoever reads."""
    keys = [store.launches.patient_key(site, patient) for site in config.sites] if patient else []
    after = 0
    while rows := store.audit.entries(
        after=after,
        limit=_PAGE,
        patient_keys=keys,
        since=since and since.replace(tzinfo=UTC),
        until=until and until.replace(tzinfo=UTC) + timedelta(days=1),
    ):
        yield from (row for row in rows if user in ("", row["fhir_user"], row["sub"]))
        after = rows[-1]["seq"]


def _line(cells: tuple[str, ...]) -> str:
    padded = (cell.ljust(width) for cell, (_, width, _) in zip(cells, _COLUMNS, strict=True))
    return " ".join(padded).rstrip()
