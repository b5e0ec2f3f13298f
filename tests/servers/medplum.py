"""Medplum's FHIR router and store in memory (npm): a second R4 server that nobody here wrote."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.servers.on_node import on_node

_HERE = Path(__file__).parent / "medplum"


@dataclass(frozen=True)
class Medplum:
    """Two bases, each with a store of its own, empty at first; `POST base/$expunge` empties it again.

    ``base``: says that it has transactions, and does each as a batch: what it refuses is named in an answer of 200, and
    the rest is done. Takes any id that a client chooses.
    ``strict``: transactions roll back, and no client chooses an id: PUT to one that is not there is 404.
    """

    base: str
    strict: str


@contextmanager
def medplum() -> Iterator[Medplum]:
    with on_node(_HERE) as origin:
        yield Medplum(f"{origin}/fhir/R4", f"{origin}/strict/fhir/R4")
