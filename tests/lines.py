"""A connection to a server that can be watched, and that loses an answer when a test wants it."""

import asyncio
import contextlib

CHUNK = 65536


class Line:
    """Passes calls on to a port of this machine.

    call: what the watched calls begin with, such as b"POST /api/v2/generate/submit". The answer to
    the next of them that is not refused gets lost: its connection closes instead.

    sent: the server gets that call. answered: it has answered; set it, and all is passed.
    refusals: how many answers were 429.
    """

    def __init__(self, port, call):
        self._port, self._call = port, call
        self.sent, self.answered = asyncio.Event(), asyncio.Event()
        self.refusals = 0
        self.url = ""

    def lose(self):
        """The next answer gets lost, too."""
        self.sent.clear()
        self.answered.clear()

    @contextlib.asynccontextmanager
    async def opened(self):
        async with await asyncio.start_server(self._connected, "127.0.0.1", 0) as server:
            self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
            yield self

    async def _connected(self, reader, writer):
        with contextlib.closing(writer), contextlib.suppress(OSError):
            from_server, to_server = await asyncio.open_connection("127.0.0.1", self._port)
            watched = asyncio.Event()
            with contextlib.closing(to_server):
                ways = [
                    self._pass_calls(reader, to_server, watched),
                    self._pass_answers(from_server, writer, watched),
                ]
                tasks = [asyncio.ensure_future(way) for way in ways]
                await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)

    async def _pass_calls(self, reader, to_server, watched):
        while some := await reader.read(CHUNK):
            if some.startswith(self._call) and not self.answered.is_set():
                watched.set()
            to_server.write(some)
            await to_server.drain()
            if watched.is_set():
                self.sent.set()

    async def _pass_answers(self, from_server, writer, watched):
        while some := await from_server.read(CHUNK):
            is_refused = some.startswith(b"HTTP/1.1 429")
            self.refusals += is_refused
            if watched.is_set() and not is_refused:
                self.answered.set()
                return
            if is_refused:
                watched.clear()
            writer.write(some)
            await writer.drain()
