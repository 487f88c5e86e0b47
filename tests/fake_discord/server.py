"""A stand-in for Discord on the loopback: REST API and gateway, for a bot in its own process.

It refuses what Discord refuses (limits of commands, messages and modals, late or double answers,
dead tokens, missing permissions, too many edits) and plays its bad days.
"""

import contextlib
from collections.abc import AsyncIterator

from aiohttp import web

from fake_discord.api import Api
from fake_discord.gateway import Gateway
from fake_discord.people import People
from fake_discord.world import World

TOKEN = "fake.bot.token"


class FakeDiscord:
    def __init__(self) -> None:
        self.world = World()
        self.gateway = Gateway(self.world)
        self.api = Api(self.world, self.gateway)
        self.people = People(self.world, self.gateway)

    @property
    def environment(self) -> dict[str, str]:
        """What makes the bot call here."""
        base = self.world.base
        return {
            "BOT_TOKEN": TOKEN,
            "BOT_DISCORD_API": f"{base}/api/v10",
            "BOT_DISCORD_GATEWAY": f"{base.replace('http', 'ws')}/gateway",
            "BOT_DISCORD_CDN": base,
        }


@contextlib.asynccontextmanager
async def running() -> AsyncIterator[FakeDiscord]:
    fake = FakeDiscord()
    runner = web.AppRunner(fake.api.application(), shutdown_timeout=0.2)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    fake.world.base = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield fake
    finally:
        await fake.gateway.close()
        await runner.cleanup()
