"""The return PIN: six digits or more, kept as a scrypt hash."""

from __future__ import annotations

import secrets

from cryptography.exceptions import InvalidKey
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from smart_app.store.errors import PinRefused

TRIES = 5
MIN_DIGITS, MAX_DIGITS = 6, 12
_SALT_BYTES = 16


def check_pin(pin: str) -> None:
    """Raises PinRefused where it is not 6 to 12 digits."""
    if not (pin.isascii() and pin.isdigit() and MIN_DIGITS <= len(pin) <= MAX_DIGITS):
        raise PinRefused(
            f"A PIN has {MIN_DIGITS} to {MAX_DIGITS} digits and nothing else.",
            next_step="Choose one that you will remember for the next two hours.",
            left=TRIES,
        )


def hash_pin(pin: str) -> bytes:
    """Salt and hash. Raises PinRefused as ``check_pin``."""
    check_pin(pin)
    salt = secrets.token_bytes(_SALT_BYTES)
    return salt + _scrypt(salt).derive(pin.encode())


def pin_matches(pin: str, hashed: bytes) -> bool:
    try:
        _scrypt(hashed[:_SALT_BYTES]).verify(pin.encode(), hashed[_SALT_BYTES:])
    except InvalidKey:
        return False
    return True


def _scrypt(salt: bytes) -> Scrypt:
    return Scrypt(salt=salt, length=32, n=2**15, r=8, p=1)  # 32 MB and about a tenth of a second a try
