"""The tables as they are now; ``migrations`` says how each store gets there, and a change is a new migration.

Columns of the type LargeBinary hold sealed values. ``user_key``, ``patient``, ``slot``, ``origin`` and ``address`` are
HMACs, ``*_sha256`` hashes of 256-bit secrets, or an HMAC of a short code; times are milliseconds since 1970.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
)

metadata = MetaData()

schema_version = Table("schema_version", metadata, Column("version", Integer, nullable=False))

canary = Table(
    "canary",
    metadata,
    Column("name", String, primary_key=True),
    Column("value", LargeBinary, nullable=False),
)

used_state = Table(
    "used_state",
    metadata,
    Column("state", String, primary_key=True),
    Column("launch_id", String),
    Column("used_at", BigInteger, nullable=False),
)

ticket = Table(
    "ticket",
    metadata,
    Column("ticket_sha256", String, primary_key=True),
    Column("purpose", String, nullable=False),
    Column("value", LargeBinary, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
)

wrong_code = Table(
    "wrong_code",
    metadata,
    Column("id", String, primary_key=True),
    Column("address", String, nullable=False),
    Column("at", BigInteger, nullable=False),
)

launch = Table(
    "launch",
    metadata,
    Column("id", String, primary_key=True),
    Column("secret_mac", String, nullable=False, unique=True),
    Column("old_secret_mac", String, unique=True),
    Column("state", String, nullable=False),
    Column("site", String, nullable=False),
    Column("user_key", String, nullable=False, index=True),
    Column("patient", String, nullable=False),
    Column("handover_id", String, index=True),
    Column("context", LargeBinary),
    Column("tokens", LargeBinary),
    Column("tokens_version", Integer, nullable=False),
    Column("refresh_until", BigInteger),
    Column("created_at", BigInteger, nullable=False),
    Column("seen_at", BigInteger, nullable=False),
    Column("ended_at", BigInteger),
    Column("ended_why", String),
)

draft = Table(
    "draft",
    metadata,
    Column("id", String, primary_key=True),
    Column("slot", String, unique=True),  # empty once sealed: one open draft a user, patient, rater and purpose
    Column("state", String, nullable=False),
    Column("site", String, nullable=False),
    Column("user_key", String, nullable=False),
    Column("patient", String, nullable=False),
    Column("rater", String, nullable=False),
    Column("value", LargeBinary, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("started_at", BigInteger, nullable=False),
    Column("touched_at", BigInteger, nullable=False),
    Index("draft_owner", "user_key", "patient"),
)

answer = Table(
    "answer",
    metadata,
    Column("draft_id", ForeignKey("draft.id", ondelete="CASCADE"), primary_key=True),
    Column("item", String, primary_key=True),
    Column("value", LargeBinary, nullable=False),
    Column("version", Integer, nullable=False),
    Column("page", String, nullable=False),  # that wrote it last, with the request that it counts as ``sent``
    Column("sent", Integer, nullable=False),
)

goal_draft = Table(
    "goal_draft",
    metadata,
    Column("id", String, primary_key=True),  # made of its user, patient and page
    Column("site", String, nullable=False),
    Column("user_key", String, nullable=False),
    Column("patient", String, nullable=False),
    Column("once", String, nullable=False),
    Column("value", LargeBinary),  # empty once it is saved or given up
    Column("touched_at", BigInteger, nullable=False),
    Index("goal_draft_owner", "user_key", "patient"),
)

handover = Table(
    "handover",
    metadata,
    Column("id", String, primary_key=True),
    Column("secret_mac", String, unique=True),
    Column("state", String, nullable=False),
    Column("launch_id", String, nullable=False),
    Column("draft_id", ForeignKey("draft.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("site", String, nullable=False),
    Column("user_key", String, nullable=False, index=True),
    Column("patient", String, nullable=False),
    Column("pin", LargeBinary, nullable=False),
    Column("tries", Integer, nullable=False),
    Column("value", LargeBinary, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("submitted_at", BigInteger),
    Column("closed_at", BigInteger),
)

filing = Table(
    "filing",
    metadata,
    Column("id", String, primary_key=True),
    Column("origin", String, nullable=False, unique=True),
    Column("draft_id", String),
    Column("state", String, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("site", String, nullable=False),
    Column("user_key", String, nullable=False),
    Column("patient", String, nullable=False),
    Column("in_transaction", Boolean, nullable=False),
    Column("value", LargeBinary, nullable=False),
    Column("plan", LargeBinary, nullable=False),
    Column("reason", LargeBinary),
    Column("lease_until", BigInteger),
    Column("lost_at", BigInteger),
    Column("not_before", BigInteger),
    Column("sealed_at", BigInteger, nullable=False),
    Column("changed_at", BigInteger, nullable=False),
    Index("filing_patient", "site", "patient"),
)

part = Table(
    "part",
    metadata,
    Column("filing_id", ForeignKey("filing.id", ondelete="CASCADE"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("state", String, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("replaced", Boolean, nullable=False),
    Column("request", LargeBinary, nullable=False),
    Column("body", LargeBinary),
    Column("receipt", LargeBinary),
)

refusal = Table(
    "refusal",
    metadata,
    Column("site", String, primary_key=True),
    Column("rung", String, primary_key=True),
    Column("user_key", String, primary_key=True),  # empty: whoever it is
    Column("status", Integer, nullable=False),
    Column("refused_at", BigInteger, nullable=False),
)

audit = Table(
    "audit",
    metadata,
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("at", BigInteger, nullable=False),
    Column("user_key", String, nullable=False),
    Column("patient", String, nullable=False, index=True),
    Column("action", String, nullable=False),
    Column("outcome", String, nullable=False),
    Column("value", LargeBinary, nullable=False),
    Column("key_id", String, nullable=False),
    Column("mac", String, nullable=False),
)

audit_head = Table(
    "audit_head",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("seq", BigInteger, nullable=False),
    Column("mac", String, nullable=False),
    Column("key_id", String, nullable=False),
    Column("head_mac", String, nullable=False),
)

audit_unsent = Table(
    "audit_unsent",
    metadata,
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("tries", Integer, nullable=False),
    Column("due_at", BigInteger, nullable=False),
)
