"""The page that a launch opens on: by who logged in, and by what the EHR says it is for (SMART's ``intent``)."""

from __future__ import annotations

from collections.abc import Mapping

from flask import url_for

from smart_app.store.launch import Launch

# An intent is an agreement with one EHR. One that we don't know leads to the panel (SMART App Launch 2.2, 5.1.5).
_OF_CLINICIANS: Mapping[str, str] = {
    "imr-client": "handover.give",
    "imr-goal": "goals.new",
    "imr-today": "today.page",
    "imr-together": "together.page",
}


def landing(launch: Launch) -> str:
    """Its address. It says where to begin, never what is allowed: each page asks for itself."""
    context = launch.context
    if context.role == "patient":
        return url_for("own.home", lid=launch.id)
    by_intent = _OF_CLINICIANS if context.role == "clinician" else {}
    return url_for(by_intent.get(context.intent, "panel.show"), lid=launch.id)
