"""The guarded client against real servers on loopback, which is allowed to it here."""

import asyncio
import gzip
import socket

import pytest

from core.outside import Declined, NoAnswer, NotAllowed, TookTooLong, TooLarge
from core.outside.addresses import Allowed
from core.outside.client import MAX_REDIRECTS, GuardedClient
from outsiders import answer, certificate, outsider

LIMITS = {"max_bytes": 1000, "seconds": 5}


@pytest.fixture
async def client():
    """A client that may call this machine."""
    client = GuardedClient(allowed=Allowed(["127.0.0.0/8", "::1"]), agent="tests/1")
    yield client
    await client.close()


@pytest.fixture
async def careful():
    """A client that may call the public internet alone."""
    client = GuardedClient(allowed=Allowed(), agent="tests/1")
    yield client
    await client.close()


@pytest.fixture
def secure(tmp_path, monkeypatch):
    """TLS for `localhost`; clients made from now on trust it."""
    context, trusted = certificate(tmp_path, "localhost")
    monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
    return context


async def test_what_is_there_is_fetched(client):
    async with outsider(answer(body=b"a fox")) as server:
        assert await client.get(server.url("/fox?x=1#y"), **LIMITS) == b"a fox"
    (call,) = server.calls
    assert (call.method, call.path) == ("GET", "/fox?x=1")
    assert call.headers["host"] == f"localhost:{server.port}"
    assert call.headers["user-agent"] == "tests/1"
    assert call.headers["accept-encoding"] == "identity"
    assert "cookie" not in call.headers


async def test_this_machine_is_not_called(careful):
    async with outsider() as server:
        for host in ("localhost", "127.0.0.1", "127.1", "[::ffff:127.0.0.1]"):
            with pytest.raises(NotAllowed):
                await careful.get(server.url(host=host), **LIMITS)
    assert server.connections == 0


async def test_the_connection_goes_to_the_address_that_was_checked(client, monkeypatch):
    """A name that has another address at its second look-up is looked up once."""
    asked = []
    real = socket.getaddrinfo

    def look_up(host, port, **kwargs):
        if host == "rebinds.test":
            asked.append(host)
            host = "127.0.0.1" if len(asked) == 1 else "127.0.0.2"
        return real(host, port, **kwargs)

    monkeypatch.setattr("socket.getaddrinfo", look_up)
    async with outsider(answer(body=b"first")) as server:
        url = server.url(host="rebinds.test")
        assert await client.get(url, **LIMITS) == b"first"
    assert asked == ["rebinds.test"]
    assert server.calls[0].headers["host"] == f"rebinds.test:{server.port}"


@pytest.mark.parametrize(
    "url",
    [
        "ftp://example.com/",
        "file:///etc/passwd",
        "//example.com/",
        "example.com",
        "http://",
        "http://user:password@example.com/",
        "http://[::1",
        "http://example.com:99999/",
        "http://example.com:0/",
        "https://example.com/" + "x" * 5000,
        "",
    ],
)
async def test_what_is_no_web_address_is_not_called(client, url):
    with pytest.raises(NotAllowed):
        await client.get(url, **LIMITS)


async def test_redirects_are_followed_and_each_is_checked(client):
    async with outsider(answer(body=b"there")) as last:
        async with outsider(answer(302, Location=last.url("/b"))) as first:
            assert await client.get(first.url("/a"), **LIMITS) == b"there"
        async with outsider(answer(301, Location="/again"), answer(body=b"here")) as own:
            assert await client.get(own.url("/a"), **LIMITS) == b"here"
            assert own.calls[1].path == "/again"
    for target in ("http://10.0.0.1/", "http://169.254.169.254/latest", "file:///etc/passwd"):
        async with outsider(answer(302, Location=target)) as server:
            with pytest.raises(NotAllowed):
                await client.get(server.url(), **LIMITS)


async def test_no_cookie_is_kept(client):
    said = answer(302, Location="/again", Set_Cookie="who=me; Path=/")
    async with outsider(said, answer(Set_Cookie="who=me")) as server:
        await client.get(server.url(), **LIMITS)
        await client.get(server.url(host="127.0.0.1"), **LIMITS)
    assert len(server.calls) == 3
    assert not [call for call in server.calls if "cookie" in call.headers]


async def test_redirects_end(client):
    async with outsider(answer(302, Location="/")) as server:
        with pytest.raises(NotAllowed):
            await client.get(server.url(), **LIMITS)
    assert len(server.calls) == MAX_REDIRECTS + 1


@pytest.mark.parametrize("status", [204, 304, 404, 500])
async def test_only_success_is_a_result(client, status):
    async with outsider(answer(status)) as server:
        if status == 204:
            assert await client.get(server.url(), **LIMITS) == b""
        else:
            with pytest.raises(Declined) as declined:
                await client.get(server.url(), **LIMITS)
            assert declined.value.status == status


@pytest.mark.parametrize("told", [{}, {"Content_Length": ""}])
async def test_too_much_is_not_read(client, told):
    """Whether its length is told or not."""
    for size, fits in ((1000, True), (1001, False)):
        async with outsider(answer(body=b"x" * size, **told)) as server:
            if fits:
                assert len(await client.get(server.url(), **LIMITS)) == size
            else:
                with pytest.raises(TooLarge):
                    await client.get(server.url(), **LIMITS)


async def test_what_is_compressed_is_not_unpacked(client):
    bomb = gzip.compress(b"\0" * 100_000)
    assert len(bomb) < 1000
    async with outsider(answer(body=bomb, Content_Encoding="gzip")) as server:
        with pytest.raises(NoAnswer):
            await client.get(server.url(), **LIMITS)


async def test_the_time_is_for_all_of_it(client):
    async with outsider(answer(302, Location="/")) as server:
        server.open.clear()
        with pytest.raises(TookTooLong):
            await client.get(server.url(), max_bytes=10, seconds=0.05)


async def test_answers_that_are_none(client, free_port):
    for said in (
        b"",
        b"this is not HTTP\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx",
    ):
        async with outsider(said) as server:
            with pytest.raises(NoAnswer):
                await client.get(server.url(), **LIMITS)
    with pytest.raises(NoAnswer):
        await client.get(f"http://127.0.0.1:{free_port}/", **LIMITS)


async def test_each_address_of_a_host_is_tried(client, monkeypatch):
    real = socket.getaddrinfo
    both = ["127.0.0.3", "127.0.0.1"]

    def look_up(host, port, **kwargs):
        hosts = both if host == "two.test" else [host]
        return [found for one in hosts for found in real(one, port, **kwargs)]

    monkeypatch.setattr("socket.getaddrinfo", look_up)
    async with outsider(answer(body=b"second")) as server:  # listens on the second one only
        assert await client.get(server.url(host="two.test"), **LIMITS) == b"second"


async def test_posting_needs_tls(client):
    async with outsider() as server:
        with pytest.raises(NotAllowed):
            await client.post(server.url(), b"{}", headers={}, **LIMITS)
    assert server.connections == 0


async def test_the_certificate_is_the_names_though_the_call_goes_to_the_address(secure):
    client = GuardedClient(allowed=Allowed(["127.0.0.0/8", "::1"]), agent="tests/1")
    async with outsider(answer(418, b"said"), tls=secure) as server:
        reply = await client.post(server.url("/h"), b'{"a":1}', headers={"X-One": "1"}, **LIMITS)
        assert (reply.status, reply.content) == (418, b"said")
        with pytest.raises(NoAnswer):  # its certificate is for `localhost`
            await client.post(server.url(host="127.0.0.1"), b"{}", headers={}, **LIMITS)
    await client.close()
    (call,) = server.calls
    assert (call.body, call.headers["x-one"]) == (b'{"a":1}', "1")
    assert call.headers["content-type"] == "application/json"


async def test_of_the_answer_to_a_post_no_more_is_read_than_is_wanted(secure):
    client = GuardedClient(allowed=Allowed(["localhost"]), agent="tests/1")
    async with outsider(answer(body=b"x" * 100_000), tls=secure) as server:
        reply = await client.post(
            server.url(), b"{}", headers={}, max_bytes=3, seconds=LIMITS["seconds"]
        )
    assert (reply.status, reply.content) == (200, b"xxx")
    await client.close()


async def test_a_post_is_not_redirected(secure):
    client = GuardedClient(allowed=Allowed(["localhost"]), agent="tests/1")
    async with outsider(answer(307, Location="/other"), tls=secure) as server:
        assert (await client.post(server.url(), b"{}", headers={}, **LIMITS)).status == 307
    assert len(server.calls) == 1
    await client.close()


async def test_an_unknown_authority_is_not_believed(client, tmp_path):
    context, _ = certificate(tmp_path, "localhost")
    async with outsider(tls=context) as server:
        with pytest.raises(NoAnswer):
            await client.post(server.url(), b"{}", headers={}, **LIMITS)


async def test_many_calls_at_once_share_nothing(client):
    async with outsider(answer(body=b"a")) as one, outsider(answer(body=b"b")) as other:
        urls = [server.url() for server in (one, other)] * 20
        found = await asyncio.gather(*(client.get(url, **LIMITS) for url in urls))
    assert found == [b"a", b"b"] * 20
    assert one.connections == other.connections == 20
