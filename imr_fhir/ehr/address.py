"""Addresses of a hospital, compared only after parsing: what we call, and what we take from an EHR's links.

An address that two parsers could read in two ways (userinfo, backslash, "..", control characters) is refused, never
mended.
"""

import re
from dataclasses import dataclass
from ipaddress import IPv6Address
from urllib.parse import unquote, urljoin

from imr_fhir.errors import RefusedUrl

LOOPBACK = frozenset({"localhost", "127.0.0.1", "[::1]"})
# What stands behind a FHIR base in addresses that people copy.
PAGES_OF_A_BASE = {
    "/metadata": "CapabilityStatement",
    "/.well-known/smart-configuration": "SMART configuration",
}

_URL = re.compile(
    r"(?P<scheme>https?)://"
    r"(?P<host>\[[0-9a-f:.]+\]|[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?)*\.?)"
    r"(?::(?P<port>[0-9]{1,5}))?"
    r"(?P<path>/[^?#]*)?(?:\?(?P<query>[^#]*))?",
    re.IGNORECASE,
)
_UNSAFE = re.compile(r"[^\x21-\x7e]|\\")  # a backslash is a slash to browsers; the rest belongs in no address

_ID = r"(?!\.+(?:/|$))[A-Za-z0-9\-.]{1,64}"
_REFERENCE = re.compile(rf"(?P<type>[A-Z][A-Za-z]{{1,63}})/(?P<id>{_ID})(?:/_history/(?P<version>{_ID}))?")
_LOCATION = re.compile(rf"(?:^|/){_REFERENCE.pattern}\Z")

_LAYERS = 8  # of %25 in one address: each costs as long as all of it

_WITHOUT_REFERENCES = frozenset({"item", "component"})  # of ratings; and they are most of what a chart holds


@dataclass(frozen=True, slots=True)
class Address:
    """``origin`` is scheme, host and port (always written), ``path`` begins with a slash or is empty."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def origin(self) -> str:
        return f"{self.scheme}://{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Reference:
    """A resource of the EHR that we talk to; ``version`` is "" where none is named."""

    type: str
    id: str
    version: str = ""

    def __str__(self) -> str:
        return f"{self.type}/{self.id}"


def parse(url: str) -> Address:
    """Raises RefusedUrl for whatever is not a plain absolute http or https address."""
    found = None if _UNSAFE.search(url) else _URL.fullmatch(url)
    if found is None or not _leads_anywhere(found["host"], found["port"]) or _climbs(found["path"] or ""):
        raise RefusedUrl(f"The address {_shown(url)} is not one that we call.", next_step=_TELL)
    scheme = found["scheme"].lower()
    port = int(found["port"] or {"http": 80, "https": 443}[scheme])
    return Address(scheme, found["host"].lower().rstrip("."), port, found["path"] or "")


def origin(url: str) -> str:
    """Scheme, host and port as browsers write them: the port only where it is not the scheme's own."""
    at = parse(url)
    return at.origin.removesuffix({"http": ":80", "https": ":443"}[at.scheme])


def under(url: str, base: str) -> str:
    """``url``, absolute or relative to ``base``, as an absolute address of the same server below ``base``.

    Raises RefusedUrl for any other.
    """
    if _UNSAFE.search(url):
        raise RefusedUrl(f"The address {_shown(url)} is not one that we call.", next_step=_TELL)
    base = base.rstrip("/")
    there = absolute(url, base)
    target, home = parse(there), parse(base)
    if target.origin != home.origin or not (target.path == home.path or target.path.startswith(f"{home.path}/")):
        raise RefusedUrl(f"The EHR pointed to {_shown(there)}, which is not below {base}.", next_step=_TELL)
    return there


def absolute(url: str, base: str) -> str:
    """``url`` as it is, or relative to ``base``: of whatever server. Raises RefusedUrl for "https://[x/y"."""
    try:
        return urljoin(f"{base.rstrip('/')}/", url)
    except ValueError:
        raise RefusedUrl(f"The address {_shown(url)} is not one that we call.", next_step=_TELL) from None


def local_reference(value: object, base: str) -> Reference | None:
    """``Type/id`` or the same below ``base`` (a FHIR ``Reference.reference``, a ``fhirUser``); None for any other."""
    if not isinstance(value, str):
        return None
    found = _REFERENCE.fullmatch(value)
    if found is None and "://" in value:
        try:
            path = parse(under(value, base)).path
            found = _REFERENCE.fullmatch(path[len(parse(base.rstrip("/")).path) + 1 :])
        except RefusedUrl:
            return None
    return Reference(found["type"], found["id"], found["version"] or "") if found else None


def make_local(resource: object, base: str) -> None:
    """References in ``resource``, as it was just read, of the server ``base`` itself by its address become relative, as
    everybody else writes them. So what still has an address is another server's, and nothing of that is taken for ours.
    """
    if isinstance(resource, list):
        for each in resource:
            make_local(each, base)
    elif isinstance(resource, dict):
        for name, value in resource.items():
            if isinstance(value, dict | list) and name not in _WITHOUT_REFERENCES:
                make_local(value, base)
            elif name == "reference" and isinstance(value, str) and "://" in value:
                found = local_reference(value, base)
                version = f"/_history/{found.version}" if found and found.version else ""
                resource[name] = f"{found}{version}" if found else value


def location_reference(value: str) -> Reference | None:
    """The end of a ``Location``: ``Type/id[/_history/v]``. The rest is dropped, so it can lead nowhere else.

    Epic's is relative; an EHR behind a proxy may give its inner address.
    """
    found = _LOCATION.search(value)
    return Reference(found["type"], found["id"], found["version"] or "") if found else None


def is_id(value: str) -> bool:
    """A FHIR id (R4: 1 to 64 letters, digits, hyphens, dots), but none of dots alone: it becomes part of a path."""
    return re.fullmatch(_ID, value) is not None


def _shown(url: str) -> str:
    """Without its query, which may name a patient, and its userinfo, which may be a password."""
    scheme, slashes, rest = url.partition("?")[0].partition("//")
    _, userinfo, rest = rest.rpartition("@")  # looked for once: "//.*@" would look for it from each slash
    return repr(f"{scheme}{slashes}{userinfo and '…@'}{rest}"[:100])


def _leads_anywhere(host: str, port: str | None) -> bool:
    """False for port 70000 and for [1.2.3]: there is no such place, and nobody's parser takes them."""
    try:
        return bool(int(port or 0) < 2**16 and (host[0] != "[" or IPv6Address(host[1:-1])))
    except ValueError:
        return False


def _climbs(path: str) -> bool:
    """Whether it leads upwards, or hides where it leads under more layers than anybody means."""
    for _ in range(_LAYERS):
        decoded = unquote(path)
        if decoded == path:
            # Java's servers take "..;x" for "..": what follows ";" is a parameter of the segment
            return ".." in (segment.partition(";")[0] for segment in path.replace("\\", "/").split("/"))
        path = decoded  # %252e%252e hides two dots from who decodes once
    return True


_TELL = "Tell the EHR's administrator; nothing was sent there."
