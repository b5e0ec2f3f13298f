"""What all parts of one hospital share."""

from dataclasses import dataclass, field

from flask import Flask, current_app

from .access import HOUSE, Access
from .bundles import Pages
from .config import HospitalConfig
from .database import Database
from .faults import Faults
from .fhir_store import FhirStore
from .interactions import Interactions
from .keys import ClientKeys, SigningKeys
from .launches import Launch, launch_token
from .vault import Vault


@dataclass(frozen=True)
class Hospital:
    """``app.extensions["hospital"]``; tests reach faults, tokens and launches through it."""

    config: HospitalConfig
    database: Database
    store: FhirStore
    vault: Vault
    keys: SigningKeys
    client_keys: ClientKeys = field(default_factory=ClientKeys)
    pages: Pages = field(default_factory=Pages)
    faults: Faults = field(default_factory=Faults)

    def interactions(self, access: Access = HOUSE) -> Interactions:
        return Interactions(self.store, self.pages, self.config.fhir_base, access)

    def launch(self, launch: Launch) -> str:
        """A launch token, as the chart page makes one."""
        return launch_token(self.vault, launch)

    def access_token(
        self, scope: str, *, patient: str = "", user: str = "", faults: tuple[str, ...] = (), seconds: float = 3600
    ) -> str:
        """An access token without any authorization: for tests of the FHIR side alone. Without a user it is one of the
        hospital's own systems, which its EHR refuses nothing."""
        launch = Launch(user=user, patient=patient, faults=faults)
        body = {
            "client_id": "test" if user else HOUSE.client_id,
            "scope": scope,
            "launch": launch.body(),
            "first": True,
        }
        return self.vault.issue("access", body, seconds=seconds)

    def close(self) -> None:
        self.database.close()


def open_hospital(config: HospitalConfig) -> Hospital:
    """Opens the database, and makes what is missing in it (tables, signing keys)."""
    database = Database(config.database)
    store = FhirStore(database, config.clock)
    return Hospital(config, database, store, Vault(database, config.clock), SigningKeys(database))


def the_hospital() -> Hospital:
    """The hospital of the running Flask app."""
    return hospital_of(current_app)


def hospital_of(app: Flask) -> Hospital:
    hospital = app.extensions["hospital"]
    assert isinstance(hospital, Hospital)
    return hospital
