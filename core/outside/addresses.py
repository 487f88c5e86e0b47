"""Which addresses may be called: those of the public internet, and what the operator allows.

A name is resolved once and the connection goes to an address that was checked, so a name whose
address changes from one look-up to the next gains nothing.
"""

import ipaddress
import re
import socket
from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Network
from typing import Final

from core.outside import NotAllowed
from core.outside.names import Address, Names

Network = IPv4Network | IPv6Network

NOT_PUBLIC: Final = "its host is not on the public internet"
LOCALHOST: Final = "localhost"

_FORBIDDEN: Final[tuple[Network, ...]] = tuple(
    ipaddress.ip_network(text)
    for text in (
        # The IANA special-purpose registries, without the globally reachable networks.
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "169.254.0.0/16",  # link-local; also where clouds keep their metadata
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.88.99.0/24",
        "192.168.0.0/16",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",
        "240.0.0.0/4",
        "168.63.129.16/32",  # public, but used by a cloud to serve its own machines
        "::/128",
        "::1/128",
        "64:ff9b:1::/48",
        "100::/64",
        "2001:2::/48",
        "2001:10::/28",
        "2001:20::/28",
        "2001:db8::/32",
        "3fff::/20",
        "5f00::/16",
        "fc00::/7",
        "fe80::/10",
        "fec0::/10",
        "ff00::/8",
    )
)
_NAME: Final = re.compile(r"(?=.{1,253}$)[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*")
_NAT64: Final = ipaddress.IPv6Network("64:ff9b::/96")


class Allowed:
    """Addresses beyond the public internet that may be called.

    entries: addresses and networks ("10.0.0.0/8"), and names ("hooks.internal") that may resolve
        to any address.
    """

    def __init__(self, entries: Iterable[str] = ()) -> None:
        self._networks: list[Network] = []
        self._names: set[str] = set()
        for entry in entries:
            try:
                self._networks.append(ipaddress.ip_network(entry, strict=False))
            except ValueError:
                self._names.add(entry.rstrip(".").lower())

    def by_name(self, host: str) -> bool:
        """Whether the name itself is allowed."""
        return host.rstrip(".").lower() in self._names

    def by_address(self, address: Address) -> bool:
        """Whether the address is public, or in a network that is allowed."""
        return is_public(address) or any(address in network for network in self._networks)


def is_public(address: Address) -> bool:
    """Whether the address, and any IPv4 address within it, belongs to the public internet.

    An IPv6 address can carry an IPv4 one, to which some gateways pass the call on.
    """
    carried = _carried(address)
    if any(address in network for network in _FORBIDDEN if network.version == address.version):
        return False
    return all(is_public(inner) for inner in carried)


def _carried(address: Address) -> list[IPv4Address]:
    if isinstance(address, IPv4Address):
        return []
    found = [address.ipv4_mapped, address.sixtofour, *(address.teredo or ())]
    low = IPv4Address(int(address) & 0xFFFFFFFF)
    if address in _NAT64 or int(address) >> 32 == 0:  # or the old "IPv4-compatible" form
        found.append(low)
    return [inner for inner in found if inner is not None]


def check_plain(host: str, allowed: Allowed) -> None:
    """Raise NotAllowed for a host that is refused without a look-up.

    That is a forbidden address, however it is spelled, and the names that every machine has for
    itself.
    """
    if allowed.by_name(host):
        return
    name = host.rstrip(".").lower()
    if name == LOCALHOST or name.endswith(f".{LOCALHOST}"):
        found: list[Address] = [IPv4Address("127.0.0.1")]
    else:
        found = _spelled(host)
        if not found and not _NAME.fullmatch(name):
            raise NotAllowed("its host is not a name")
    if not all(allowed.by_address(address) for address in found):
        raise NotAllowed(NOT_PUBLIC)


def _spelled(host: str) -> list[Address]:
    """The address if the host is one; None for a name."""
    try:
        answers = socket.getaddrinfo(
            host, None, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST
        )
    except (OSError, UnicodeError):
        return []
    return [ipaddress.ip_address(str(answer[4][0]).partition("%")[0]) for answer in answers]


async def resolve(
    host: str, port: int, allowed: Allowed, *, names: Names, caller: str = ""
) -> list[str]:
    """The addresses of a host that may be called, best first.

    All of its addresses must be allowed: a private one beside a public one is a trap.
    caller: whose call it is; empty: the horde's own.

    Raises NoAnswer if there is no such host, NotAllowed.
    """
    found = await names.look_up(host, port, caller)
    if not allowed.by_name(host) and not all(allowed.by_address(address) for address in found):
        raise NotAllowed(NOT_PUBLIC)
    return [str(address) for address in found]
