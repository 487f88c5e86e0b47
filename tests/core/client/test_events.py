"""Waiting for a request: by its stream, by its stream again, and by polling."""

import asyncio
from contextlib import aclosing

import pytest

from core.client import HordeClient, NotFound, TimedOut, UnexpectedAnswer, Unreachable
from core.wire.events import (
    COME_AGAIN,
    EndEvent,
    GenerationEvent,
    JobProgress,
    StatusEvent,
    encode,
)
from core.wire.generate import RequestStatusCheck

COUNTS = {"restarted": 0, "wait_time": 1, "queue_position": 1, "kudos": 0.0}
WAITING = {"finished": 0, "processing": 0, "waiting": 2, "done": False} | COUNTS
HALF = {"finished": 1, "processing": 1, "waiting": 0, "done": False} | COUNTS
DONE = {"finished": 2, "processing": 0, "waiting": 0, "done": True} | COUNTS


def picture(number):
    return {
        "img": "x",
        "seed": "1",
        "id": f"id {number}",
        "censored": False,
        "worker_id": "w",
        "worker_name": "two\u2028lines",
        "model": "m",
        "gen_metadata": [],
        "state": "ok",
    }


STATUS = StatusEvent(**WAITING, jobs=[JobProgress(index=0, state="waiting")])
FIRST = GenerationEvent(**picture(0), index=0, kudos=5.0)
SECOND = GenerationEvent(**picture(1), index=1, kudos=5.0)
END = EndEvent(**DONE)


async def collected(client):
    return [event async for event in client.events("the id")]


def stream_of(server, *events, **options):
    return server.stream(*(encode(event) for event in events), **options)


async def test_events_come_as_they_happen(server, client):
    server.will(stream_of(server, STATUS, FIRST, SECOND, END))
    assert await collected(client) == [STATUS, FIRST, SECOND, END]
    [asked] = server.asked
    assert asked.target == "/api/v2/generate/events/the%20id"
    assert asked.headers["accept"] == "text/event-stream"


async def test_who_looks_besides_listens_to_one_connection(server, client):
    server.will(stream_of(server, STATUS, FIRST))
    assert [event async for event in client.listen("1")] == [STATUS, FIRST]
    assert len(server.asked) == 1


async def test_who_looks_besides_is_told_where_there_is_no_stream(server, client):
    server.will(server.answer(200, b"<html>", Content_Type="text/html"))
    with pytest.raises(UnexpectedAnswer, match="no event stream"):
        await anext(client.listen("1"))
    assert len(server.asked) == 1


async def test_an_event_is_given_before_the_stream_ends(server, client):
    server.will(stream_of(server, STATUS, ends=False))
    async with aclosing(client.events("1")) as events:
        assert await anext(events) == STATUS
    await server.left.wait()  # leaving closes the connection


@pytest.mark.parametrize("size", [1, 7])
async def test_bytes_may_come_in_any_pieces(server, client, size):
    whole = b":\n\n" + b"".join(map(encode, [STATUS, FIRST, END]))
    pieces = [whole[at : at + size] for at in range(0, len(whole), size)]
    server.will(server.stream(*pieces))
    assert await collected(client) == [STATUS, FIRST, END]


async def test_comments_unknown_events_and_other_line_ends_do_no_harm(server, client):
    strange = b": hello\r\n\r\nid: 5\r\nretry\r\nevent: preview\r\ndata: {}\r\n\r\ndata\n\n"
    server.will(server.stream(strange, encode(END).replace(b"\n", b"\r\n")))
    assert await collected(client) == [END]


async def test_data_may_be_of_several_lines(server, client):
    lines = encode(END).replace(b',"', b',\ndata: "')
    server.will(server.stream(lines))
    assert await collected(client) == [END]


async def test_a_broken_stream_is_connected_again_and_no_picture_comes_twice(server, client):
    half = encode(SECOND)[:-20]
    server.will(
        server.drop,
        server.stream(encode(STATUS), encode(FIRST), half),
        server.answer(503),
        stream_of(server, STATUS, FIRST, SECOND, END),
    )
    assert await collected(client) == [STATUS, FIRST, STATUS, SECOND, END]
    assert len(server.asked) == 4


async def test_a_server_that_stops_is_connected_again(server, client):
    server.will(
        server.stream(encode(STATUS), encode(FIRST), COME_AGAIN),
        server.answer(503, {"message": "stopping", "rc": "Unavailable"}),
        server.drop,
        stream_of(server, STATUS, FIRST, SECOND, END),
    )
    assert await collected(client) == [STATUS, FIRST, STATUS, SECOND, END]


async def test_a_request_that_nobody_knows(server, client):
    server.will(server.answer(404, {"message": "not found", "rc": "RequestNotFound"}))
    with pytest.raises(NotFound, match="not found"):
        await collected(client)
    assert len(server.asked) == 1


@pytest.mark.parametrize(
    "no_stream",
    [
        lambda server: server.answer(404, b"<html>"),
        lambda server: server.answer(405, {"message": "no"}),
        lambda server: server.answer(200, b"<html>", Content_Type="text/html"),
        lambda server: server.stream(b"event: end\ndata: {}\n\n"),
    ],
)
async def test_where_there_is_no_stream_the_request_is_polled(server, client, no_stream):
    server.will(
        no_stream(server),
        server.answer(200, WAITING),
        server.answer(200, WAITING),
        server.answer(200, HALF),
        server.answer(200, HALF | {"generations": [picture(0)]}),
        server.answer(200, DONE),
        server.answer(200, DONE | {"generations": [picture(0), picture(1)]}),
    )
    assert await collected(client) == [
        StatusEvent(**WAITING),
        StatusEvent(**HALF),
        GenerationEvent(**picture(0), index=0),
        StatusEvent(**DONE),
        GenerationEvent(**picture(1), index=1),
        END,
    ]
    assert [one.target.split("/")[4] for one in server.asked] == [
        "events",
        "check",
        "check",
        "check",
        "status",
        "check",
        "status",
    ]


async def test_reconnecting_is_bounded_and_polling_too(server, client):
    server.will(server.drop)
    with pytest.raises(Unreachable):
        await collected(client)
    assert [one.target.split("/")[4] for one in server.asked] == ["events"] * 8 + ["check"] * 4


async def test_an_endless_event_is_not_kept(server, client, monkeypatch):
    monkeypatch.setattr("core.client.stream.MAX_EVENT_BYTES", 1000)
    for endless in (b"data: " + b"x" * 2000, b"data: xxxx\n" * 300):
        server.will(
            server.stream(endless, ends=False),
            server.answer(404, {"message": "gone", "rc": "RequestNotFound"}),
        )
        with pytest.raises(NotFound):
            await collected(client)


async def test_waiting_gives_the_pictures(server, client):
    server.will(
        stream_of(server, STATUS, FIRST, SECOND, END),
        server.answer(200, DONE | {"generations": [picture(0), picture(1)]}),
    )
    seen = []
    status = await client.wait_for("1", 10, on_event=seen.append)
    assert [generation.id for generation in status.generations] == ["id 0", "id 1"]
    assert seen == [STATUS, FIRST, SECOND, END]


async def test_waiting_has_an_end(server, client):
    server.will(stream_of(server, STATUS, ends=False))
    with pytest.raises(TimedOut, match=r"0\.05"):
        await client.wait_for("1", 0.05)
    await server.left.wait()


async def test_a_silent_stream_is_broken(server, quick, monkeypatch):
    monkeypatch.setattr("core.client.watch.SILENCE_SECONDS", 0.05)
    server.will(stream_of(server, STATUS, ends=False), stream_of(server, END))
    async with HordeClient(server.url, retries=quick) as client:
        assert await asyncio.wait_for(collected(client), 10) == [STATUS, END]


def test_a_status_is_a_check():
    assert isinstance(STATUS, RequestStatusCheck)
