"""A site's own codes: for the figures that go into its flowsheet rows, and for the type of its documents."""

from __future__ import annotations

from imr_fhir.resource import Coding
from imr_fhir.scale import RATERS, Rater
from imr_fhir.score_shape import Codes
from smart_app.config import SiteConfig


def coding(written: str) -> Coding:
    """Of ``system|code``."""
    system, _, code = written.rpartition("|")
    return {"system": system, "code": code}


def figure_codes(site: SiteConfig) -> Codes:
    """Of ``flat_codes``: "client-06" or "clinician-sum" -> "system|code"."""
    found: dict[Rater, dict[str, Coding]] = {rater: {} for rater in RATERS}
    for key, code in site.flat_codes.items():
        rater, _, name = key.partition("-")
        found["client" if rater == "client" else "clinician"][name] = coding(code)
    return found
