"""What the bot does by itself: news, workers that come and go, roles, what is forgotten."""

import json
from datetime import timedelta

import discord
import pytest
import pytest_asyncio
from cryptography.fernet import Fernet

import serving
from bot import accounts, duties, feeds
from bot.__main__ import point_at
from bot.app import HordeBot
from bot.keyring import Keyring
from bot.settings import Settings
from bot.store import gifts, jobs, prompts
from bot.store.database import Database, now, prepare
from bot.store.guilds import Rules
from core.wire.generate import PopInputStable
from fake_discord.runs import text_of

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(120)]


@pytest_asyncio.fixture(loop_scope="session")
async def here(fake, horde, tmp_path, monkeypatch):
    """A bot of this process: logged in at Discord, and its duties are called by the test."""
    variables = {**fake.environment, "BOT_HORDE_URL": horde.url, "BOT_DATA_DIR": str(tmp_path)}
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    for place, name in (
        (discord.http.Route, "BASE"),
        (discord.gateway.DiscordWebSocket, "DEFAULT_GATEWAY"),
        (discord.asset.Asset, "BASE"),
    ):
        monkeypatch.setattr(place, name, getattr(place, name))
    monkeypatch.setattr(duties, "of", lambda _bot: [])
    settings = Settings()
    point_at(settings)
    await prepare(settings.database)
    database, keyring = Database(settings.database), Keyring(Fernet.generate_key().decode())
    async with HordeBot(settings, database, keyring) as bot:
        await bot.login(settings.token.get_secret_value())
        yield bot


def told(fake, channel):
    messages = [one for one in fake.world.messages.values() if one["channel_id"] == channel["id"]]
    return [text_of(one) for one in messages]


def publish(documents, *titles):
    pieces = [
        {"date_published": f"2026-01-0{day}", "title": title, "newspiece": f"About {title}."}
        for day, title in enumerate(titles, 1)
    ]
    (documents / "news.json").write_text(json.dumps(pieces))


async def test_news_are_told_once_and_only_what_is_new(fake, here, channel, documents):
    mute = fake.world.add_channel("mute")
    fake.world.mute_channels.add(mute["id"])
    await here.rules.set(9, Rules(news_channel=mute["id"]))
    await here.rules.set(int(fake.world.guild["id"]), Rules(news_channel=channel["id"]))
    publish(documents)
    await feeds.tell_news(here)
    publish(documents, "the first")
    for _ in range(2):
        await feeds.tell_news(here)
    assert told(fake, channel) == ["the first\nAbout the first."]
    publish(documents, "the first", "@everyone", "third")
    await feeds.tell_news(here)
    assert [text.partition("\n")[0] for text in told(fake, channel)[1:]] == [
        "@\u200beveryone",
        "third",
    ]
    assert {one.rpartition(": ")[2] for one in fake.world.problems} == {"Missing Permissions"}
    del fake.world.problems[:]


async def test_workers_that_come_and_go_are_told(fake, here, channel, horde, owner):
    await here.rules.set(int(fake.world.guild["id"]), Rules(alert_channel=channel["id"]))
    fleet = feeds.Fleet()
    await fleet.tell(here)
    async with horde.client(owner.key) as client:
        await client.pop(PopInputStable.model_validate(serving.offer(name="A @everyone worker")))
        await fleet.tell(here)
        await fleet.tell(here)
        assert told(fake, channel) == ["🟢 A @\u200beveryone worker is online"]
        await client.workers.delete((await client.workers.named("A @everyone worker")).id)
    await fleet.tell(here)
    assert told(fake, channel)[1:] == ["⚫ A @\u200beveryone worker is offline"]


async def test_roles_follow_the_accounts_and_the_members(fake, here, anne, owner, horde):
    roles = {word: fake.world.add_role(word)["id"] for word in ("login", "worker", "trusted")}
    bob = fake.world.add_user("bob", roles=[roles["trusted"]])
    new = horde.user("New", oauth_id="g_new")
    for user, key in ((anne, owner.key), (bob, new.key)):
        await accounts.log_in(here, int(user["id"]), code="", key=key)
    async with horde.client(owner.key) as client:
        await client.pop(PopInputStable.model_validate(serving.offer(name="A role's worker")))
    await here.rules.set(int(fake.world.guild["id"]), Rules(roles=roles))
    await feeds.renew_roles(here)
    assert sorted(fake.world.roles[anne["id"]]) == sorted(roles.values())
    assert fake.world.roles[bob["id"]] == [roles["login"]]


async def test_what_is_old_is_forgotten(here):
    old = now() - timedelta(days=400)
    gift = {"giver_id": 1, "receiver_id": 2, "message_id": 3, "channel_id": 4, "amount": 5}
    await here.rules.set(8, Rules(prompt_days=0))
    async with here.database.transaction() as connection:
        await gifts.add(connection, **gift, emoji="x")
        for guild in (7, 8):
            await prompts.add(connection, guild_id=guild, user_id=1, kind="image", prompt="a fox")
    await duties.forget(here)
    async with here.database.transaction() as connection:
        assert len(await gifts.waiting(connection, 2)) == 1
        assert len(await prompts.of_guild(connection, 7)) == 1
        assert await prompts.of_guild(connection, 8) == []
        await connection.exec_driver_sql("UPDATE gifts SET created = ?", (old,))
        await connection.exec_driver_sql("UPDATE prompts SET created = ?", (old,))
    await duties.forget(here)
    async with here.database.transaction() as connection:
        assert await gifts.waiting(connection, 2) == []
        assert await prompts.of_guild(connection, 7) == []
        assert await jobs.unfinished(connection) == []
