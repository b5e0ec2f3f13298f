"""What one running app holds: settings, store, clock, its hospitals, and whether it is about to stop."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from flask import Flask, current_app

from smart_app.config import AppConfig
from smart_app.failed_log_ins import FailedLogIns
from smart_app.hospital import Hospital
from smart_app.panels_shown import PanelsShown
from smart_app.seal import Seal
from smart_app.store import Store

_EXTENSION = "imr"


def utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class State:
    config: AppConfig
    store: Store
    clock: Callable[[], datetime]
    seal: Seal
    hospitals: Mapping[str, Hospital]
    failed: FailedLogIns
    panels: PanelsShown = field(default_factory=PanelsShown)
    draining: threading.Event = field(default_factory=threading.Event)


def init_state(app: Flask, state: State) -> None:
    app.extensions[_EXTENSION] = state


def state_of(app: Flask) -> State:
    found: State = app.extensions[_EXTENSION]
    return found


def state() -> State:
    """The state of the app that answers this request."""
    return state_of(current_app)


def now() -> datetime:
    """The app's clock, always aware."""
    return state().clock()
