"""The bot: puts the parts together, and tells Discord of its commands."""

import asyncio
import hashlib
import json
from typing import Final

import discord
import structlog
from discord import app_commands

from bot import actions, answering, commands, duties, gifts, languages
from bot.hordes import Hordes
from bot.jobs.desk import Desk
from bot.keyring import Keyring
from bot.languages import Languages
from bot.live import Live
from bot.settings import Settings
from bot.store import notes
from bot.store.database import Database
from bot.store.guilds import Guilds

INTENTS: Final = discord.Intents(guilds=True, guild_reactions=True)
TREE: Final = "command tree"

log = structlog.get_logger(__name__)


class HordeBot(discord.Client):
    """One connection to Discord, and everything behind it."""

    def __init__(self, settings: Settings, database: Database, keyring: Keyring) -> None:
        discord.VoiceClient.warn_nacl = discord.VoiceClient.warn_dave = False  # it never speaks
        super().__init__(
            intents=INTENTS,
            allowed_mentions=discord.AllowedMentions.none(),
            member_cache_flags=discord.MemberCacheFlags.none(),
            max_messages=None,
            chunk_guilds_at_startup=False,
        )
        self.settings: Final = settings
        self.database: Final = database
        self.keyring: Final = keyring
        self.hordes: Final = Hordes(settings, database, keyring)
        self.rules: Final = Guilds(database)
        self.live: Final = Live(self.hordes)
        self.desk: Final = Desk(self)
        self.tree: Final = app_commands.CommandTree(self)
        self.tree.error(_on_error)
        self._duties: list[asyncio.Task[None]] = []
        commands.add_to(self.tree)

    async def setup_hook(self) -> None:
        """Go on where the last process stopped, before Discord tells anything."""
        self.add_dynamic_items(*actions.PRESSED, *commands.PRESSED)
        await self.tree.set_translator(Languages())
        await self._sync()
        await self.desk.resume()
        for duty in (self.desk.watcher.run(), *duties.of(self)):
            self._duties.append(asyncio.ensure_future(duty))

    async def on_ready(self) -> None:
        """Say so."""
        print("ready: connected to Discord", flush=True)  # noqa: T201 - who started it waits for it
        log.info("ready", user=str(self.user), guilds=len(self.guilds))

    async def on_raw_reaction_add(self, event: discord.RawReactionActionEvent) -> None:
        """Give kudos, if the reaction does."""
        try:
            await gifts.reacted(self, event)
        except Exception:  # whatever it is, it is this reaction's alone
            log.exception("gift.failed")

    async def on_guild_remove(self, guild: discord.Guild) -> None:
        """Forget a guild that removed the bot."""
        await self.rules.forget(guild.id)

    async def close(self) -> None:
        """Stop; what runs at the horde is found again by the next start."""
        for duty in self._duties:
            duty.cancel()
        await asyncio.gather(*self._duties, return_exceptions=True)
        await self.desk.close()
        await super().close()
        await self.hordes.close()
        await self.database.close()

    async def _sync(self) -> None:
        """Tell Discord of the commands, if they are not what it was told last."""
        tree = [command.to_dict(self.tree) for command in self.tree.get_commands()]
        whole = json.dumps([tree, languages.read()], sort_keys=True)
        digest = hashlib.sha256(whole.encode()).hexdigest()
        async with self.database.transaction() as connection:
            if await notes.get(connection, TREE) == digest:
                return
        if self.settings.sync_guild is not None:
            guild = discord.Object(self.settings.sync_guild)
            self.tree.copy_global_to(guild=guild)
            await self.tree.sync(guild=guild)
        await self.tree.sync()
        async with self.database.transaction() as connection:
            await notes.put(connection, TREE, digest)
        log.info("commands.synced", count=len(tree))


async def _on_error(interaction: discord.Interaction, error: app_commands.AppCommandError) -> None:
    await answering.failed(interaction, getattr(error, "original", error))
