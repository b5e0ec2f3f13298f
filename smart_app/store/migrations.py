"""How the store's tables came to be as ``schema`` says: numbered steps forward, each of them SQL that never changes.

To change a table: write the next entry of ``MIGRATIONS`` and the same into ``schema``; a test names every difference.
Never add to an entry that is there: stores were made by it. A new column of a table that has rows is nullable or has a
DEFAULT. ``BYTES`` stands for the one type that SQLite and PostgreSQL spell differently.
"""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Connection, inspect, select

from smart_app.store.errors import SchemaError
from smart_app.store.schema import schema_version

_BYTES: Mapping[str, str] = {"sqlite": "BLOB", "postgresql": "BYTEA"}

MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (
        "CREATE TABLE schema_version (version INTEGER NOT NULL)",
        "CREATE TABLE canary (name VARCHAR PRIMARY KEY NOT NULL, value BYTES NOT NULL)",
        "CREATE TABLE used_state (state VARCHAR PRIMARY KEY NOT NULL, launch_id VARCHAR, used_at BIGINT NOT NULL)",
        """CREATE TABLE ticket (
            ticket_sha256 VARCHAR PRIMARY KEY NOT NULL,
            purpose VARCHAR NOT NULL,
            value BYTES NOT NULL,
            expires_at BIGINT NOT NULL)""",
        """CREATE TABLE launch (
            id VARCHAR PRIMARY KEY NOT NULL,
            secret_mac VARCHAR NOT NULL UNIQUE,
            old_secret_mac VARCHAR UNIQUE,
            state VARCHAR NOT NULL,
            site VARCHAR NOT NULL,
            user_key VARCHAR NOT NULL,
            patient VARCHAR NOT NULL,
            handover_id VARCHAR,
            context BYTES,
            tokens BYTES,
            tokens_version INTEGER NOT NULL,
            refresh_until BIGINT,
            created_at BIGINT NOT NULL,
            seen_at BIGINT NOT NULL,
            ended_at BIGINT,
            ended_why VARCHAR)""",
        "CREATE INDEX ix_launch_user_key ON launch (user_key)",
        "CREATE INDEX ix_launch_handover_id ON launch (handover_id)",
        """CREATE TABLE draft (
            id VARCHAR PRIMARY KEY NOT NULL,
            slot VARCHAR UNIQUE,
            state VARCHAR NOT NULL,
            site VARCHAR NOT NULL,
            user_key VARCHAR NOT NULL,
            patient VARCHAR NOT NULL,
            rater VARCHAR NOT NULL,
            value BYTES NOT NULL,
            revision INTEGER NOT NULL,
            started_at BIGINT NOT NULL,
            touched_at BIGINT NOT NULL)""",
        "CREATE INDEX draft_owner ON draft (user_key, patient)",
        """CREATE TABLE answer (
            draft_id VARCHAR NOT NULL,
            item VARCHAR NOT NULL,
            value BYTES NOT NULL,
            version INTEGER NOT NULL,
            PRIMARY KEY (draft_id, item),
            FOREIGN KEY (draft_id) REFERENCES draft (id) ON DELETE CASCADE)""",
        """CREATE TABLE handover (
            id VARCHAR PRIMARY KEY NOT NULL,
            secret_mac VARCHAR UNIQUE,
            state VARCHAR NOT NULL,
            launch_id VARCHAR NOT NULL,
            draft_id VARCHAR NOT NULL,
            site VARCHAR NOT NULL,
            user_key VARCHAR NOT NULL,
            patient VARCHAR NOT NULL,
            pin BYTES NOT NULL,
            tries INTEGER NOT NULL,
            value BYTES NOT NULL,
            created_at BIGINT NOT NULL,
            submitted_at BIGINT,
            closed_at BIGINT,
            FOREIGN KEY (draft_id) REFERENCES draft (id) ON DELETE CASCADE)""",
        "CREATE INDEX ix_handover_draft_id ON handover (draft_id)",
        "CREATE INDEX ix_handover_user_key ON handover (user_key)",
        """CREATE TABLE filing (
            id VARCHAR PRIMARY KEY NOT NULL,
            origin VARCHAR NOT NULL UNIQUE,
            draft_id VARCHAR,
            state VARCHAR NOT NULL,
            attempt INTEGER NOT NULL,
            site VARCHAR NOT NULL,
            user_key VARCHAR NOT NULL,
            patient VARCHAR NOT NULL,
            in_transaction BOOLEAN NOT NULL,
            value BYTES NOT NULL,
            "plan" BYTES NOT NULL,
            reason BYTES,
            lease_until BIGINT,
            lost_at BIGINT,
            not_before BIGINT,
            sealed_at BIGINT NOT NULL,
            changed_at BIGINT NOT NULL)""",
        "CREATE INDEX filing_patient ON filing (site, patient)",
        """CREATE TABLE part (
            filing_id VARCHAR NOT NULL,
            number INTEGER NOT NULL,
            state VARCHAR NOT NULL,
            attempt INTEGER NOT NULL,
            replaced BOOLEAN NOT NULL,
            request BYTES NOT NULL,
            body BYTES,
            receipt BYTES,
            PRIMARY KEY (filing_id, number),
            FOREIGN KEY (filing_id) REFERENCES filing (id) ON DELETE CASCADE)""",
        """CREATE TABLE audit (
            seq BIGINT PRIMARY KEY NOT NULL,
            at BIGINT NOT NULL,
            user_key VARCHAR NOT NULL,
            patient VARCHAR NOT NULL,
            action VARCHAR NOT NULL,
            outcome VARCHAR NOT NULL,
            value BYTES NOT NULL,
            key_id VARCHAR NOT NULL,
            mac VARCHAR NOT NULL)""",
        "CREATE INDEX ix_audit_patient ON audit (patient)",
        """CREATE TABLE audit_head (
            id INTEGER PRIMARY KEY NOT NULL,
            seq BIGINT NOT NULL,
            mac VARCHAR NOT NULL,
            key_id VARCHAR NOT NULL,
            head_mac VARCHAR NOT NULL)""",
    ),
    ("CREATE TABLE audit_unsent (seq BIGINT PRIMARY KEY NOT NULL, tries INTEGER NOT NULL, due_at BIGINT NOT NULL)",),
    (
        """CREATE TABLE refusal (
            site VARCHAR NOT NULL,
            rung VARCHAR NOT NULL,
            user_key VARCHAR NOT NULL,
            status INTEGER NOT NULL,
            refused_at BIGINT NOT NULL,
            PRIMARY KEY (site, rung, user_key))""",
    ),
    ("CREATE TABLE wrong_code (id VARCHAR PRIMARY KEY NOT NULL, address VARCHAR NOT NULL, at BIGINT NOT NULL)",),
    (
        """CREATE TABLE goal_draft (
            id VARCHAR PRIMARY KEY NOT NULL,
            site VARCHAR NOT NULL,
            user_key VARCHAR NOT NULL,
            patient VARCHAR NOT NULL,
            once VARCHAR NOT NULL,
            value BYTES,
            touched_at BIGINT NOT NULL)""",
        "CREATE INDEX goal_draft_owner ON goal_draft (user_key, patient)",
    ),
    (
        "ALTER TABLE answer ADD COLUMN page VARCHAR NOT NULL DEFAULT ''",
        "ALTER TABLE answer ADD COLUMN sent INTEGER NOT NULL DEFAULT 0",
    ),
)
"""Entry n (from 1) leads from version n - 1 to version n."""


def version_of(connection: Connection) -> int:
    """0 for an empty store."""
    if not inspect(connection).has_table(schema_version.name):
        return 0
    version: int = connection.execute(select(schema_version.c.version)).scalar_one()
    return version


def migrate(connection: Connection) -> int:
    """Brings the store forward inside the caller's write transaction, which is the lock; returns the version it had."""
    found = version_of(connection)
    if found > len(MIGRATIONS):
        raise SchemaError(
            f"The store has version {found}, this app knows versions up to {len(MIGRATIONS)}.",
            next_step="Start the newer app, or restore the backup made before it was installed.",
        )
    for number, statements in enumerate(MIGRATIONS[found:], start=found + 1):
        for statement in statements:
            connection.exec_driver_sql(statement.replace("BYTES", _BYTES[connection.dialect.name]))
        if number == 1:
            connection.execute(schema_version.insert().values(version=1))
        else:
            connection.execute(schema_version.update().values(version=number))
    return found
