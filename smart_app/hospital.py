"""What the app keeps of one hospital in memory: its connection, what it says of itself, its keys, and ours."""

import logging
import threading
from collections import deque
from datetime import datetime

from imr_fhir.ehr.address import parse
from imr_fhir.ehr.discovery import SmartConfiguration, discover
from imr_fhir.ehr.identity import Identity, JwksCache, verify_id_token
from imr_fhir.ehr.resource_cache import ResourceCache
from imr_fhir.ehr.token import TokenResponse
from imr_fhir.ehr.transport import Transport
from smart_app.config import AppConfig, SiteConfig
from smart_app.discovered import Discovered
from smart_app.places import Places
from smart_app.proof import authentication_of
from smart_app.store.launch import Tokens

_log = logging.getLogger(__name__)
_UNUSED = 1000  # of log-ins; more die by themselves


def tokens_of(reply: TokenResponse) -> Tokens:
    return Tokens(reply.access_token, reply.expires_at, reply.scope, reply.refresh_token)


class Hospital:
    """One site's side of everything that is sent; used by all its requests side by side."""

    def __init__(self, site: SiteConfig, config: AppConfig) -> None:
        self.site = site
        self.cache = ResourceCache()
        # However many hospitals are slow at once, some workers are left.
        self.places = Places(max(1, config.threads // (len(config.sites) + 1)))
        self.redirect_uri = f"{config.public_url}/callback/{site.name}"
        self.transport = Transport(
            (parse(site.iss).origin, *site.allowed_hosts),
            allow_loopback_http=config.demo,
            extra_headers=site.extra_headers,
            ca=str(site.ca_file) if site.ca_file else None,
        )
        self.authentication = authentication_of(site, f"{config.public_url}/.well-known/jwks.json")
        self._lock = threading.Lock()
        self._unused: deque[Tokens] = deque()
        self._discovered = Discovered(lambda seconds: discover(self.transport, site.iss, seconds=seconds))
        self._jwks: dict[str, JwksCache] = {}

    def configuration(
        self, now: datetime, *, anonymous: bool = False, seconds: float | None = None
    ) -> SmartConfiguration:
        """What the hospital says of itself, asked at most once an hour; ``anonymous``: for a request of nobody in
        particular; ``seconds`` may shorten the transport's deadline. Raises EhrError."""
        return self._discovered.current(now, anonymous=anonymous, seconds=seconds)

    def end_later(self, tokens: TokenResponse | Tokens) -> None:
        """Tokens that nobody uses, since the launch is over or the log-in came to nothing: they are ended once the page
        that says so is out (tidying.py), so that no page waits for a hospital that is slow to end them."""
        with self._lock:
            self._unused.append(tokens if isinstance(tokens, Tokens) else tokens_of(tokens))
            if len(self._unused) > _UNUSED:
                self._unused.popleft()
                _log.warning("The tokens of a log-in at %s were not revoked: too many wait", self.site.name)

    def unused(self) -> Tokens | None:
        """Takes out those that wait longest, if any do."""
        with self._lock:
            return self._unused.popleft() if self._unused else None

    def identity(
        self,
        id_token: str,
        configuration: SmartConfiguration,
        *,
        nonce: str,
        now: datetime,
        previous: Identity | None = None,
        seconds: float | None = None,
    ) -> Identity:
        """Who logged in, by the verified id_token; ``seconds`` may shorten the deadline for its keys.

        Raises IdentityError, EhrError.
        """
        with self._lock:
            jwks = self._jwks.setdefault(configuration.jwks_uri, JwksCache(self.transport, configuration.jwks_uri))
        return verify_id_token(
            id_token,
            jwks,
            issuer=configuration.issuer,
            client_id=self.site.client_id,
            nonce=nonce,
            now=now,
            algorithms=self.site.id_token_algorithms,
            fhir_base=configuration.fhir_base,
            previous=previous,
            seconds=seconds,
        )
