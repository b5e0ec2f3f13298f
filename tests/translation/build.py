"""Tables as translators give them back."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from imr_fhir import artefacts
from imr_fhir.translation.export import rows
from imr_fhir.translation.strings import strings
from imr_fhir.translation.table import Line, Row, read_table, write_table
from imr_fhir.translation_status import TranslationStatus, statuses

CLIENT = artefacts.questionnaire("client")
KEYS = tuple(string.key for string in strings(CLIENT))
(PRESENT,) = statuses(CLIENT)


def code_system(rater: str = "client") -> dict[str, Any]:
    url = f"{artefacts.BASE}/CodeSystem/imr-{rater}"
    return next(each for each in artefacts.artefact_resources() if each["url"] == url)


def translated(lang: str = "nn", but: Mapping[str, str] = MappingProxyType({})) -> tuple[Row, ...]:
    """All texts into ``lang``: "(nn) " and the English, but those in ``but`` (key -> translation)."""
    return tuple(replace(row, translation=but.get(row.key, f"({lang}) {row.english}")) for row in rows(CLIENT, lang))


def lines(table: Iterable[Row]) -> tuple[Line, ...]:
    return read_table(write_table(tuple(table)))


def status(**said: Any) -> TranslationStatus:
    return TranslationStatus(**{"lang": "nn", "status": "draft", "by": "Kari Nordmann", "on": "2027-01-02", **said})
