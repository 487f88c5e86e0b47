"""A body is no larger than its endpoint has use for."""

import json

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
