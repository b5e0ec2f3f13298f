"""Whose a draft or a filing is: a user, at a site, for a patient, each as a look-up key."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Owner:
    user_key: str
    site: str
    patient_key: str

    def row(self, row_id: str) -> str:
        """The place of this owner's sealed values: in a row given to another owner they do not open."""
        return "/".join((row_id, self.user_key, self.site, self.patient_key))
