"""What one export is asked for. It decides what is in the folder, so that a later run must ask for the same."""

from dataclasses import asdict, dataclass, field
from typing import Any

from imr_fhir.ehr.bulk_data import Level
from imr_fhir.errors import ExportError
from imr_fhir.reporting.export.asking import TYPES
from imr_fhir.reporting.export.pseudonym import Pseudonyms
from imr_fhir.reporting.export.release import Release


@dataclass(frozen=True)
class Asked:
    """``systems``: code systems of the site's own figures. ``episode_types``: "system|code" of the EpisodeOfCare that
    are courses of IMR; none: each is one. ``pseudonyms``: None where ids stay as they are."""

    base: str
    level: Level = "patient"
    group: str = ""
    types: tuple[str, ...] = (*TYPES, "Questionnaire")
    free_text: bool = False
    unit_names: bool = False
    shift_dates: bool = False
    systems: tuple[str, ...] = ()
    episode_types: tuple[str, ...] = ()
    pseudonyms: Pseudonyms | None = field(default=None, repr=False)

    def release(self) -> Release:
        return Release(
            self.base,
            self.pseudonyms,
            free_text=self.free_text,
            unit_names=self.unit_names,
            shift=self.shift_dates,
            systems=frozenset(self.systems),
        )

    def said(self) -> dict[str, Any]:
        """As it stands in the manifest: no key, and no id of the hospital's."""
        found = {name: value for name, value in asdict(self).items() if name != "pseudonyms"}
        found["group"] = self.release().id("Group", self.group) if self.group else ""
        found["pseudonyms"] = {"algorithm": "HMAC-SHA256", "key": self.pseudonyms.key_id} if self.pseudonyms else None
        return {name: list(value) if isinstance(value, tuple) else value for name, value in found.items()}


def require_same(asked: Asked, there: dict[str, Any], where: str) -> None:
    """Raises ExportError where ``there``, of the export in the folder ``where``, was asked for otherwise."""
    now = asked.said()
    differs = sorted(name for name in now if now[name] != there.get(name))
    if differs:
        names = ", ".join(name.replace("_", " ") for name in differs)
        raise ExportError(
            f"{where} holds an export that was asked for otherwise ({names}).",
            next_step="Ask for the same, name another folder, or give --anew, which throws away what is there.",
        )
