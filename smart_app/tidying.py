"""What the running app does by itself: it tells the EHR who saw what, ends the tokens that nobody uses any more, and
each minute tidies its store.

In a thread of its own: a hospital that takes its time over ended tokens holds up neither the signal to stop nor a page.
"""

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import SQLAlchemyError

from imr_fhir.errors import ImrError
from smart_app.state import State
from smart_app.telling import tell
from smart_app.tokens import end_later, leave_unused, revoke_unused

_log = logging.getLogger(__name__)
_TELL, _EVERY, _DAILY = 2.0, 60.0, 86_400.0  # seconds
_LAST = 5.0  # seconds for what is under way when the app stops


@contextmanager
def tidied(state: State) -> Iterator[threading.Thread]:
    """Tidies until the block ends. The thread is alive for as long: whoever waits in the block looks that it is."""
    thread = threading.Thread(target=_tidy_on, args=(state,), name="tidying", daemon=True)
    thread.start()
    try:
        yield thread
    finally:
        state.draining.set()
        thread.join(_LAST)
        # what was ended by the last answers too
        revoke_unused(state.hospitals, state.clock(), seconds=_LAST)
        leave_unused(state.hospitals)
        state.failed.flush(state.clock(), last=True)


def _tidy_on(state: State) -> None:
    tell_head(state)
    told = tidied = time.monotonic()
    while not state.draining.wait(min(_TELL, _EVERY)):
        revoke_unused(state.hospitals, state.clock(), stopping=state.draining)
        tell_events(state)
        if time.monotonic() - tidied > _EVERY:
            tidy(state)
            tidied = time.monotonic()
        if time.monotonic() - told > _DAILY:
            tell_head(state)
            told = time.monotonic()


def tell_events(state: State) -> None:
    """A store that is busy is asked again two seconds later."""
    try:
        tell(state)
    except (ImrError, SQLAlchemyError) as error:
        _log.warning("The EHR was not told who saw what: %s", type(error).__name__)


def tidy(state: State) -> None:
    """Writes down failed log-ins, ends what idled out and deletes what has served its time, in memory too; a store
    that is busy is tidied a minute later."""
    for hospital in state.hospitals.values():
        hospital.cache.forget()
    state.panels.forget()
    try:
        state.store.cipher.reread()
        state.failed.flush(state.clock())
        purged = state.store.purge(state.clock())
    except (ImrError, SQLAlchemyError) as error:
        _log.warning("The store was not tidied: %s", type(error).__name__)
        return
    end_later(purged.ended, state.hospitals)


def tell_head(state: State) -> None:
    """Into the log, which is kept elsewhere: what `imr-app audit verify --expect` is given later."""
    try:
        _log.info("The audit log stands at %s", state.store.audit.head())
    except (ImrError, SQLAlchemyError) as error:
        _log.error("The audit log can't be marked: %s", error)
