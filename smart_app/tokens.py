"""A launch's tokens while it lives: renewed in time by one request at a time, revoked when it ends."""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta

from imr_fhir.ehr.client import FhirClient
from imr_fhir.ehr.identity import Identity
from imr_fhir.ehr.token import TokenResponse, refresh, revoke
from imr_fhir.errors import (
    Busy,
    EhrError,
    IdentityError,
    ImrError,
    LaunchError,
    LostReply,
    NotConnected,
    Unauthorized,
)
from smart_app.hospital import Hospital, tokens_of
from smart_app.store import Store
from smart_app.store.errors import NoAccess, NotRefreshed
from smart_app.store.launch import Launch, Tokens
from smart_app.store.token_refresh import RENEWAL_SECONDS

_log = logging.getLogger(__name__)
_ONE_SECONDS, _ALL_SECONDS = 5.0, 20.0  # for ending one token, and all that ended together
_BEFORE = timedelta(seconds=60)  # a clock may differ, and a request may wait for its turn


class LiveToken:
    """The access token of a launch. It needs no request and may be asked from any thread, side by side."""

    def __init__(
        self,
        launch: Launch,
        hospital: Hospital,
        store: Store,
        clock: Callable[[], datetime],
        before: Callable[[], None] = lambda: None,
    ) -> None:
        self._launch = launch
        self._hospital = hospital
        self._store = store
        self._clock = clock
        self._before = before
        self._lock = threading.Lock()
        self._failure: ImrError | None = None

    def current(self) -> str:
        """Renewed where it is about to end. Raises what ``before`` does, Unauthorized where the log-in is over."""
        self._before()
        tokens = self._launch.tokens
        if tokens.expires_at is not None and self._clock() >= tokens.expires_at - _BEFORE:
            self._refresh(tokens.access_token)
        return self._launch.tokens.access_token

    def newer(self, refused: str) -> str:
        """Another one than ``refused``, where an EHR ended it before its time; empty where there is none to be had."""
        try:
            self._refresh(refused)
        except Unauthorized:
            return ""
        return self._launch.tokens.access_token

    def _refresh(self, stale: str) -> None:
        """Once for all who ask side by side: those who wait get the new token, or learn the same of the failure."""
        with self._lock:
            if self._failure:
                raise self._failure.with_traceback(None)
            if self._launch.tokens.access_token != stale:
                return
            try:
                self._ask()
            except (EhrError, LaunchError) as error:
                self._failure = error
                raise

    def _ask(self) -> None:
        if not self._launch.tokens.refresh_token:
            raise _over()
        fresh: list[Tokens] = []

        def renew(stale: Launch) -> Tokens:
            fresh.append(renewed(stale, self._hospital, self._clock()))
            return fresh[0]

        try:
            self._launch = self._store.tokens.refresh(self._launch, renew)
        except (LaunchError, NoAccess) as error:
            for each in fresh:  # whoever ended the launch meanwhile knew of the old ones alone
                self._hospital.end_later(each)
            raise _over() from error
        except (Busy, Unauthorized):
            raise
        except (EhrError, NotRefreshed) as error:
            # whatever became of the token, of the request that needs it nothing was sent
            raise NotConnected(
                f"The log-in at the EHR was not renewed. {error.message}", next_step="Nothing was sent. Try again."
            ) from error


def client_of(
    launch: Launch,
    hospital: Hospital,
    store: Store,
    clock: Callable[[], datetime],
    before: Callable[[], None] = lambda: None,
) -> FhirClient:
    """The EHR as the launch's user, for its patient; the token is renewed in time, also from other threads.

    ``before`` is called before each request, and raises EhrError where none is to be sent.
    """
    token = LiveToken(launch, hospital, store, clock, before)
    return FhirClient(
        hospital.transport,
        launch.context.fhir_base,
        token=token.current,
        renew=token.newer,
        patient=launch.context.patient,
        cache=hospital.cache,
    )


def _over() -> Unauthorized:
    return Unauthorized(
        "The log-in at the EHR is over.", status=401, next_step="Open the app again from the patient's chart."
    )


def renewed(launch: Launch, hospital: Hospital, now: datetime) -> Tokens:
    """New tokens from the EHR for the same user and patient, or a failure in RENEWAL_SECONDS.

    Raises AuthorizationError, IdentityError, EhrError.
    """
    ends = time.monotonic() + RENEWAL_SECONDS
    context = launch.context
    configuration = hospital.configuration(now, seconds=RENEWAL_SECONDS)
    previous = TokenResponse(
        access_token=launch.tokens.access_token,
        scope=launch.tokens.scopes,
        refresh_token=launch.tokens.refresh_token,
        patient=context.patient,
    )
    left = ends - time.monotonic()
    fresh = refresh(
        hospital.transport,
        configuration,
        hospital.authentication,
        previous,
        now=now,
        seconds=left,
        refused=hospital.end_later,
    )
    if fresh.id_token and context.sub:
        user = Identity(context.issuer, context.sub)
        left = ends - time.monotonic()
        try:
            hospital.identity(fresh.id_token, configuration, nonce="", now=now, previous=user, seconds=left)
        except (IdentityError, EhrError) as error:
            # where only its keys can't be had now, the log-in goes on with the refresh token that it has, if that stays
            if isinstance(error, IdentityError) or fresh.refresh_token != previous.refresh_token:
                hospital.end_later(fresh)
            raise
    return tokens_of(fresh)


def end_later(ended: Iterable[Launch], hospitals: Mapping[str, Hospital]) -> None:
    """The tokens of launches that are over. Of a site that was taken out of the settings nothing is called any more."""
    for launch in ended:
        if hospital := hospitals.get(launch.context.site):
            hospital.end_later(launch.tokens)


def revoke_unused(
    hospitals: Mapping[str, Hospital],
    now: datetime,
    *,
    seconds: float = _ALL_SECONDS,
    stopping: threading.Event | None = None,
) -> None:
    """Ends tokens that nobody uses (``Hospital.end_later``), of each hospital in turn, for ``seconds`` and until
    ``stopping``; the rest waits for the next call.

    One that the EHR does not take back dies by itself; it is logged.
    """
    ends = time.monotonic() + seconds
    turns = deque(hospitals.values())
    while turns and time.monotonic() < ends and not (stopping and stopping.is_set()):
        hospital = turns.popleft()
        tokens = hospital.unused()
        if tokens is None:
            continue
        if _revoke(hospital, tokens, now, ends):
            turns.append(hospital)
        else:  # one that is silent must not take the others' time
            _leave(hospital)


def leave_unused(hospitals: Mapping[str, Hospital]) -> None:
    """The app stops: says which tokens it did not end."""
    for hospital in hospitals.values():
        _leave(hospital)


def _revoke(hospital: Hospital, tokens: Tokens, now: datetime, ends: float) -> bool:
    """False where the hospital is silent."""
    answers = True
    # Some servers end the refresh token alone (RFC 7009, 2.1 leaves it to them), so each is ended by itself.
    for hint, token in _each(tokens):
        left = min(_ONE_SECONDS, ends - time.monotonic())
        if not answers or left <= 0:
            _not_revoked(hospital, "no time")
            continue
        try:
            configuration = hospital.configuration(now, seconds=_ONE_SECONDS)
            way = hospital.authentication
            revoke(hospital.transport, configuration, way, token, hint=hint, now=now, seconds=left)
        except (EhrError, LaunchError) as error:
            answers = not isinstance(error, NotConnected | LostReply)
            _not_revoked(hospital, type(error).__name__)
    return answers


def _leave(hospital: Hospital) -> None:
    while tokens := hospital.unused():
        for _ in _each(tokens):
            _not_revoked(hospital, "no time")


def _each(tokens: Tokens) -> list[tuple[str, str]]:
    """Those that there are, each with its kind."""
    both = (("refresh_token", tokens.refresh_token), ("access_token", tokens.access_token))
    return [(hint, token) for hint, token in both if token]


def _not_revoked(hospital: Hospital, why: str) -> None:
    _log.warning("A token of %s was not revoked: %s", hospital.site.name, why)
