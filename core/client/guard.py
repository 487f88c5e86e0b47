"""Keeps calls to addresses that somebody else chose away from this machine's own networks.

A name is resolved once and the connection goes to an address that was checked, at each hop of a
redirect; the name still goes into the Host header and the certificate check. The horde itself may
be anywhere: a private one hands out links to its own address.
"""

import asyncio
import contextlib
import ipaddress
import socket
from collections.abc import Iterable, Mapping
from ipaddress import IPv4Address, IPv6Address
from typing import Final
from urllib.request import getproxies_environment

import httpx

Address = IPv4Address | IPv6Address

PORTS: Final = {"http": 80, "https": 443}
MAX_TRIED: Final = 4
"""Addresses of one host."""
_METADATA: Final = ipaddress.ip_address("168.63.129.16")
"""Public, but used by a cloud to serve its own machines."""
_NAT64: Final = ipaddress.IPv6Network("64:ff9b::/96")


class NotPublic(httpx.TransportError):
    """The host is not on the public internet."""


class PublicOnly(httpx.AsyncBaseTransport):
    """Reaches hosts of the public internet, and one horde anywhere.

    home: the horde's URL.
    allowed: further addresses and networks ("10.0.0.0/8") that may be reached.
    """

    def __init__(
        self,
        home: str,
        allowed: Iterable[str] = (),
        *,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._home = httpx.URL(home)
        self._allowed = [ipaddress.ip_network(one, strict=False) for one in allowed]
        self._transport = transport or httpx.AsyncHTTPTransport()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Make a call to a checked address. Raises NotPublic."""
        host = request.url.host
        addresses = await self._permitted(request.url)
        failure = httpx.ConnectError("no address")
        for address in addresses[:MAX_TRIED]:
            pinned = httpx.Request(
                request.method,
                request.url.copy_with(host=str(address)),
                headers=request.headers,
                stream=request.stream,
                extensions={**request.extensions, "sni_hostname": host},
            )
            try:
                return await self._transport.handle_async_request(pinned)
            except httpx.ConnectError as error:
                failure = error
        raise failure

    async def check(self, request: httpx.Request) -> None:
        """Refuse a call that a proxy would carry, as far as its host is known here."""
        with contextlib.suppress(httpx.ConnectError):
            await self._permitted(request.url)

    async def aclose(self) -> None:
        """Close all connections."""
        await self._transport.aclose()

    async def _permitted(self, url: httpx.URL) -> list[Address]:
        """Resolve a host. All addresses must be public: a private one among them is a trap."""
        found = await _resolved(url)
        if all(is_public(one) or self._is_allowed(one) for one in found):
            return found
        if _port(url) == _port(self._home) and set(found) <= set(await _resolved(self._home)):
            return found
        raise NotPublic("it is not on the public internet")

    def _is_allowed(self, address: Address) -> bool:
        return any(address in network for network in self._allowed)


def client(
    public: PublicOnly,
    *,
    headers: Mapping[str, str],
    mounts: Mapping[str, httpx.AsyncBaseTransport] | None,
) -> httpx.AsyncClient:
    """Make a client that reaches only what `public` allows.

    A proxy of the environment is used; it looks names up itself, so addresses are not pinned then.
    """
    if not {"http", "https", "all"}.isdisjoint(getproxies_environment()):
        return httpx.AsyncClient(
            headers=headers, mounts=mounts, event_hooks={"request": [public.check]}
        )
    return httpx.AsyncClient(headers=headers, mounts=mounts, transport=public)


def is_public(address: Address) -> bool:
    """Whether the address, and any IPv4 address within it, belongs to the public internet."""
    if isinstance(address, IPv6Address):
        carried = [address.ipv4_mapped, address.sixtofour, *(address.teredo or ())]
        if address in _NAT64 or int(address) >> 32 == 0:
            carried.append(IPv4Address(int(address) & 0xFFFFFFFF))
        if address.is_site_local or not all(is_public(one) for one in carried if one is not None):
            return False
    return address.is_global and not address.is_multicast and address != _METADATA


def _port(url: httpx.URL) -> int | None:
    return url.port or PORTS.get(url.scheme)


async def _resolved(url: httpx.URL) -> list[Address]:
    loop = asyncio.get_running_loop()
    try:
        answers = await loop.getaddrinfo(
            url.raw_host.decode("ascii"), _port(url), type=socket.SOCK_STREAM
        )
    except (OSError, UnicodeError) as error:
        raise httpx.ConnectError("no such host") from error
    texts = dict.fromkeys(str(answer[4][0]).partition("%")[0] for answer in answers)
    return [ipaddress.ip_address(text) for text in texts]
