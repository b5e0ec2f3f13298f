"""What can go wrong with what the app keeps, as a branch of the error tree.

ImrError
└── StoreError
    ├── NotPrivate        a file or directory of ours that others on this machine may open
    ├── KeyFileError      the key file is missing or can't be read
    ├── WrongKey          the key file is not the one that this store was written with
    ├── Damaged           a sealed value that does not open: changed, or moved from another row
    ├── SchemaError       the store was written by a newer version of the app
    ├── StoreBusy         another writer held the store for longer than five seconds
    ├── StoreGone         the store's database does not answer
    ├── StoreUnready      the store can't be used now (disk, journal, fork)
    ├── NoAccess          wrong, missing, unknown, ended or not yours: one answer for all, so that it tells nothing
    ├── TooManyCodes      no more one-time codes for launches are given out for now
    ├── PinRefused        the return PIN was wrong (``left`` tries), or can't be used as one
    ├── NotRefreshed      another request tried to renew this launch's token and failed
    ├── StaleAnswer       the answer was changed in another tab since it was shown
    ├── StaleDraft        the draft was changed in another tab since its answers were read
    ├── DraftSealed       the draft is filed: a change is a correction
    ├── StaleFiling       the filing is no longer in the state or attempt that was expected
    ├── TooSoon           the filing may not take this step before ``seconds`` have passed
    └── BodyPurged        the sent bytes are no longer kept here: the EHR has them
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from imr_fhir.errors import ImrError

if TYPE_CHECKING:
    from smart_app.store.launch import Launch


class StoreError(ImrError):
    pass


class NotPrivate(StoreError):
    pass


class KeyFileError(StoreError):
    pass


class WrongKey(StoreError):
    pass


class Damaged(StoreError):
    pass


class SchemaError(StoreError):
    pass


class TooManyCodes(StoreError):
    pass


class StoreBusy(StoreError):
    pass


class StoreGone(StoreError):
    pass


class StoreUnready(StoreError):
    pass


class NoAccess(StoreError):
    """Says the same whatever the reason, so that it tells a stranger nothing."""

    def __init__(self) -> None:
        super().__init__("There is nothing here for you.", next_step="Open the app again from the patient's chart.")


class PinRefused(StoreError):
    """``left`` tries remain; at 0 the launches in ``ended`` are over and their tokens are the caller's to revoke."""

    def __init__(self, message: str, *, next_step: str, left: int, ended: Sequence[Launch] = ()) -> None:
        super().__init__(message, next_step=next_step)
        self.left = left
        self.ended = tuple(ended)


class NotRefreshed(StoreError):
    pass


class StaleAnswer(StoreError):
    """``values`` (item to value) were not kept."""

    def __init__(self, message: str, *, next_step: str, values: Mapping[str, str]) -> None:
        super().__init__(message, next_step=next_step)
        self.values = values


class StaleDraft(StoreError):
    pass


class DraftSealed(StoreError):
    pass


class StaleFiling(StoreError):
    pass


class TooSoon(StoreError):
    """``seconds`` until the step may be taken."""

    def __init__(self, message: str, *, next_step: str, seconds: int) -> None:
        super().__init__(message, next_step=next_step)
        self.seconds = seconds


class BodyPurged(StoreError):
    pass
