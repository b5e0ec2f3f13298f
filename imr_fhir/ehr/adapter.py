"""How `requests` and urllib3 are used here: no cookies, no proxies, nothing of the environment, an address as it was
checked."""

from collections.abc import Collection, Mapping
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from requests.structures import CaseInsensitiveDict
from urllib3 import PoolManager

from imr_fhir.ehr import wire


class PlainRequest(requests.PreparedRequest):
    """Put together here: ``Request.prepare`` would write the address anew, letter by letter, so that what goes out
    need not be what was checked, and it would take a third of a call's CPU time."""

    def __init__(self, origin: str, method: str, url: str, headers: Mapping[str, str], body: bytes | None) -> None:
        super().__init__()
        self.origin = origin  # of ``url``, as it was checked
        self.method, self.url, self.body = method, url, body
        self.headers = CaseInsensitiveDict(headers)
        self.prepare_content_length(body)


class Adapter(HTTPAdapter):
    """Connections to these ``origins``, by scheme, host and port; to https with the authorities in the file ``ca``."""

    def __init__(self, origins: Collection[str], ca: str, pool: int) -> None:
        self._ca = ca if any(origin.startswith("https:") for origin in origins) else ""
        super().__init__(pool_connections=len(origins), pool_maxsize=pool)
        self._pools: dict[str, Any] = {}

    def init_poolmanager(self, connections: int, maxsize: int, block: bool = False, **pool_kwargs: Any) -> None:
        context = wire.tls_context(self._ca) if self._ca else None
        self.poolmanager = PoolManager(connections, maxsize=maxsize, block=block, ssl_context=context, **pool_kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": wire.Pool, "https": wire.TLSPool}

    def get_connection_with_tls_context(self, request: Any, *_: Any, **__: Any) -> Any:
        """Its origin's: no key of ten parts, of which nine are the same, is put together to look for it."""
        if request.origin not in self._pools:
            self._pools[request.origin] = self.poolmanager.connection_from_url(request.origin)
        return self._pools[request.origin]

    def close(self) -> None:
        """A pool closes its connections once nobody holds it."""
        self._pools.clear()
        super().close()

    def request_url(self, request: requests.PreparedRequest, proxies: Any) -> str:  # noqa: ARG002
        """No proxy, so no look-up of one."""
        return request.path_url

    def build_response(self, req: requests.PreparedRequest, resp: Any) -> requests.Response:
        """What the transport reads of it, and no cookies: this is no browser."""
        response = requests.Response()
        response.status_code, response.headers, response.raw = resp.status, CaseInsensitiveDict(resp.headers), resp
        response.url, response.request = str(req.url), req
        return response

    def cert_verify(self, conn: Any, url: str, verify: Any, cert: Any) -> None:  # noqa: ARG002
        """The context holds the authorities already; requests would load its own again for each connection."""
        conn.cert_reqs = "CERT_REQUIRED"
