"""What is known of a filing and its parts, as values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from smart_app.store.drafts import Draft
from smart_app.store.filing_states import FINISHED, State
from smart_app.store.owner import Owner

# The clocks differ too much; it was saved at a time that has not come yet, so by a wrong clock; the patient's record
# was merged into another, or is gone; "": nothing of the kind.
Held = Literal["clock", "ahead", "merged", ""]


@dataclass(frozen=True, slots=True)
class NewPart:
    """The frozen bytes of one resource, and as JSON what its sender needs beside them (method, fullUrl, ...).

    ``unsent``: it stays here, to be printed or to make another rung of.
    """

    type: str
    body: bytes = field(repr=False)
    request: Mapping[str, Any] = field(repr=False)
    unsent: bool = False


@dataclass(frozen=True, slots=True)
class Sealing:
    """What a person saves.

    ``id`` is the UUID in meta.tag of every part. Either ``draft`` (as it was when the parts were built) or ``form``, a
    random name that the page was made with: saving the same again gives the first filing. ``details`` is what screens
    show of it (kind, author, when); ``plan`` the rung of the write plan.
    """

    id: str
    owner: Owner
    parts: tuple[NewPart, ...] = field(repr=False)
    in_transaction: bool
    plan: Mapping[str, Any]
    details: Mapping[str, Any] = field(repr=False)
    draft: Draft | None = None
    form: str = ""


@dataclass(frozen=True, slots=True)
class Receipt:
    """What the EHR called the resource. ``word``: how a person decided, where it was not read back and equal: it is
    there, without an id ("vouched"), or what the record has counts ("chosen"; without an id it has none)."""

    type: str
    id: str
    version_id: str
    status: int
    word: Literal["vouched", "chosen", ""] = ""


@dataclass(frozen=True, slots=True)
class Part:
    """``state`` is SEALED until it is sent; ``replaced`` parts were refused and gave way to another rung, or are
    ``unsent`` and never go out."""

    number: int
    type: str
    state: State
    attempt: int
    replaced: bool
    unsent: bool
    sha256: str
    request: Mapping[str, Any] = field(repr=False)
    receipt: Receipt | None


@dataclass(frozen=True, slots=True)
class Filing:
    """``attempt`` counts sends. ``reason`` may quote the EHR; ``candidates`` are the ids of a DUPLICATE; ``held`` says
    why nothing is sent, whoever presses."""

    id: str
    owner: Owner
    draft_id: str
    state: State
    attempt: int
    in_transaction: bool
    plan: Mapping[str, Any]
    details: Mapping[str, Any] = field(repr=False)
    reason: str = field(repr=False)
    candidates: tuple[str, ...]
    held: Held
    sealed: datetime
    changed: datetime
    lost: datetime | None
    not_before: datetime | None
    parts: tuple[Part, ...]

    @property
    def current(self) -> tuple[Part, ...]:
        """What goes out, or went out, in one send: all parts of a transaction, else the first not accepted."""
        rest = self.unaccepted
        return rest if self.in_transaction else rest[:1]

    @property
    def unaccepted(self) -> tuple[Part, ...]:
        return tuple(part for part in self.parts if not part.replaced and part.state is not State.PART_OK)

    @property
    def kept(self) -> tuple[Part, ...]:
        """What did not give way to another rung: sent, to be sent, or unsent."""
        unsent = (part.number for part in self.parts if part.unsent and part.state is not State.WITHDRAWN)
        numbers = {*unsent, *(part.number for part in self.parts if not part.replaced)}
        return tuple(part for part in self.parts if part.number in numbers)

    @property
    def receipts(self) -> tuple[Receipt, ...]:
        return tuple(part.receipt for part in self.parts if part.receipt)

    @property
    def finished(self) -> bool:
        return self.state in FINISHED
