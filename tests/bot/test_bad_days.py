"""Restarts, dropped connections, dead tokens, lost messages: nothing is lost or asked twice."""

import contextlib

import pytest
import pytest_asyncio

import botting
from fake_discord.runs import text_of
from fake_discord.server import running

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(180)]
TINY = {"prompt": "a red fox", "size": "tiny square"}


@pytest_asyncio.fixture(loop_scope="session", scope="module")
async def fake():
    """A Discord of this module's own."""
    async with running() as fake:
        yield fake


@pytest_asyncio.fixture(loop_scope="session", scope="module")
async def bots(fake, horde, worker, tmp_path_factory):
    """Starts bots one after the other, all on one folder."""
    folder = tmp_path_factory.mktemp("bot")
    with contextlib.ExitStack() as started:

        async def start(**settings):
            making = botting.process(fake, horde.url, folder, **settings)
            return await botting.entered(started, making)

        yield start


@pytest_asyncio.fixture(loop_scope="session", scope="module")
async def first(bots):
    return await bots()


async def test_an_edit_after_the_token_died_goes_through_the_channel(fake, first):
    run = await fake.people.slash("imagine", TINY)
    fake.world.token_life = 0.0
    await fake.world.until(lambda: run.original["attachments"], 60, "pictures")
    fake.world.token_life = 900.0
    del fake.world.problems[:]


async def test_an_event_that_comes_twice_asks_once(fake, first, horde):
    fake.gateway.twice = True
    run = await fake.people.slash("imagine", TINY)
    await fake.world.until(lambda: run.original["attachments"], 60, "pictures")
    fake.gateway.twice = False
    assert len(run.original["attachments"]) == 1
    assert run.followups == []
    assert [one for one in fake.world.problems if "acknowledged" not in one] == []
    del fake.world.problems[:]


async def test_after_a_dropped_websocket_commands_and_jobs_go_on(fake, first):
    run = await fake.people.slash("imagine", {**TINY, "count": 3})
    await fake.gateway.drop()
    await fake.world.until(lambda: fake.gateway.resumes == 1, 30, "a resume")
    await fake.world.until(lambda: len(run.original["attachments"]) == 3, 60, "pictures")
    await fake.gateway.move()
    await fake.world.until(lambda: fake.gateway.resumes == 2, 30, "a resume elsewhere")
    fake.gateway.refuses_resume = True
    await fake.gateway.drop()
    await fake.world.until(lambda: fake.gateway.identifies == 2, 30, "a new session")
    fake.gateway.refuses_resume = False
    answer = await fake.people.slash("help")
    assert "/imagine" in answer.text


async def test_a_discord_that_stumbles_gets_its_answers_later(fake, first):
    run = await fake.people.slash("imagine", TINY)
    fake.api.failing = 1
    await fake.world.until(lambda: run.original["attachments"], 60, "pictures")
    assert fake.api.failing == 0


async def test_pictures_of_a_deleted_message_come_by_direct_message(fake, first, worker):
    bob = fake.world.add_user("bob")
    with worker.engine_stopped():
        run = await fake.people.slash("imagine", TINY, user=bob)
        await fake.world.until(lambda: "being made" in run.text, 30, "a status")
        fake.api.messages.delete(run.original)
    await fake.world.until(lambda: fake.world.dms(bob), 60, "a direct message")
    (message,) = fake.world.dms(bob)
    assert [one["filename"] for one in message["attachments"]] == ["1.webp"]
    assert {one.rpartition(": ")[2] for one in fake.world.problems} <= {"Unknown Message"}
    del fake.world.problems[:]


async def test_messages_are_edited_no_faster_than_discord_likes(fake, first):
    runs = [await fake.people.slash("imagine", {**TINY, "count": 3}) for _ in range(2)]
    for run in runs:
        await fake.world.until(lambda run=run: run.original["attachments"], 60, "pictures")
    assert fake.api.buckets.refused == []


async def test_a_job_survives_a_bot_that_is_killed(fake, first, bots, worker):
    with worker.engine_stopped():
        run = await fake.people.slash("imagine", TINY)
        await fake.world.until(lambda: run.original["embeds"], 30, "a status")
        syncs = fake.world.syncs
        first.kill()
        await fake.world.until(lambda: not fake.gateway.is_connected, 30, "its end")
    await bots()
    await fake.world.until(lambda: run.original["attachments"], 60, "pictures")
    assert fake.world.syncs == syncs, "commands are told again only when they change"
    info = await fake.people.click(run.original, "Info")
    assert "a red fox" in info.text


async def test_pictures_of_a_guild_that_left_come_by_direct_message(fake, worker, first):
    with worker.engine_stopped():
        run = await fake.people.slash("imagine", TINY)
        await fake.world.until(lambda: run.original["embeds"], 30, "a status")
        fake.world.token_life = 0.0
        fake.world.guilds.pop(fake.world.guild["id"])
        await fake.gateway.dispatch("GUILD_DELETE", {"id": fake.world.guild["id"]})
    alice = fake.world.alice
    await fake.world.until(lambda: fake.world.dms(alice), 60, "a direct message")
    (message,) = fake.world.dms(alice)
    assert message["attachments"], text_of(message)
    del fake.world.problems[:]
