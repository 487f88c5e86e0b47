"""A body is no larger than its endpoint has use for."""

import asyncio
import contextlib
import json

import httpx
import pytest

import pictures
import serving
from core.api import bodies
from serving import ANONYMOUS

pytestmark = pytest.mark.asyncio(loop_scope="module")

MIB = 2**20
HEADERS = {"apikey": ANONYMOUS, "Content-Type": "application/json"}
POP = {"name": "a worker", "models": ["stable_diffusion"]}


def padded(body, size):
    """The body as JSON of about this size; what fills it is unknown to all endpoints."""
    return json.dumps(body | {"filling": "x" * size}).encode()


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/generate/pop", POP),
        ("POST", "/generate/text/pop", POP),
        ("POST", "/interrogate/pop", POP),
        ("POST", "/interrogate/submit", {"id": "x", "result": {}}),
        ("PUT", "/sharedkeys", {"name": "a key"}),
        ("POST", "/kudos/transfer", {"username": "x", "amount": 1}),
        ("GET", "/status/heartbeat", {}),
        ("DELETE", "/generate/status/x", {}),
        ("POST", "/nothing/there", {}),
    ],
)
@pytest.mark.parametrize("declared", [True, False])
async def test_where_no_picture_can_be_sent_bodies_are_small(site, method, path, body, declared):
    content = padded(body, MIB)

    async def in_parts():
        for start in range(0, len(content), 100_000):
            yield content[start : start + 100_000]

    answer = await site.http.request(
        method,
        f"/api/v2{path}",
        content=content if declared else in_parts(),
        headers=HEADERS,
    )
    assert answer.status_code == 413
    assert answer.json().keys() == {"message"}
    assert answer.headers["Access-Control-Allow-Origin"] == "*"


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/api/v2/generate/async", {"source_image": "A" * MIB}),
        ("/api/v2/interrogate/async", {"forms": []}),
        ("/api/v2/generate/submit", {"id": "x", "generation": "A" * MIB, "seed": 1}),
        ("/api/v2/generate/text/async", {"prompt": "x" * MIB, "params": {"n": 0}}),
        ("/api/v1/generate/submit", {"id": "x", "seed": "none"}),
    ],
)
async def test_where_a_picture_can_be_sent_bodies_are_large(site, path, body):
    answer = await site.http.post(path, content=padded(body, MIB), headers=HEADERS)
    assert answer.status_code in (400, 404)  # for what is in it


async def test_a_large_picture_is_taken(site):
    body = {"prompt": "a fox", "models": [], "source_image": pictures.SOURCE}
    content = padded(body, 10 * MIB)
    answer = await site.http.post("/api/v2/generate/async", content=content, headers=HEADERS)
    assert answer.status_code == 202, answer.text


async def test_the_servers_own_limit_holds_for_all(databases, tmp_path):
    with databases.fresh("sqlite") as url:
        async with serving.in_process(url, tmp_path, max_body_bytes=4096) as server:
            for path in ("/generate/pop", "/generate/async"):
                answer = await server.post(path, padded(POP, 5000), key=ANONYMOUS)
                assert answer.status_code == 413


async def test_what_is_sent_before_the_limit_is_known_counts():
    body = bodies.LimitedBody(None, 10 * MIB)
    body.append(b"x" * 1000)
    with pytest.raises(Exception, match="413"):
        body.limit(999)
    assert body._data == b""
    body = bodies.LimitedBody(None, 10 * MIB)
    body.append(b"x" * 1000)
    body.limit(1000)
    body.append(b"x")
    with pytest.raises(Exception, match="413"):
        await body


def head(size):
    """The head of a submission with a body of this size."""
    lines = (
        "POST /api/v2/generate/submit HTTP/1.1",
        "Host: localhost",
        f"apikey: {ANONYMOUS}",
        "Content-Type: application/json",
        f"Content-Length: {size}",
    )
    return "\r\n".join((*lines, "", "")).encode()


async def status(reader):
    return int((await reader.readline()).split()[1])


async def test_an_address_has_only_so_much_in_memory(tmp_path):
    """Of the largest bodies a few are taken, others are refused before they are sent."""
    body = padded({"id": "x"}, 2 * MIB - 100)
    async with contextlib.AsyncExitStack() as closing:
        settings = {"max_body_bytes": 2 * MIB, "rate_limits": "off"}
        server = closing.enter_context(serving.process(tmp_path, **settings))
        calls = {}
        for _ in range(bodies.FULL_OF_ADDRESS + 2):
            port = int(server.url.rpartition(":")[2])
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            closing.callback(writer.close)
            writer.write(head(len(body)))
            calls[asyncio.ensure_future(status(reader))] = writer
        refused, waiting = set(), set(calls)
        while len(refused) < 2:
            done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            refused |= done
        assert [one.result() for one in refused] == [429, 429]
        async with httpx.AsyncClient() as http:
            small = await http.post(f"{server.url}/api/v2/register", json={"username": "Fox"})
        assert small.status_code == 201
        for one in waiting:
            calls[one].write(body)
        assert await asyncio.gather(*waiting) == [400] * bodies.FULL_OF_ADDRESS


async def test_what_is_not_announced_counts_as_it_comes():
    held = bodies.Held(most=100, most_of_address=100)
    first, second = bodies.LimitedBody(None, None), bodies.LimitedBody(60, None)
    first.append(b"x" * 30)
    first.hold(held, "a")
    second.hold(held, "a")
    second.append(b"x" * 60)
    first.append(b"x" * 11)
    with pytest.raises(bodies.TooMuchAtOnce):
        await first
    second.let_go()
    first.let_go()
    third = bodies.LimitedBody(100, None)
    third.hold(held, "a")
    with pytest.raises(bodies.TooMuchInAll):
        bodies.LimitedBody(1, None).hold(held, "b")
