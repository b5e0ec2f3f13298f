"""A log-in without a user (SMART Backend Services): had when first needed, renewed before it ends and when refused."""

import threading
from collections.abc import Callable
from datetime import datetime, timedelta

from imr_fhir.ehr.client import FhirClient
from imr_fhir.ehr.discovery import SmartConfiguration, discover
from imr_fhir.ehr.scopes import to_ask_as_service
from imr_fhir.ehr.token import PrivateKeyJwt, TokenResponse, backend_token
from imr_fhir.ehr.transport import Transport
from imr_fhir.errors import AuthorizationError, BadReply, NotFound

_BEFORE = timedelta(seconds=60)  # a clock may differ, and a request may wait for its turn


class BackendServices:
    """The access token of one client at one server; may be asked from any thread, side by side.

    ``scopes``: what to ask for, with a blank between; "": ``rights`` (letters of v2) on all resources. ``token_url``:
    where the server does not say it itself.
    """

    def __init__(
        self,
        transport: Transport,
        fhir_base: str,
        authentication: PrivateKeyJwt,
        *,
        clock: Callable[[], datetime],
        scopes: str = "",
        rights: str = "cruds",
        token_url: str = "",
    ) -> None:
        self._transport = transport
        self._base = fhir_base
        self._authentication = authentication
        self._clock = clock
        self._scopes = scopes
        self._rights = rights
        self._configuration = SmartConfiguration(fhir_base, token_endpoint=token_url) if token_url else None
        self._lock = threading.Lock()
        self._token: TokenResponse | None = None
        self._until: datetime | None = None  # then it is renewed

    def client(self) -> FhirClient:
        return FhirClient(self._transport, self._base, token=self.current, renew=self.newer)

    def granted(self) -> tuple[str, ...]:
        """Scopes of the token of now. Raises as ``current``."""
        return self._good().scope

    def current(self) -> str:
        """Raises AuthorizationError (the server says no), EhrError."""
        return self._good().access_token

    def newer(self, refused: str) -> str:
        """Another one than ``refused``, which the server ended before its time. Raises as ``current``."""
        with self._lock:
            if self._token is None or self._token.access_token == refused:
                self._token = self._ask()
            return self._token.access_token

    def _good(self) -> TokenResponse:
        with self._lock:
            if self._token is None or (self._until is not None and self._clock() >= self._until):
                self._token = self._ask()
            return self._token

    def _ask(self) -> TokenResponse:
        if self._configuration is None:
            try:
                self._configuration = discover(self._transport, self._base, called=("token_endpoint",))
            except (BadReply, NotFound) as error:
                raise AuthorizationError(
                    f"{error.message} So it is not known where a backend service logs in there.",
                    next_step="Name the token endpoint with --token-url, or log in in another way.",
                ) from error
        offered = self._configuration.capabilities
        scopes = self._scopes.split() or to_ask_as_service(offered, self._rights)
        now = self._clock()
        try:
            token = backend_token(self._transport, self._configuration, self._authentication, scopes=scopes, now=now)
        except (BadReply, NotFound) as error:  # else whoever asked for something takes it for the answer to that
            raise AuthorizationError(
                f"{self._configuration.token_endpoint} gave no token. {error.message}",
                next_step="If it is not the token endpoint, name that with --token-url.",
            ) from error
        ends = token.expires_at
        self._until = None if ends is None else ends - min(_BEFORE, (ends - now) / 2)
        return token
