"""Looks after each test that a panel that was given again was to the letter what it would be, worked out anew."""

from collections.abc import Callable
from typing import Any

from flask import Flask
from markupsafe import Markup

from smart_app.panels_shown import PanelsShown, Source
from smart_app.state import state_of
from tests import running

_other: list[tuple[str, str]] = []


def watch_panels() -> None:
    """Work out each panel of the apps that `tests.running` starts, from here on."""
    create_app = running.create_app

    def created(*args: Any, **options: Any) -> Flask:
        app = create_app(*args, **options)
        _watch(state_of(app).panels)
        return app

    running.create_app = created  # type: ignore[attr-defined]


def _watch(panels: PanelsShown) -> None:
    original = panels.of

    def watched(launch_id: str, source: Source, csrf_field: Markup, work: Callable[[], Markup]) -> Markup:
        new: list[Markup] = []

        def noted() -> Markup:
            new.append(work())
            return new[0]

        shown = original(launch_id, source, csrf_field, noted)
        if not new and shown != (fresh := work()):
            _other.append((shown, fresh))
        return shown

    panels.of = watched  # type: ignore[method-assign]


def differing() -> list[tuple[str, str]]:
    """Those that were another since this was last asked: as given, and as it should have been."""
    found = [*_other]
    _other.clear()
    return found
