"""The app's cookies: one a log-in under way, one a launch, one a hand-over; never one for all.

`__Host-` forces Path=/, so a shared cookie would open every launch in the browser's history.
"""

from flask import request
from werkzeug.wrappers import Response

STATE = "__Host-s-"
_LAUNCH = "__Host-l-"
_HANDOVER = "__Host-p-"


def launch_cookie(lid: str) -> str:
    return _LAUNCH + lid[:8]


def handover_cookie(hid: str) -> str:
    return _HANDOVER + hid[:8]


def secret_of(name: str) -> str:
    """The value of one cookie, empty where there is none."""
    return request.cookies.get(name, "")


def launch_secrets() -> dict[str, str]:
    """All launch cookies that came with this request, by name: they are what we know of the browser."""
    return {name: value for name, value in request.cookies.items() if name.startswith(_LAUNCH)}


def handover_cookies() -> tuple[str, ...]:
    """The names of all hand-overs' cookies that came with this request."""
    return tuple(name for name in request.cookies if name.startswith(_HANDOVER))


def is_framed() -> bool:
    """Whether this request loads a frame: only a partitioned cookie comes back from there."""
    return request.headers.get("Sec-Fetch-Dest") in ("iframe", "frame")


def set_cookie(response: Response, name: str, value: str, *, framed: bool, seconds: int | None = None) -> None:
    """SameSite=None: the EHR's pages lead here, framed or not. Without ``seconds`` it ends with the browser."""
    response.set_cookie(
        name, value, max_age=seconds, path="/", secure=True, httponly=True, samesite="None", partitioned=framed
    )


def drop_cookie(response: Response, name: str, *, framed: bool) -> None:
    """A partitioned cookie is another one than its namesake without: it is dropped from the jar that it is in."""
    response.delete_cookie(name, path="/", secure=True, httponly=True, samesite="None", partitioned=framed)
