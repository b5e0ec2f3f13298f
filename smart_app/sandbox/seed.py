"""The packaged records, loaded once into an empty database through the store's own transactions."""

import gzip
import json
import re
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from .access import HOUSE
from .hospital import Hospital
from .transaction import bundle_entries, transact
from .writing import Writer

DATA = Path(__file__).parent / "data"
NORTH = "north.json"
SYNTHEA = tuple(
    f"{name}.json.gz"
    for name in ("hospital", "practitioner", "brock", "carlene", "evelyne", "lavern", "sean", "velvet")
)
EVERYTHING = (NORTH, *SYNTHEA)

# The day on which the records of the outpatient clinic are written; they move along, so that its courses run today.
AS_OF = date(2026, 11, 23)
_DATE = re.compile(r"\d{4}-\d\d-\d\d(?=T|$)")


def load(hospital: Hospital) -> None:
    """Each file once; a second start loads nothing."""
    names = EVERYTHING if hospital.config.seed is None else hospital.config.seed
    known = {name for (name,) in hospital.database.connection.execute("SELECT name FROM seeded")}
    days = (hospital.config.clock().date() - AS_OF).days
    interactions = hospital.interactions()
    writer = Writer(hospital.store, hospital.config.fhir_base, HOUSE, trusted=True)
    for name in names:
        if name in known:
            continue
        bundle = read_records(name)
        if name == NORTH:
            bundle = moved(bundle, days)
        transact(bundle_entries(bundle, hospital.config.fhir_base), interactions, writer)
        with hospital.database.write() as connection:
            connection.execute("INSERT INTO seeded VALUES (?)", (name,))


def read_records(name: str) -> dict[str, Any]:
    """One packaged Bundle."""
    data = (DATA / name).read_bytes()
    text = gzip.decompress(data) if name.endswith(".gz") else data
    bundle: dict[str, Any] = json.loads(text, parse_float=Decimal)
    return bundle


def moved(part: Any, days: int, name: str = "") -> Any:
    """A copy with each date ``days`` later, birth dates left alone."""
    if isinstance(part, dict):
        return {key: moved(each, days, key) for key, each in part.items()}
    if isinstance(part, list):
        return [moved(each, days, name) for each in part]
    if isinstance(part, str) and name != "birthDate" and (found := _DATE.match(part)):
        return (date.fromisoformat(found[0]) + timedelta(days)).isoformat() + part[10:]
    return part
