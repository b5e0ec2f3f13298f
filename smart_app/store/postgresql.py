"""PostgreSQL as the store of several app processes, on one machine or more.

A writer takes one advisory lock of the database before it reads, which is what BEGIN IMMEDIATE is on SQLite; a reader
is REPEATABLE READ. The lock goes with its transaction, also where the app that holds it dies or hangs.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, create_engine, event
from sqlalchemy.engine import URL
from sqlalchemy.exc import OperationalError

from smart_app.store.engine import BUSY_MS, POOL, Database, Ways
from smart_app.store.errors import StoreUnready

DRIVER = "postgresql+psycopg"
_LOCK = int.from_bytes(b"imr-fhir")
_LOCK_NOT_AVAILABLE = "55P03"
_SESSION = {
    "lock_timeout": BUSY_MS,
    # no transaction of ours waits for anybody but the database, so one that idles belongs to an app that hangs
    "idle_in_transaction_session_timeout": 30_000,
}


def open_postgresql(url: URL) -> Database:
    """The database at ``url``, which has no password in it: libpq looks that up (passfile, PGPASSFILE)."""
    try:
        engine = create_engine(
            _guarded(url.set(drivername=DRIVER)),
            connect_args={
                "options": " ".join(f"-c {name}={value}" for name, value in _SESSION.items()),
                "connect_timeout": BUSY_MS // 1000,
                "tcp_user_timeout": 2 * BUSY_MS,
                "application_name": "imr-app",
            },
            hide_parameters=True,
            pool_pre_ping=True,  # the database may have been restarted since
            **POOL,
        )
    except ModuleNotFoundError as error:
        raise StoreUnready(
            f"The store is PostgreSQL, and {error.name} is not installed.",
            next_step="Run: pip install 'imr-fhir[postgres]'",
        ) from None
    event.listen(engine, "connect", _on_connect)
    event.listen(engine, "begin", _on_begin)
    event.listen(engine, "handle_error", _without_detail)
    reading = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
    return Database(engine, Ways(reading, {"isolation_level": "READ COMMITTED"}, _busy, _check_primary))


def _guarded(url: URL) -> URL:
    """Over a network only with TLS and the server's certificate checked, unless the address says otherwise."""
    host = url.host or url.query.get("host") or "/"
    local = not isinstance(host, str) or host.startswith("/") or host in ("localhost", "127.0.0.1", "::1")
    return url if local or "sslmode" in url.query else url.update_query_dict({"sslmode": "verify-full"})


def _on_connect(connection: Any, _record: Any) -> None:
    (kept,) = connection.execute("SHOW synchronous_commit").fetchone()
    connection.rollback()
    if kept == "off":
        raise StoreUnready(
            "PostgreSQL says that a commit is done before it is on disk (synchronous_commit is off).",
            next_step="Run there: ALTER ROLE <the app's role> SET synchronous_commit = on",
        )


def _on_begin(connection: Connection) -> None:
    if connection.get_execution_options()["writing"]:
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_LOCK})")


def _busy(error: OperationalError) -> bool:
    return getattr(error.orig, "sqlstate", None) == _LOCK_NOT_AVAILABLE


def _check_primary(connection: Connection) -> None:
    if connection.exec_driver_sql("SELECT pg_is_in_recovery()").scalar_one():
        raise StoreUnready("The store's database is a standby: it takes no writes.", next_step="Promote it.")


def _without_detail(context: Any) -> None:
    """PostgreSQL's DETAIL quotes the row that it refused."""
    diagnosis = getattr(context.original_exception, "diag", None)
    if diagnosis is not None and diagnosis.message_detail:
        context.original_exception.args = (diagnosis.message_primary,)
        if context.sqlalchemy_exception is not None:
            name = type(context.original_exception).__name__
            context.sqlalchemy_exception.args = (f"({name}) {diagnosis.message_primary}",)
