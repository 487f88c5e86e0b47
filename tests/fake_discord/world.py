"""The state of the fake: users, guilds, channels, messages, and what a client did with them."""

import asyncio
import itertools
import time
from typing import Any

EPOCH_MS = 1420070400000
EVERYTHING = (1 << 50) - 1
EPHEMERAL = 1 << 6
LOADING = 1 << 7
TEXT, DM, THREAD = 0, 1, 11
MEBIBYTE = 1024 * 1024

_numbers = itertools.count(1)


def snowflake() -> str:
    return str(((int(time.time() * 1000) - EPOCH_MS) << 22) | (next(_numbers) & 0x3FFFFF))


def now_iso() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S+00:00", time.gmtime())


class World:
    """What there is, and what is said about it.

    response_deadline, token_life: seconds. size_limit: bytes of a message's files.
    problems: everything that Discord would have refused.
    """

    def __init__(self) -> None:
        self.base = ""
        self.response_deadline = 3.0
        self.token_life = 900.0
        self.size_limit = 10 * MEBIBYTE
        self.bot = {**_user("horde"), "bot": True}
        self.application_id = self.bot["id"]
        self.users: dict[str, dict] = {}
        self.guilds: dict[str, dict] = {}
        self.roles: dict[str, list[str]] = {}
        """By user's id."""
        self.channels: dict[str, dict] = {}
        self.messages: dict[str, dict] = {}
        self.blobs: dict[str, bytes] = {}
        self.runs: dict[str, Any] = {}
        self.commands: dict[str | None, list[dict]] = {None: []}
        self.syncs = 0
        self.closed_dms: set[str] = set()
        self.mute_channels: set[str] = set()
        """Where the bot may see and not write."""
        self.requests: list[tuple[str, str]] = []
        self.problems: list[str] = []
        self.changed = asyncio.Condition()
        self.guild = self.add_guild("Test guild")
        self.alice = self.add_user("alice")
        self.general = self.add_channel("general")
        self.lewd = self.add_channel("lewd", nsfw=True)

    def add_guild(self, name: str) -> dict:
        guild = {"id": snowflake(), "name": name, "roles": []}
        guild["roles"].append(_role(guild["id"], "@everyone", EVERYTHING))
        self.guilds[guild["id"]] = guild
        return guild

    def add_user(self, name: str, roles: list[str] | None = None) -> dict:
        user = _user(name)
        self.users[user["id"]] = user
        self.roles[user["id"]] = roles or []
        return user

    def add_role(self, name: str) -> dict:
        role = _role(snowflake(), name, 0)
        self.guild["roles"].append(role)
        return role

    def add_channel(self, name: str, *, nsfw: bool = False, kind: int = TEXT, **extra: Any) -> dict:
        channel = {
            "id": snowflake(), "type": kind, "name": name, "nsfw": nsfw, "position": 0,
            "guild_id": self.guild["id"], "permission_overwrites": [], "topic": None,
            "parent_id": None, "rate_limit_per_user": 0, **extra,
        }  # fmt: skip
        self.channels[channel["id"]] = channel
        return channel

    def add_thread(self, name: str, parent: dict) -> dict:
        metadata = {
            "archived": False, "locked": False, "auto_archive_duration": 1440,
            "archive_timestamp": now_iso(),
        }  # fmt: skip
        return self.add_channel(
            name, kind=THREAD, parent_id=parent["id"], owner_id=self.bot["id"], member_count=1,
            message_count=0, thread_metadata=metadata,
        )  # fmt: skip

    def dm_of(self, user_id: str) -> dict:
        for channel in self.channels.values():
            if channel["type"] == DM and channel["recipients"][0]["id"] == user_id:
                return channel
        channel = {
            "id": snowflake(), "type": DM, "recipients": [self.users[user_id]],
            "last_message_id": None,
        }  # fmt: skip
        self.channels[channel["id"]] = channel
        return channel

    def dms(self, user: dict) -> list[dict]:
        channel = self.dm_of(user["id"])["id"]
        return [one for one in self.messages.values() if one["channel_id"] == channel]

    def attachment(self, name: str, data: bytes, kind: str = "image/png", **extra: Any) -> dict:
        number = snowflake()
        self.blobs[number] = data
        url = f"{self.base}/cdn/{number}/{name}"
        size = extra.pop("size", len(data))
        return {
            "id": number, "filename": name, "size": size, "url": url, "proxy_url": url,
            "content_type": kind, **extra,
        }  # fmt: skip

    def member(self, user: dict, permissions: int = EVERYTHING) -> dict:
        return {
            "user": user, "roles": self.roles.get(user["id"], []), "joined_at": now_iso(),
            "deaf": False, "mute": False, "nick": None, "flags": 0,
            "permissions": str(permissions), "avatar": None, "premium_since": None,
            "pending": False, "communication_disabled_until": None,
        }  # fmt: skip

    def guild_payload(self, guild: dict) -> dict:
        channels = [c for c in self.channels.values() if c.get("guild_id") == guild["id"]]
        members = [self.member(user) for user in (self.bot, *self.users.values())]
        return {
            **guild, "owner_id": self.alice["id"], "emojis": [], "stickers": [], "features": [],
            "channels": [c for c in channels if c["type"] == TEXT],
            "threads": [c for c in channels if c["type"] == THREAD], "members": members,
            "member_count": len(members), "presences": [], "voice_states": [], "large": False,
            "unavailable": False, "verification_level": 0, "default_message_notifications": 0,
            "explicit_content_filter": 0, "mfa_level": 0, "system_channel_flags": 0,
            "premium_tier": 0, "preferred_locale": "en-US", "nsfw_level": 0, "afk_timeout": 300,
            "icon": None, "splash": None, "discovery_splash": None, "banner": None,
            "description": None, "application_id": None, "joined_at": now_iso(),
            "stage_instances": [], "guild_scheduled_events": [], "soundboard_sounds": [],
            "premium_progress_bar_enabled": False,
        }  # fmt: skip

    async def tell(self) -> None:
        """Wake everybody who waits for something to become true."""
        async with self.changed:
            self.changed.notify_all()

    async def until(self, test, seconds: float = 20.0, what: str = "it"):
        """Wait until `test()` is true; its value."""
        async with self.changed:
            try:
                async with asyncio.timeout(seconds):
                    await self.changed.wait_for(test)
            except TimeoutError:
                raise AssertionError(f"{what} did not happen; {self.problems[-5:]}") from None
        return test()


def _user(name: str) -> dict:
    return {
        "id": snowflake(), "username": name, "discriminator": "0", "avatar": None,
        "global_name": name.title(), "bot": False,
    }  # fmt: skip


def _role(number: str, name: str, permissions: int) -> dict:
    return {
        "id": number, "name": name, "permissions": str(permissions), "color": 0, "hoist": False,
        "managed": False, "mentionable": False, "position": 1,
    }  # fmt: skip
