"""What anybody may use up without a log-in, so that nobody uses it up for all: by network, and in all.

An IPv4 address is one network, since a whole hospital may have one; of IPv6 the first 48 bits, which are given out as
a whole. The address is what `proxy_hops` proxies say. Kept of it is an HMAC.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address, ip_network


@dataclass(frozen=True, slots=True)
class Share:
    """``one`` is what a network may have of it, only ``few`` once there are ``crowded`` in all, and ``most`` the end:
    one network takes a thirtieth or a tenth of it at most, and whoever uses it up needs hundreds of networks."""

    one: int
    few: int
    crowded: int
    most: int

    def is_used_up(self, network: str, counted: Mapping[str, int]) -> bool:
        total = sum(counted.values())
        return counted.get(network, 0) >= (self.one if total < self.crowded else self.few) or total >= self.most


def network_of(address: str) -> str:
    """The network that ``address`` counts as; itself where it is no address."""
    try:
        found = ip_address(address)
    except ValueError:
        return address
    if isinstance(found, IPv6Address):
        return str(found.ipv4_mapped or ip_network((int(found), 48), strict=False))
    return str(found)
