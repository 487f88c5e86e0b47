"""What the client sends, to whom, and for how long."""

import asyncio
import json
import logging

import pytest

from core.client import (
    HordeClient,
    Invalid,
    TooLarge,
    Unavailable,
    UnexpectedAnswer,
    Unreachable,
)
from core.wire.generate import GenerationInputStable, ModelGenerationInputStable, PopInputStable
from core.wire.status import HordeHeartbeat

PROMPT = "a red fox on a blue background"
HEARTBEAT = {"message": "OK", "version": "1"}
QUEUED = {"id": "1", "kudos": 8.5}


async def test_a_request_goes_out_as_it_was_set(server, client, key):
    server.will(server.answer(202, QUEUED))
    ask = GenerationInputStable(prompt=PROMPT, params=ModelGenerationInputStable(n=2))
    assert (await client.generate(ask)).id == "1"
    [asked] = server.asked
    assert (asked.method, asked.target) == ("POST", "/api/v2/generate/async")
    assert json.loads(asked.body) == {"prompt": PROMPT, "params": {"n": 2}}
    assert asked.headers["apikey"] == key
    assert asked.headers["content-type"] == "application/json"
    assert asked.headers["client-agent"].startswith("stable-horde:")


async def test_a_price_is_a_dry_run(server, client):
    server.will(server.answer(200, {"kudos": 10.5}))
    assert await client.price(GenerationInputStable(prompt=PROMPT)) == 10.5
    assert json.loads(server.asked[0].body) == {"prompt": PROMPT, "dry_run": True}


async def test_a_dry_run_is_not_a_request(server, client):
    with pytest.raises(ValueError, match="price"):
        await client.generate(GenerationInputStable(prompt=PROMPT, dry_run=True))
    assert server.asked == []


@pytest.mark.parametrize("suffix", ["", "/", "/api", "/api/", "/api/v2", "/api/v2/"])
async def test_the_url_may_be_that_of_the_api(server, suffix):
    server.will(server.answer(200, HEARTBEAT))
    async with HordeClient(server.url + suffix) as client:
        assert (await client.heartbeat()).message == "OK"
    assert server.asked[0].target == "/api/v2/status/heartbeat"
    assert server.asked[0].headers["apikey"] == "0000000000"


async def test_names_are_one_segment_of_the_path(server, client):
    server.will(server.answer(404, {"message": "no", "rc": "WorkerNotFound"}))
    with pytest.raises(Exception, match="no"):
        await client.workers.named("../a b/c?d#é")
    assert server.asked[0].target == "/api/v2/workers/name/..%2Fa%20b%2Fc%3Fd%23%C3%A9"


@pytest.mark.parametrize("bad", ["line\r\nbreak", "schlüssel"])
def test_a_key_that_is_none_is_refused_and_not_repeated(bad):
    with pytest.raises(ValueError, match="printable ASCII") as caught:
        HordeClient("http://127.0.0.1", bad)
    assert bad not in str(caught.value)


async def test_a_redirect_to_another_origin_gets_nothing(server, elsewhere, client):
    server.will(server.answer(302, Location=f"{elsewhere.url}/steal"))
    with pytest.raises(UnexpectedAnswer, match="another origin"):
        await client.users.me()
    server.will(server.answer(307, Location=f"{elsewhere.url}/steal"))
    with pytest.raises(UnexpectedAnswer, match="another origin"):
        await client.generate(GenerationInputStable(prompt=PROMPT))
    assert elsewhere.asked == []


async def test_a_redirect_within_the_origin_is_followed(server, client, key):
    moved = server.answer(308, Location="/moved")
    server.will(moved, server.answer(200, HEARTBEAT))
    await client.heartbeat()
    assert [(one.target, one.headers["apikey"]) for one in server.asked] == [
        ("/api/v2/status/heartbeat", key),
        ("/moved", key),
    ]


async def test_redirects_end(server, client):
    server.will(server.answer(302, Location="/round"))
    with pytest.raises(UnexpectedAnswer, match="redirects"):
        await client.heartbeat()
    assert len(server.asked) == 6


async def test_a_post_is_not_turned_into_a_get(server, client):
    server.will(server.answer(303, Location="/page"))
    with pytest.raises(UnexpectedAnswer, match="redirect"):
        await client.generate(GenerationInputStable(prompt=PROMPT))
    assert len(server.asked) == 1


async def test_neither_key_nor_prompt_reaches_a_log_or_an_error(server, client, key, caplog):
    caplog.set_level(logging.DEBUG)
    ask = GenerationInputStable(prompt=PROMPT)
    server.will(server.answer(202, QUEUED))
    await client.generate(ask)
    server.will(server.drop)
    with pytest.raises(Unreachable) as caught:
        await client.generate(ask)
    with pytest.raises(Unreachable):
        await client.users.me()
    assert len(caplog.records) > 3
    for text in (caplog.text, str(caught.value), repr(caught.value), repr(client)):
        assert key not in text
        assert PROMPT not in text


@pytest.mark.parametrize("body", [b"<html>", b"[]", b"{}", b"null", b'{"message": 1}'])
async def test_an_answer_that_is_none_is_an_error(server, client, body):
    server.will(server.answer(200, body))
    with pytest.raises(UnexpectedAnswer, match="HordeHeartbeat"):
        await client.heartbeat()
    assert len(server.asked) == 1


@pytest.mark.parametrize("body", [b"<html>", b"{}", b"null", b"[1]", b'["x"]'])
async def test_a_list_that_is_none_is_an_error(server, client, body):
    server.will(server.answer(200, body))
    with pytest.raises(UnexpectedAnswer, match="ActiveModel"):
        await client.models.active()


async def test_a_page_for_people_is_said_to_be_one(server, client):
    server.will(server.answer(200, b"\n<!doctype html><title>Welcome to nginx</title>"))
    with pytest.raises(UnexpectedAnswer, match="a page for people instead of a HordeHeartbeat"):
        await client.heartbeat()


def endless(server, status):
    """40 MB, and no end; who stops reading closes the connection."""

    async def step(writer):
        writer.write(f"HTTP/1.1 {status} X\r\nContent-Length: 99999999\r\n\r\n".encode())
        try:
            for _ in range(40):
                writer.write(b"[" * 1_000_000)
                await writer.drain()
            await server.hang(writer)
        finally:
            server.left.set()

    return step


async def test_an_answer_of_40_mb_is_not_read_to_its_end(server, client):
    server.will(endless(server, 200))
    with pytest.raises(TooLarge, match="sent more than 16777216 bytes; the rest was not read"):
        await client.workers.all()
    await server.left.wait()


async def test_of_an_error_of_40_mb_the_beginning_is_read(server, client):
    server.will(endless(server, 500))
    with pytest.raises(Unavailable, match="The server answered 500 Internal Server Error"):
        await client.workers.all()
    await server.left.wait()


async def test_a_host_that_does_not_exist_is_named(quick):
    async with HordeClient("http://nowhere.invalid", retries=quick) as client:
        with pytest.raises(Unreachable, match=r"nowhere\.invalid is not known"):
            await client.heartbeat()


async def test_what_is_neither_an_id_nor_a_name_is_refused_here(server, client):
    for strange in ("", ".", ".."):
        with pytest.raises(Invalid, match="neither an id nor a name"):
            await client.teams.delete(strange)
    assert server.asked == []


async def test_what_no_horde_would_take_is_refused_here_in_its_words(server, client):
    with pytest.raises(Invalid, match="username: 'ab' is too short") as caught:
        await client.users.register("ab")
    assert caught.value.errors == {"username": "'ab' is too short"}
    assert server.asked == []


async def test_one_horde_may_be_called_for_somebody_else(server, client, key):
    server.will(server.answer(200, HEARTBEAT))
    await client.with_key("another").heartbeat()
    await client.heartbeat()
    assert [asked.headers["apikey"] for asked in server.asked] == ["another", key]


async def test_a_silent_server_is_unreachable_in_time(server, quick):
    server.will(server.hang)
    async with HordeClient(server.url, retries=quick, timeout_seconds=0.2) as client:
        with pytest.raises(Unreachable, match=r"did not answer in (0\.2 seconds|time)"):
            await client.heartbeat()
    assert len(server.asked) == 4


async def test_a_trickle_does_not_extend_the_limit(server, quick):
    async def trickle(writer):
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        while not server.left.is_set():
            writer.write(b" ")
            await asyncio.sleep(0.01)

    server.will(trickle)
    async with HordeClient(server.url, retries=quick, timeout_seconds=0.1) as client:
        with pytest.raises(Unreachable, match="did not answer in"):
            await client.pop(PopInputStable(name="w"))


async def test_a_pop_may_take_as_long_as_it_waits(server, quick):
    released = asyncio.Event()

    async def late(writer):
        await released.wait()
        writer.write(server.answer(200, {}))

    server.will(late)
    async with HordeClient(server.url, retries=quick, timeout_seconds=0.05) as client:
        popping = asyncio.create_task(client.pop(PopInputStable(name="w", wait=20)))
        done, _ = await asyncio.wait([popping], timeout=0.3)
        assert not done
        released.set()
        assert (await popping).id is None


async def test_nobody_listens(free_port, quick):
    async with HordeClient(f"http://127.0.0.1:{free_port}", retries=quick) as client:
        with pytest.raises(Unreachable, match=r"does not answer\. Is the server running\?"):
            await client.heartbeat()


async def test_a_transport_carries_the_calls_of_its_origin_alone(server, elsewhere, quick):
    import httpx

    carried = []

    def handle(request):
        carried.append(request.url.host)
        return httpx.Response(200, json=HEARTBEAT)

    elsewhere.will(elsewhere.answer(200, b"picture"))
    transport = httpx.MockTransport(handle)
    async with HordeClient("http://horde", transport=transport, retries=quick) as client:
        assert await client.heartbeat() == HordeHeartbeat(**HEARTBEAT)
        assert await client.download(f"{elsewhere.url}/picture") == b"picture"
    assert carried == ["horde"]
