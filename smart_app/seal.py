"""What the app gives to a browser and gets back: sealed so that nobody else reads or changes it, with an age."""

import base64
import binascii
import hmac
import json
import secrets
import zlib
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from smart_app.store.cipher import Cipher, canonical
from smart_app.store.errors import Damaged
from smart_app.store.times import from_ms, to_ms

_TABLE = "browser"
_CLOCKS_APART = timedelta(seconds=30)  # of the machines that share a store: what one sealed the other opens


class Seal:
    """AES-256-GCM with the store's keys; ``purpose`` and ``name`` are part of what is authenticated."""

    def __init__(self, cipher: Cipher) -> None:
        self._cipher = cipher

    def close(self, purpose: str, name: str, value: Mapping[str, Any], now: datetime) -> str:
        """``value`` (JSON) as text for a cookie or a hidden field."""
        content = canonical({"at": to_ms(now), "value": dict(value)})
        sealed = self._cipher.seal(_TABLE, name, purpose, zlib.compress(content))  # a cookie holds 4 kB
        return base64.urlsafe_b64encode(sealed).decode("ascii").rstrip("=")

    def open(
        self, purpose: str, name: str, text: str, now: datetime, *, lifetime: timedelta
    ) -> tuple[dict[str, Any], datetime] | None:
        """The value and when it was sealed; None where it was changed, is for something else, or too old."""
        try:
            sealed = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
            content = json.loads(zlib.decompress(self._cipher.open(_TABLE, name, purpose, sealed)))
        except (binascii.Error, Damaged, ValueError):  # not base64, not ours, a name that no place has
            return None
        at = from_ms(content["at"])
        return (content["value"], at) if at - _CLOCKS_APART <= now <= at + lifetime else None

    def token(self, purpose: str, binding: str) -> str:
        """Proves that a form came from us for ``binding``; each time another, so that gzip tells nothing of it."""
        nonce = secrets.token_urlsafe(16)
        return f"{nonce}.{self._cipher.lookup(purpose, nonce, binding)}"

    def is_token(self, purpose: str, binding: str, token: str) -> bool:
        nonce, _, mac = token.partition(".")
        return hmac.compare_digest(mac.encode(), self._cipher.lookup(purpose, nonce, binding).encode())
