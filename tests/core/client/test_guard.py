"""Where pictures may be fetched from, and sent to, when somebody else says where."""

import ipaddress
import socket

import httpx
import pytest

from core.client import HordeClient, Retries, UnexpectedAnswer
from core.client.guard import NotPublic, PublicOnly, is_public
from stub_horde import KEY, StubHorde

ONCE = Retries(attempts=1)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1",
        "0.0.0.1", "224.0.0.1", "255.255.255.255", "168.63.129.16", "::", "::1", "fe80::1",
        "fc00::1", "fec0::1", "ff02::1", "::ffff:127.0.0.1", "::127.0.0.1", "2002:7f00:1::",
        "64:ff9b::7f00:1",
    ],
)  # fmt: skip
def test_what_is_not_on_the_public_internet(address):
    assert not is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize("address", ["8.8.8.8", "1.1.1.1", "2606:4700:4700::1111"])
def test_what_is(address):
    assert is_public(ipaddress.ip_address(address))


@pytest.fixture
def two_hordes():
    """A horde, and something private beside it that is none of its business."""
    with StubHorde() as home, StubHorde() as other:
        home.pictures["a.webp"] = other.pictures["a.webp"] = b"picture"
        yield home, other


def client(home, private=(), url=None):
    return HordeClient(url or home.url, KEY, retries=ONCE, private=private)


async def test_the_hordes_own_pictures_are_fetched_wherever_it_is(two_hordes):
    home, _ = two_hordes
    port = home.url.rpartition(":")[2]
    async with client(home, url=f"http://localhost:{port}") as horde:
        assert await horde.download(f"{home.url}/pictures/a.webp") == b"picture"
        await horde.upload(f"{home.url}/pictures/b", b"result")
    assert home.uploads["b"] == b"result"


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "127.1", "2130706433", "[::ffff:127.0.0.1]"]
)
async def test_other_private_addresses_are_neither_read_nor_written(two_hordes, host):
    home, other = two_hordes
    place = f"http://{host}:{other.url.rpartition(':')[2]}/pictures/a.webp"
    async with client(home) as horde:
        with pytest.raises(UnexpectedAnswer, match="not on the public internet"):
            await horde.download(place)
        with pytest.raises(UnexpectedAnswer, match="not on the public internet"):
            await horde.upload(place, b"result")
    assert not other.uploads


async def test_a_redirect_leads_to_no_private_address_either(two_hordes):
    home, other = two_hordes
    home.redirects["a.webp"] = f"{other.url}/pictures/a.webp"
    async with client(home) as horde:
        with pytest.raises(UnexpectedAnswer, match="not on the public internet"):
            await horde.download(f"{home.url}/pictures/a.webp")
    async with client(home, private=["127.0.0.0/8"]) as horde:
        assert await horde.download(f"{home.url}/pictures/a.webp") == b"picture"


async def test_behind_a_proxy_addresses_are_looked_at_all_the_same(two_hordes, monkeypatch):
    home, other = two_hordes
    monkeypatch.setenv("HTTP_PROXY", home.url)
    async with client(home) as horde:
        with pytest.raises(UnexpectedAnswer, match="not on the public internet"):
            await horde.download(f"{other.url}/pictures/a.webp")


async def test_the_address_that_was_looked_at_is_the_one_that_is_called(monkeypatch):
    answers = iter(["93.184.216.34", "127.0.0.1"])
    called = []

    async def resolve(_loop, host, port, **_):
        address = next(answers) if host == "example.org" else "127.0.0.1"
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]

    monkeypatch.setattr("asyncio.base_events.BaseEventLoop.getaddrinfo", resolve)

    def answer(request):
        called.append(
            (request.url.host, request.headers["Host"], request.extensions["sni_hostname"])
        )
        return httpx.Response(200)

    public = PublicOnly("http://127.0.0.1:1", transport=httpx.MockTransport(answer))
    async with httpx.AsyncClient(transport=public) as http:
        await http.get("https://example.org/x")
        with pytest.raises(NotPublic):
            await http.get("https://example.org/x")
    assert called == [("93.184.216.34", "example.org", "example.org")]
