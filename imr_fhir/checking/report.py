"""All that is known of one EHR: the findings, and what follows from them for whoever sets the app up."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from imr_fhir.checking.finding import WORDS, Finding
from imr_fhir.checking.hosts import Host
from imr_fhir.checking.kept import Kept


@dataclass(frozen=True, slots=True)
class Report:
    """``smart``: the app can be launched from it, so ``scopes``, ``hosts`` and ``settings`` (TOML) say how."""

    base: str
    software: str
    release: str
    findings: tuple[Finding, ...]
    kept: tuple[Kept, ...]
    scopes: tuple[str, ...] = ()
    hosts: tuple[Host, ...] = ()
    settings: str = ""
    smart: bool = False

    @property
    def wanting(self) -> tuple[Finding, ...]:
        return tuple(finding for finding in self.findings if finding.wanting)

    @property
    def unseen(self) -> tuple[Finding, ...]:
        return tuple(finding for finding in self.findings if finding.needed and finding.unseen)

    def as_json(self) -> Mapping[str, Any]:
        return {
            "base": self.base,
            "software": self.software,
            "fhirVersion": self.release,
            "good": not (self.wanting or self.unseen),
            "findings": [
                {
                    "area": each.area,
                    "what": each.what,
                    "verdict": WORDS[each.verdict],
                    "evidence": each.evidence,
                    "next": each.next_step,
                    "needed": each.needed,
                }
                for each in self.findings
            ],
            "kept": {each.artefact: {"rung": each.rung, "closed": dict(each.closed)} for each in self.kept},
            "scopes": list(self.scopes),
            "hosts": [{"from": each.caller, "to": each.host, "why": each.why} for each in self.hosts],
            "settings": self.settings,
        }
