"""The app in processes that end themselves (SIGKILL) at a step of a filing: see killing.py.

It reads lines and answers each with one: ``start POINT`` forks an app and says its process id when it serves, ``wait``
says how that one ended. What takes long, the imports, is done once.
"""

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
    """``point``: "sealed", "claimed", "between" two parts, "kept" in the draft; else a step of `FilingSteps`, when it
    is durable; "" for never."""
    filings: Any = store.filings
    if point == "sealed":
        filings.claim = dies
    elif point == "claimed":
        delivery.ehr_filing.send = dies  # type: ignore[assignment]
    elif point == "between":
        filings.claim = dies_the_second_time(filings.claim)
    elif point == "kept":
        store.drafts.set_answers = dies_after(store.drafts.set_answers)  # type: ignore[method-assign]
    elif point:
        setattr(filings, point, dies_after(getattr(filings, point)))


def serve(settings: str, port: int, point: str, answer: int) -> None:
    config = read_config(Path(settings))
    store = Store.open(config.store, load_keys(config.keys))
    die_at(point, store)
    Server(create_app(config, store=store), listen("127.0.0.1", port)).start()
    os.write(answer, f"{os.getpid()}\n".encode())
    signal.pause()


def main(settings: str, port: str) -> None:
    child = 0
    for line in iter(sys.stdin.readline, ""):
        command, _, point = line.strip().partition(" ")
        if command == "wait":
            print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
        elif (child := os.fork()) == 0:
            serve(settings, int(port), point, sys.stdout.fileno())


if __name__ == "__main__":
    main(*sys.argv[1:])
