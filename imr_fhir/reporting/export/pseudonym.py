"""Under which names resources leave: keyed hashes of ids, the same wherever one is named, and a patient's own shift.

HMAC-SHA256 (RFC 2104) cut to 128 bits: who has not the key can neither undo nor guess one, though national numbers and
an EHR's running numbers are few enough to try them all against a hash without a key.
"""

import hashlib
import hmac
import uuid
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property

KEY_BYTES = 32
SHIFT_WEEKS = 52  # at most; always back, so that nothing lies after the export


@dataclass(frozen=True)
class Pseudonyms:
    """``key``: 32 bytes that stay with the hospital."""

    key: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if len(self.key) != KEY_BYTES:
            raise ValueError(f"a key of pseudonyms has {KEY_BYTES} bytes, not {len(self.key)}")

    @cached_property
    def key_id(self) -> str:
        """Tells two keys apart, and nothing of either: 8 hexadecimal digits."""
        return self._digest("key id", "").hex()[:8]

    def id(self, resource_type: str, resource_id: str) -> str:
        """The id of ``resource_type``/``resource_id`` outside: 32 hexadecimal digits."""
        return self._digest("id", f"{resource_type}/{resource_id}").hex()[:32]

    def elsewhere(self, url: str) -> str:
        """The id of what another server has at ``url``: never that of one of ours."""
        return self._digest("url", url).hex()[:32]

    def uuid(self, value: str) -> str:
        """The UUID that stands for an identifier."""
        return str(uuid.UUID(bytes=self._digest("identifier", value)[:16], version=4))

    def shift(self, patient: str) -> timedelta:
        """How far back the dates of the Patient with this id are moved: whole weeks, so that days of the week stay."""
        number = int.from_bytes(self._digest("shift", patient)[:8], "big")
        return timedelta(weeks=1 + number % SHIFT_WEEKS)

    def _digest(self, use: str, value: str) -> bytes:
        return hmac.digest(self.key, f"{use}\n{value}".encode(), hashlib.sha256)
