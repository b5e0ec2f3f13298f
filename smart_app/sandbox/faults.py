"""Named faults: what goes wrong in hospitals, switched on for one launch, or by a test for all."""

import threading
from collections.abc import Mapping

FAULTS: Mapping[str, str] = {
    "delay-200ms": "each FHIR reply takes 200 ms",
    "slow": "each FHIR reply takes 5 s",
    "down": "each FHIR request is answered by a proxy's 503 page",
    "busy": "each FHIR request is answered 429 with Retry-After: 2",
    "forbid-create": "each create and each transaction is answered 403",
    "cut-scopes": "the grant holds no scope that writes",
    "token-expired": "the first access token is refused (401); a refreshed one works",
    "stale": "each update and each transaction is answered 412",
    "lost-reply": "the first write is done, but its reply is cut off",
}
DELAYS = {"delay-200ms": 0.2, "slow": 5.0}


class Faults:
    """Those that a test switched on, and the launches whose one lost reply is spent."""

    def __init__(self) -> None:
        self._on: set[str] = set()
        self._lost: set[str] = set()
        self._lock = threading.Lock()

    def switch_on(self, name: str) -> None:
        """For every request from now on. Raises KeyError for a name that is not in FAULTS."""
        if name not in FAULTS:
            raise KeyError(name)
        with self._lock:
            self._on.add(name)
            self._lost.clear()

    def switch_off(self, name: str) -> None:
        with self._lock:
            self._on.discard(name)

    def of(self, launch: frozenset[str]) -> frozenset[str]:
        """All that hold for a launch's request."""
        with self._lock:
            return launch | self._on

    def lose_reply(self, family: str) -> bool:
        """True once for each launch."""
        with self._lock:
            first = family not in self._lost
            self._lost.add(family)
            return first


def cut(scopes: list[str]) -> list[str]:
    """Without what writes: ``patient/Observation.cruds`` becomes ``patient/Observation.rs``, ``.write`` goes."""
    kept = []
    for scope in scopes:
        head, dot, letters = scope.rpartition(".")
        if "/" not in head or letters == "read":
            kept.append(scope)
        elif letters == "*":
            kept.append(f"{head}{dot}read")
        elif left := "".join(letter for letter in letters if letter in "rs" and letters != "write"):
            kept.append(f"{head}{dot}{left}")
    return kept
