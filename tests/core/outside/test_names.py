"""Names that nobody answers for hold up only who asks for them."""

import asyncio
import socket
import threading

import pytest

from core.outside import TookTooLong, names
from core.outside.addresses import Allowed
from core.outside.client import MAX_FOR_CALLER, GuardedClient
from core.outside.names import Names
from outsiders import answer, outsider

LIMITS = {"max_bytes": 1000, "seconds": 30}
HASTY = {"max_bytes": 1000, "seconds": 0.1}


class DeadNames:
    """A resolver that never answers for names of `.dead`, until it is told to."""

    def __init__(self, monkeypatch):
        self.asked = []
        self.answers = threading.Event()
        self._real = socket.getaddrinfo
        monkeypatch.setattr(names.socket, "getaddrinfo", self.look_up)

    def look_up(self, host, port, **kwargs):
        if host.endswith(".dead"):
            self.asked.append(host)
            self.answers.wait()
            raise socket.gaierror(socket.EAI_NONAME, "unknown")
        return self._real("127.0.0.1", port, **kwargs)


@pytest.fixture
def dead(monkeypatch):
    dead = DeadNames(monkeypatch)
    yield dead
    dead.answers.set()


@pytest.fixture
async def client():
    client = GuardedClient(allowed=Allowed(["127.0.0.0/8"]), agent="tests/1")
    yield client
    await client.close()


async def gone_by(calls):
    ended = await asyncio.gather(*calls, return_exceptions=True)
    assert {type(one) for one in ended} == {TookTooLong}


async def test_forty_dead_names_of_one_asker_hold_up_nobody_else(client, dead):
    urls = [f"http://{number}.dead/" for number in range(40)]
    await gone_by(client.get(url, caller="a hostile caller", **HASTY) for url in urls)
    assert 0 < len(dead.asked) <= names.MAX_FOR_CALLER  # the threads are busy still
    async with outsider(answer(body=b"a fox")) as server:
        url = server.url(host="alive.test")
        assert await client.get(url, caller="somebody else", **LIMITS) == b"a fox"
        assert await client.get(url, **LIMITS) == b"a fox"  # and the horde itself
        url = server.url(host="127.0.0.1")
        assert await client.get(url, caller="a hostile caller", **LIMITS) == b"a fox"
        dead.answers.set()  # then the hostile caller has threads again
        url = server.url(host="alive.test")
        assert await client.get(url, caller="a hostile caller", **LIMITS) == b"a fox"


async def test_all_threads_together_do_not_hold_up_the_horde_itself(client, dead):
    await gone_by(
        client.get(f"http://{number}.dead/", caller=f"caller {number}", **HASTY)
        for number in range(names.MAX_THREADS + 10)
    )
    async with outsider(answer(body=b"a fox")) as server:
        assert await client.get(server.url(host="alive.test"), **LIMITS) == b"a fox"
        url = server.url(host="127.1")  # an address, however it is written, takes no thread
        assert await client.get(url, caller="somebody else", **LIMITS) == b"a fox"


async def test_slow_servers_of_one_asker_leave_connections_to_the_others(client):
    async with outsider() as slow, outsider(answer(body=b"a fox")) as server:
        slow.open.clear()
        calls = [
            asyncio.ensure_future(
                client.get(slow.url(host="127.0.0.1"), caller="a hostile caller", **LIMITS)
            )
            for _ in range(100)
        ]
        await slow.heard.wait()
        url = server.url(host="127.0.0.1")
        assert await client.get(url, caller="somebody else", **LIMITS) == b"a fox"
        assert slow.connections <= MAX_FOR_CALLER
        for call in calls:
            call.cancel()
        await asyncio.gather(*calls, return_exceptions=True)


async def test_turns_of_askers_that_are_gone_take_no_room(dead):
    looking_up = Names()
    dead.answers.set()
    for number in range(100):
        await looking_up.look_up("alive.test", 80, f"caller {number}")
    await asyncio.to_thread(looking_up._threads.shutdown)
    await asyncio.sleep(0)  # for what the threads have left to the loop
    assert not looking_up._turns
    looking_up.close()
