"""The websocket of the fake, and Discord's bad days on it."""

import asyncio
import itertools
import json

from aiohttp import WSMsgType, web

from fake_discord.world import World

HELLO, ACK, RECONNECT, INVALID = 10, 11, 7, 9
HEARTBEAT, IDENTIFY, PRESENCE, RESUME, MEMBERS = 1, 2, 3, 6, 8


class Gateway:
    """identifies, resumes: how often clients did so. twice: whether each event is sent twice."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.intents = 0
        self.identifies = 0
        self.resumes = 0
        self.twice = False
        self.refuses_resume = False
        self._sockets: set[web.WebSocketResponse] = set()
        self._sequence = itertools.count(1)

    @property
    def is_connected(self) -> bool:
        return bool(self._sockets)

    async def handle(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(autoping=True, max_msg_size=0)
        await socket.prepare(request)
        # The client asks for compressed transport; text frames are taken as they are.
        await socket.send_str(json.dumps({"op": HELLO, "d": {"heartbeat_interval": 41250}}))
        try:
            async for frame in socket:
                if frame.type != WSMsgType.TEXT:
                    break
                data = json.loads(frame.data)
                await self._take(socket, data["op"], data.get("d"))
        finally:
            self._sockets.discard(socket)
            await self.world.tell()
        return socket

    async def _take(self, socket, op: int, data) -> None:
        if op == HEARTBEAT:
            await socket.send_str(json.dumps({"op": ACK}))
        elif op == IDENTIFY:
            self.intents = data["intents"]
            self.identifies += 1
            self._sockets.add(socket)
            await self._ready()
        elif op == RESUME:
            if self.refuses_resume:
                await socket.send_str(json.dumps({"op": INVALID, "d": False}))
                return
            self.resumes += 1
            self._sockets.add(socket)
            await self.dispatch("RESUMED", {})
        elif op == MEMBERS:
            users = (self.world.bot, *self.world.users.values())
            members = [self.world.member(user) for user in users]
            chunk = {"chunk_index": 0, "chunk_count": 1, "nonce": data.get("nonce")}
            chunk |= {"guild_id": self.world.guild["id"], "members": members}
            await self.dispatch("GUILD_MEMBERS_CHUNK", chunk)
        await self.world.tell()

    async def _ready(self) -> None:
        guilds = list(self.world.guilds.values())
        await self.dispatch(
            "READY",
            {
                "v": 10,
                "user": self.world.bot,
                "guilds": [{"id": guild["id"], "unavailable": True} for guild in guilds],
                "session_id": "fake-session",
                "private_channels": [],
                "relationships": [],
                "resume_gateway_url": f"{self.world.base.replace('http', 'ws')}/gateway",
                "application": {"id": self.world.application_id, "flags": 0},
            },
        )
        for guild in guilds:
            await self.dispatch("GUILD_CREATE", self.world.guild_payload(guild))

    async def dispatch(self, event: str, data: dict) -> None:
        frame = json.dumps({"op": 0, "t": event, "s": next(self._sequence), "d": data})
        for socket in list(self._sockets):
            for _ in range(2 if self.twice and event == "INTERACTION_CREATE" else 1):
                await socket.send_str(frame)

    async def drop(self, code: int = 4000) -> None:
        """Cut the websocket, as Discord does several times a day."""
        for socket in list(self._sockets):
            self._sockets.discard(socket)
            await socket.close(code=code)

    async def move(self) -> None:
        """Ask the client to connect to another machine."""
        for socket in list(self._sockets):
            await socket.send_str(json.dumps({"op": RECONNECT, "d": None}))

    async def close(self) -> None:
        await asyncio.gather(*(socket.close() for socket in list(self._sockets)))
