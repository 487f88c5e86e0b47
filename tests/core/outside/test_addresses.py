import ipaddress
import socket

import pytest

from core.outside import NoAnswer, NotAllowed, addresses
from core.outside import names as looking_up
from core.outside.addresses import Allowed, check_plain, is_public
from core.outside.names import Names

PUBLIC = ["93.184.215.14", "2606:2800:21f:cb07:6820:80da:af6b:8b2c", "64:ff9b::5db8:d70e"]
PRIVATE = [
    "0.0.0.0",  # noqa: S104 - not bound to
    "10.1.2.3",
    "100.100.100.200",  # a cloud's metadata
    "127.0.0.1",
    "127.255.255.254",
    "168.63.129.16",
    "169.254.169.254",
    "172.31.255.255",
    "192.0.0.192",
    "192.168.1.1",
    "198.19.0.1",
    "224.0.0.1",
    "239.255.255.250",
    "255.255.255.255",
    "::",
    "::1",
    "::127.0.0.1",
    "::ffff:127.0.0.1",
    "::ffff:169.254.169.254",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::1",
    "2002:7f00:1::1",
    "2002:c0a8:101::1",
    "2001:0:5db8:d70e:0:0:f5fe:fdfc",  # Teredo for 10.1.2.3
    "fd00:ec2::254",
    "fe80::1",
    "fec0::1",
    "ff02::1",
]


async def resolve(host, port, allowed):
    """The addresses, by threads of the test's own."""
    names = Names()
    try:
        return await addresses.resolve(host, port, allowed, names=names, caller="a tester")
    finally:
        names.close()


@pytest.fixture
def names(monkeypatch):
    """The addresses that names have, where a test says so."""
    known = {}

    def look_up(host, port, **_):
        if host not in known:
            raise socket.gaierror(socket.EAI_NONAME, "unknown")
        return [(None, None, None, "", (text, port)) for text in known[host]]

    monkeypatch.setattr(looking_up.socket, "getaddrinfo", look_up)
    return known


@pytest.mark.parametrize("text", PUBLIC)
def test_the_public_internet_may_be_called(text):
    assert is_public(ipaddress.ip_address(text))


@pytest.mark.parametrize("text", PRIVATE)
def test_nothing_else_may(text):
    assert not is_public(ipaddress.ip_address(text))


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "::1", "0x7f.1", "2130706433"])
async def test_however_this_machine_is_written_it_is_not_called(host):
    with pytest.raises(NotAllowed):
        await resolve(host, 80, Allowed())


async def test_a_name_with_one_private_address_is_a_trap(names):
    names["trap.test"] = ["93.184.215.14", "10.0.0.1"]
    names["fine.test"] = ["93.184.215.14", "2606:2800:21f:cb07:6820:80da:af6b:8b2c"]
    with pytest.raises(NotAllowed):
        await resolve("trap.test", 443, Allowed())
    assert await resolve("fine.test", 443, Allowed()) == names["fine.test"]


async def test_networks_and_names_can_be_allowed(names):
    names["hooks.internal"] = ["10.1.2.3"]
    for allowed in (["10.0.0.0/8"], ["10.1.2.3"], ["Hooks.Internal."]):
        assert await resolve("hooks.internal", 443, Allowed(allowed)) == ["10.1.2.3"]
    for allowed in (["10.2.0.0/16"], ["internal"], ["fd00::/8"]):
        with pytest.raises(NotAllowed):
            await resolve("hooks.internal", 443, Allowed(allowed))


@pytest.mark.usefixtures("names")
@pytest.mark.parametrize("host", ["nowhere.test", "x" * 64 + ".test"])
async def test_a_name_that_nobody_has(host):
    with pytest.raises(NoAnswer):
        await resolve(host, 443, Allowed())


SPELLED = ["2130706433", "0x7f.1", "127.1", "017700000001", "10.0.0.7", "::1", "fe80::1"]
PLAINLY_NOT = [*SPELLED, "localhost", "LOCALHOST.", "my.localhost", "a b", "a..b", "exa%20mple", ""]


@pytest.mark.parametrize("host", [*PLAINLY_NOT, "x" * 64, ".".join(["x"] * 200)])
def test_what_may_plainly_not_be_called_is_known_without_a_look_up(host):
    with pytest.raises(NotAllowed):
        check_plain(host, Allowed())


@pytest.mark.parametrize("host", ["example.org", "a_b.example.org.", "1.1.1.1", "2606:4700::1111"])
def test_of_others_a_look_up_tells(host):
    check_plain(host, Allowed())


def test_what_the_operator_allows_may_be_called():
    check_plain("localhost", Allowed(["localhost"]))
    check_plain("localhost", Allowed(["127.0.0.0/8"]))
    check_plain("10.0.0.7", Allowed(["10.0.0.0/8"]))
    with pytest.raises(NotAllowed):
        check_plain("10.0.0.7", Allowed(["127.0.0.0/8"]))
