"""The client that blocks: the same operations, from any thread, with or without an event loop."""

import asyncio
import contextlib
import gc
import os
import signal
import socket
import threading

import pytest

from core.client import NotFound, Retries, SyncHordeClient, Unreachable
from core.wire.events import EndEvent, StatusEvent, encode

HEARTBEAT = {"message": "OK", "version": "1"}
COUNTS = {"restarted": 0, "wait_time": 1, "queue_position": 1, "kudos": 0.0}
STATUS = StatusEvent(finished=0, processing=0, waiting=1, done=False, **COUNTS)
END = EndEvent(finished=1, processing=0, waiting=0, done=True, **COUNTS)


@pytest.fixture
def blocking(server):
    with SyncHordeClient(server.url, retries=Retries(attempts=1)) as client:
        yield client


def in_thread(call, *args):
    """Run a call elsewhere, as the server of these tests lives in this thread's event loop."""
    return asyncio.to_thread(call, *args)


async def test_operations_return_when_they_are_done(server, blocking):
    server.will(server.answer(200, HEARTBEAT))
    assert (await in_thread(blocking.heartbeat)).message == "OK"


async def test_errors_are_raised_where_it_was_called(server, blocking):
    server.will(server.answer(404, {"message": "no", "rc": "TeamNotFound"}))
    with pytest.raises(NotFound, match="no") as caught:
        await in_thread(blocking.teams.get, "1")
    assert caught.value.rc == "TeamNotFound"


async def test_events_come_one_by_one(server, blocking):
    server.will(server.stream(encode(STATUS), encode(END)))
    assert await in_thread(lambda: list(blocking.events("1"))) == [STATUS, END]


async def test_leaving_the_events_closes_the_connection(server, blocking):
    def first():
        with contextlib.closing(blocking.events("1")) as events:
            return next(events)

    server.will(server.stream(encode(STATUS), ends=False))
    assert await in_thread(first) == STATUS
    await server.left.wait()


async def test_several_threads_may_share_it(server, blocking):
    server.will(server.answer(200, HEARTBEAT))
    answers = await asyncio.gather(*(in_thread(blocking.heartbeat) for _ in range(8)))
    assert {answer.message for answer in answers} == {"OK"}


async def test_it_works_where_an_event_loop_runs(unused_tcp_port):
    url = f"http://127.0.0.1:{unused_tcp_port}"
    with SyncHordeClient(url, retries=Retries(attempts=1)) as client, pytest.raises(Unreachable):
        client.heartbeat()


def test_ctrl_c_gives_the_call_up():
    """It is raised in the thread that waits; what it waited for must not go on."""
    left = threading.Event()

    def interrupt(listener):
        connection, _ = listener.accept()
        while connection.recv(4096).endswith(b"\r\n\r\n"):
            os.kill(os.getpid(), signal.SIGINT)
        left.set()
        connection.close()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=interrupt, args=[listener], daemon=True).start()
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        with SyncHordeClient(url) as client:
            with pytest.raises(KeyboardInterrupt):
                client.heartbeat()
            assert left.wait(20)


def test_it_leaves_no_thread_behind():
    before = threading.active_count()
    client = SyncHordeClient("http://127.0.0.1:1")
    client.close()
    client.close()
    gc.collect()
    assert threading.active_count() == before
