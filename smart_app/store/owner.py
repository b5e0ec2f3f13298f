"""Whose a draft or a filing is: a user, at a site, for a patient, each as a look-up key."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Owner:
    user_key: str
    site: str
    patient_key: str
