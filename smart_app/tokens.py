"""A launch's tokens while it lives: renewed in time by one request at a time, revoked when it ends."""

import logging
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta

from imr_fhir.ehr.identity import Identity
from imr_fhir.ehr.token import TokenResponse, refresh, revoke
from imr_fhir.errors import AuthorizationError, EhrError, Unauthorized
from smart_app.hospital import Hospital
from smart_app.store import Store
from smart_app.store.launch import Launch, Tokens

_log = logging.getLogger(__name__)
_BEFORE = timedelta(seconds=60)  # a clock may differ, and a request may wait for its turn


def access_token(launch: Launch, hospital: Hospital, store: Store, clock: Callable[[], datetime]) -> Callable[[], str]:
    """A function that gives the access token of the moment; it needs no request and may be called from any thread."""
    current = launch

    def token() -> str:
        nonlocal current
        if is_spent(current.tokens, clock()):
            if not current.tokens.refresh_token:
                raise Unauthorized(
                    "The log-in at the EHR is over.", status=401, next_step="Log in again from the patient's chart."
                )
            current = store.tokens.refresh(current, lambda stale: renewed(stale, hospital, clock()))
        return current.tokens.access_token

    return token


def is_spent(tokens: Tokens, now: datetime) -> bool:
    return tokens.expires_at is not None and now >= tokens.expires_at - _BEFORE


def renewed(launch: Launch, hospital: Hospital, now: datetime) -> Tokens:
    """New tokens from the EHR for the same user and patient. Raises AuthorizationError, IdentityError, EhrError."""
    context = launch.context
    configuration = hospital.configuration(now)
    previous = TokenResponse(
        access_token=launch.tokens.access_token,
        scope=launch.tokens.scopes,
        refresh_token=launch.tokens.refresh_token,
        patient=context.patient,
    )
    fresh = refresh(hospital.transport, configuration, hospital.authentication, previous, now=now)
    if fresh.id_token and context.sub:
        user = Identity(context.issuer, context.sub)
        hospital.identity(fresh.id_token, configuration, nonce="", now=now, previous=user)
    return Tokens(fresh.access_token, fresh.expires_at, fresh.scope, fresh.refresh_token)


def revoke_all(ended: Iterable[Launch], hospitals: Mapping[str, Hospital], now: datetime) -> None:
    """Ends the tokens of launches that are over. One that the EHR does not take back dies by itself; it is logged."""
    for launch in ended:
        hospital = hospitals.get(launch.context.site)
        if hospital is None:
            continue  # the site was taken out of the settings: nothing of it is called any more
        hint = "refresh_token" if launch.tokens.refresh_token else "access_token"
        token = launch.tokens.refresh_token or launch.tokens.access_token
        try:
            configuration = hospital.configuration(now)
            revoke(hospital.transport, configuration, hospital.authentication, token, hint=hint, now=now)
        except (EhrError, AuthorizationError) as error:
            _log.warning("A token of %s was not revoked: %s", launch.context.site, type(error).__name__)
