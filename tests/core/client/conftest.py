"""A server on loopback that answers what a test tells it, and remembers what it was asked."""

import asyncio
import contextlib
import json
from dataclasses import dataclass

import pytest

from core.client import HordeClient, Retries

KEY = "a" * 21 + "Z"


@dataclass
class Accepted:
    method: str
    target: str
    headers: dict
    body: bytes


class Server:
    """Takes its answers from `steps`, in order; the last one is repeated."""

    def __init__(self):
        self.steps = []
        self.asked = []
        self.left = asyncio.Event()  # a client has closed its connection
        self.url = ""
        self._connections = set()

    def will(self, *steps):
        self.steps = list(steps)

    @staticmethod
    def answer(status=200, body=b"", **headers):
        """A whole answer. Headers by keyword, with `_` for `-`."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        fields = {"Content-Length": len(content), "Content-Type": "application/json"}
        fields |= {name.replace("_", "-"): value for name, value in headers.items()}
        lines = [f"{name}: {value}" for name, value in fields.items()]
        return "\r\n".join([f"HTTP/1.1 {status} X", *lines, "", ""]).encode() + content

    @staticmethod
    async def drop(writer):
        """Give no answer: the connection breaks after the request was read."""
        writer.close()

    @staticmethod
    async def hang(_writer):
        """Give no answer, but keep the connection."""
        await asyncio.Event().wait()

    def stream(self, *parts, ends=True, kind="text/event-stream"):
        """Send these bytes, one by one; then end, or keep the connection."""

        async def step(writer):
            writer.write(f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\n".encode())
            writer.write(b"Transfer-Encoding: chunked\r\n\r\n")
            for part in parts:
                writer.write(b"%x\r\n%b\r\n" % (len(part), part))
                await writer.drain()
            if ends:
                writer.write(b"0\r\n\r\n")
            else:
                await self.hang(writer)

        return step

    async def serve(self, reader, writer):
        self._connections.add(asyncio.current_task())
        try:
            while True:
                await self._read(reader)
                step = self.steps.pop(0) if len(self.steps) > 1 else self.steps[0]
                if not isinstance(step, bytes):
                    break
                writer.write(step)
            async with asyncio.TaskGroup() as tasks:
                notice = tasks.create_task(self._notice(reader))
                await step(writer)
                notice.cancel()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass  # the client has left
        finally:
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()

    async def _read(self, reader):
        first, *lines = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")[:-2]
        headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
        body = await reader.readexactly(int(headers.get("content-length", 0)))
        method, target, _ = first.split(" ")
        self.asked.append(Accepted(method, target, headers, body))

    async def _notice(self, reader):
        await reader.read()
        self.left.set()

    @contextlib.asynccontextmanager
    async def running(self):
        listener = await asyncio.start_server(self.serve, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}"
        try:
            yield self
        finally:
            listener.close()
            for connection in self._connections:
                connection.cancel()
            await asyncio.gather(*self._connections, return_exceptions=True)


@pytest.fixture
async def server():
    async with Server().running() as running:
        yield running


@pytest.fixture
async def elsewhere():
    """A second server: another origin."""
    async with Server().running() as running:
        yield running


@pytest.fixture
def key():
    return KEY


@pytest.fixture
def quick():
    return Retries(attempts=4, first_seconds=0.001, longest_seconds=0.01, patience_seconds=5.0)


@pytest.fixture
async def client(server, quick):
    async with HordeClient(server.url, KEY, retries=quick, poll_seconds=0.001) as client:
        yield client
