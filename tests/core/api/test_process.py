"""What only a real process on a real socket shows."""

import asyncio
import json
import signal
from http.client import HTTPConnection
from urllib.parse import urlsplit

import httpx
import pytest

import serving
from core.wire.limits import MAX_PLAIN_BYTES
from serving import SMALL, WORKER


@pytest.fixture(scope="module")
def process(tmp_path_factory):
    with serving.process(tmp_path_factory.mktemp("process")) as process:
        yield process


@pytest.fixture
async def http(process):
    async with httpx.AsyncClient(base_url=f"{process.url}/api/v2", timeout=30) as http:
        yield http


@pytest.fixture
def owner(process):
    return process.user("Owner", oauth_id="g_owner")


def ask(http, **body):
    wanted = {"prompt": "a red fox", "models": ["Deliberate"], "params": SMALL, **body}
    return http.post("/generate/async", json=wanted, headers={"apikey": serving.ANONYMOUS})


def pop(http, owner, **body):
    offered = serving.offer(models=["Deliberate"], **body)
    return http.post("/generate/pop", json=offered, headers={"apikey": owner.key})


async def test_a_worker_that_hangs_up_gets_no_job(http, process, owner):
    async with httpx.AsyncClient(base_url=f"{process.url}/api/v2", timeout=30) as leaving:
        waiting = asyncio.ensure_future(pop(leaving, owner, wait=30))
        while not (await http.get("/workers")).json():  # it has checked in
            assert not waiting.done()
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
    await ask(http)
    assert (await pop(http, owner, wait=5)).json()["id"]


async def test_the_page_of_events_comes_piece_by_piece(http, owner):
    request_id = (await ask(http)).json()["id"]
    async with http.stream("GET", f"/generate/events/{request_id}") as answer:
        assert answer.headers["Content-Type"] == "text/event-stream"
        assert answer.headers["Cache-Control"] == "no-cache"
        states = []
        async for line in answer.aiter_lines():
            if line.startswith("data: "):
                (job,) = json.loads(line[6:])["jobs"]
                states.append(job["state"])
                if states == ["waiting"]:
                    await pop(http, owner)
                if states[-1] == "processing":
                    break
    assert states[0] == "waiting"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_server_stops_in_time_whoever_is_connected(tmp_path, number):
    """Streams say when to connect again, waiting pops are answered, half-sent calls are left."""
    with serving.process(tmp_path) as process:
        owner = process.user("Owner", oauth_id="g_owner")
        async with httpx.AsyncClient(base_url=f"{process.url}/api/v2", timeout=60) as http:
            request_id = (await ask(http, models=["Another"])).json()["id"]
            _, writer = await asyncio.open_connection(*process.url[7:].split(":"))
            writer.write(b"POST /api/v2/generate/async HTTP/1.1\r\nHost: x\r\n")
            writer.write(b"Content-Type: application/json\r\nContent-Length: 1000\r\n\r\n{")
            await writer.drain()
            waiting = asyncio.ensure_future(pop(http, owner, wait=30))
            async with http.stream("GET", f"/generate/events/{request_id}") as stream:
                lines = stream.aiter_lines()
                assert await anext(lines) == "event: status"
                while not (await http.get("/workers")).json():
                    assert not waiting.done()
                process.popen.send_signal(number)
                told = [line async for line in lines if line]
            assert told[-1] == "retry: 2000"
            assert (await waiting).json()["id"] is None
            writer.close()
        assert await asyncio.to_thread(process.popen.wait, 15) == 0


def test_a_server_ends_while_others_wait_and_finds_all_again(tmp_path):
    with serving.process(tmp_path) as first:
        owner = first.user("Owner", oauth_id="g_owner")
        headers = {"apikey": owner.key}
        wanted = {"prompt": "x", "models": ["Deliberate"], "params": SMALL}
        url = f"{first.url}/api/v2"
        asked = httpx.post(f"{url}/generate/async", json=wanted, headers=headers).json()
        with httpx.stream("GET", f"{url}/generate/events/{asked['id']}", timeout=30) as events:
            assert next(events.iter_lines()) == "event: status"
            assert first.stop() == 0
    with serving.process(tmp_path) as second:
        url = f"{second.url}/api/v2"
        offered = serving.offer(models=["Deliberate"], bridge_agent=WORKER)
        popped = httpx.post(f"{url}/generate/pop", json=offered, headers=headers).json()
        assert popped["payload"]["prompt"] == "x"
        assert second.stop() == 0


def test_a_body_that_will_be_too_large_is_refused_before_any_of_it_is_sent(process):
    there = urlsplit(process.url)
    connection = HTTPConnection(there.hostname, there.port, timeout=30)
    connection.putrequest("POST", "/api/v2/generate/pop")
    connection.putheader("Content-Type", "application/json")
    connection.putheader("Content-Length", str(MAX_PLAIN_BYTES * 2))
    connection.endheaders()
    answer = connection.getresponse()
    assert answer.status == 413
    assert answer.getheader("Connection") == "close"  # or the next call would find it closed
    assert json.loads(answer.read()).keys() == {"message"}
    connection.request("GET", "/api/v2/status/heartbeat")  # on a connection of its own
    heartbeat = connection.getresponse()
    assert (heartbeat.status, heartbeat.getheader("Connection")) == (200, None)
    heartbeat.read()
    connection.close()


def test_a_connection_stays_open_for_who_sends_large_bodies_that_are_read(process):
    there = urlsplit(process.url)
    connection = HTTPConnection(there.hostname, there.port, timeout=30)
    body = json.dumps({"id": "x", "seed": 1, "generation": "A" * 2**20})
    headers = {"apikey": serving.ANONYMOUS, "Content-Type": "application/json"}
    for _ in range(2):
        connection.request("POST", "/api/v2/generate/submit", body, headers)
        answer = connection.getresponse()
        assert (answer.status, answer.getheader("Connection")) == (404, None)
        answer.read()
        assert connection.sock is not None
    connection.close()
