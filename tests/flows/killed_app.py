"""The app in a process of its own, which ends itself (SIGKILL) at a step of a filing: see test_killed.py."""

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from smart_app import create_app, delivery
from smart_app.config_file import read_config
from smart_app.serving import Server, listen
from smart_app.store import Store
from smart_app.store.keys import load_keys


def dies(*_: Any, **__: Any) -> Any:
    os.kill(os.getpid(), signal.SIGKILL)


def dies_after(step: Callable[..., Any]) -> Callable[..., Any]:
    def both(*given: Any, **options: Any) -> Any:
        step(*given, **options)
        dies()

    return both


def dies_the_second_time(step: Callable[..., Any]) -> Callable[..., Any]:
    steps = iter((step, dies))
    return lambda *given, **options: next(steps)(*given, **options)


def die_at(point: str, store: Store) -> None:
    """``point``: sealed, claimed, accepted, between; "" for never."""
    filings: Any = store.filings
    if point == "sealed":
        filings.claim = dies
    elif point == "claimed":
        delivery.ehr_filing.send = dies  # type: ignore[assignment]
    elif point == "accepted":
        filings.accepted = dies_after(filings.accepted)
    elif point == "between":
        filings.claim = dies_the_second_time(filings.claim)


def main(settings: str, port: str, point: str) -> None:
    config = read_config(Path(settings))
    store = Store.open(config.store, load_keys(config.keys))
    die_at(point, store)
    Server(create_app(config, store=store), listen("127.0.0.1", int(port))).start()
    print("ready", flush=True)
    signal.pause()


if __name__ == "__main__":
    main(*sys.argv[1:])
