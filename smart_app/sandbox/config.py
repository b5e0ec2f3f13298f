"""What a sandbox hospital is started with."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from .clients import Client
from .ehrs import EHRS, Ehr


def utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class HospitalConfig:
    """One hospital.

    ``database``: the SQLite file that holds the records; made at first start.
    ``clients``: the registered applications; nobody else gets a token.
    ``base_url``: the hospital's own origin, e.g. ``http://localhost:8080``; the FHIR base is ``<base_url>/fhir``.
    ``app_launch_url``: where the chart page launches the application.
    ``seed``: the packaged record files to load into an empty database, in order (``data/README.md``).
    ``smart_1``: a server of SMART 1.0, which has no SMART configuration and names its endpoints in the
    CapabilityStatement alone.
    ``seconds_access``: lifetime of an access token; hospitals give 5 minutes to an hour.
    ``ehr``: whose manners the hospital has, a name in ``EHRS``.
    """

    database: Path
    clients: tuple[Client, ...] = ()
    base_url: str = "http://localhost"
    app_launch_url: str = "http://127.0.0.1:8001/launch"
    seed: tuple[str, ...] | None = None
    clock: Callable[[], datetime] = utc_now
    smart_1: bool = False
    seconds_access: int = 3600
    ehr: str = "generic"

    def __post_init__(self) -> None:
        if self.ehr not in EHRS:
            raise ValueError(f"The hospital can't be {self.ehr!r}: choose one of {', '.join(EHRS)}.")

    @property
    def manners(self) -> Ehr:
        return EHRS[self.ehr]

    @property
    def fhir_base(self) -> str:
        return f"{self.base_url}/fhir"

    @property
    def issuer(self) -> str:
        """The authorization server's name; not the FHIR base, as at most hospitals."""
        return self.base_url
