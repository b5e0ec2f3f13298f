"""A client that notes what it was asked to search for and what came of it: so what is tried is what the app does."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from imr_fhir.ehr.client import FhirClient
from imr_fhir.ehr.paging import PAGE, Found, Params
from imr_fhir.ehr.receipt import Receipt
from imr_fhir.errors import ImrError

T = TypeVar("T")

FEW = 5


@dataclass(frozen=True, slots=True)
class Tried:
    """``names``: of the search parameters. ``impossible``: what was searched for can't be there."""

    type: str
    names: tuple[str, ...]
    found: Found | None = None
    error: ImrError | None = None
    impossible: bool = False


class WatchedClient(FhirClient):
    """As ``client``, for one patient. ``impossible``: nothing that is searched for from now on can be there."""

    def __init__(self, client: FhirClient, patient: str | None, *, impossible: bool = False) -> None:
        vars(self).update(vars(client))
        self.patient = patient
        self.impossible = impossible
        self.tried: list[Tried] = []
        self.refusal: ImrError | None = None  # of the last write

    def search(
        self, resource_type: str, params: Params, *, post: bool = False, count: int = PAGE, pages: int | None = None
    ) -> Found:
        listed = tuple(params)
        names = tuple(name for name, _ in listed)
        if self.impossible:
            count, pages = FEW, 1  # where it is ignored, it gives all that there is
        try:
            found = super().search(resource_type, listed, post=post, count=count, pages=pages)
        except ImrError as error:
            self.tried.append(Tried(resource_type, names, error=error, impossible=self.impossible))
            raise
        self.tried.append(Tried(resource_type, names, found, impossible=self.impossible))
        return found

    def create(self, resource: Mapping[str, Any], *, if_none_exist: str = "") -> Receipt:
        return self._noted(lambda: super(WatchedClient, self).create(resource, if_none_exist=if_none_exist))

    def update(self, resource: Mapping[str, Any], *, if_match: str = "") -> Receipt:
        return self._noted(lambda: super(WatchedClient, self).update(resource, if_match=if_match))

    def transaction(self, bundle: Mapping[str, Any]) -> list[Receipt]:
        return self._noted(lambda: super(WatchedClient, self).transaction(bundle))

    def _noted(self, write: Callable[[], T]) -> T:
        self.refusal = None
        try:
            return write()
        except ImrError as error:
            self.refusal = error
            raise

    def read(self, resource_type: str, resource_id: str) -> dict[str, Any]:
        try:
            found = super().read(resource_type, resource_id)
        except ImrError as error:
            self.tried.append(Tried(resource_type, (), error=error, impossible=self.impossible))
            raise
        self.tried.append(Tried(resource_type, (), Found((found,)), impossible=self.impossible))
        return found
