"""Where the bot is: direct messages, and guilds that it is in only as somebody's own app."""

import pytest

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(120)]
TINY = {"prompt": "a red fox", "size": "tiny square"}


@pytest.fixture
def foreign(fake):
    """A channel of a guild that never invited the bot: it is seen by its interactions alone."""
    guild = fake.world.add_guild("a guild of others")
    del fake.world.guilds[guild["id"]]
    return fake.world.add_channel("far away", guild_id=guild["id"])


async def test_who_installed_the_bot_takes_it_along(
    fake, people, anne, account, foreign, log_in, pictures_of
):
    how = {"user": anne, "channel": foreign, "installed_by_user": True}
    answer = await log_in(anne, account.key, channel=foreign, installed_by_user=True)
    assert "You are logged in" in answer.text
    run = await people.slash("imagine", {**TINY, "count": 2}, **how)
    await pictures_of(run, 2)
    again = await people.click(run.original, "Re-roll", **how)
    await pictures_of(again, 2)


async def test_what_outlives_its_token_in_a_foreign_guild_comes_by_direct_message(
    fake, people, anne, foreign, worker
):
    with worker.engine_stopped():
        run = await people.slash(
            "imagine", TINY, user=anne, channel=foreign, installed_by_user=True
        )
        await fake.world.until(lambda: run.original["embeds"], 30, "a status")
        fake.world.token_life = 0.0
    await fake.world.until(lambda: fake.world.dms(anne), 60, "a direct message")
    fake.world.token_life = 900.0
    (message,) = fake.world.dms(anne)
    assert [one["filename"] for one in message["attachments"]] == ["1.webp"]
    said = {one.rpartition(": ")[2] for one in fake.world.problems}
    assert said <= {"Invalid Webhook Token", "Missing Access"}
    del fake.world.problems[:]


async def test_direct_messages_are_a_place_like_others(fake, people, anne, pictures_of, said):
    dm = fake.world.dm_of(anne["id"])
    run = await people.slash("imagine", TINY, user=anne, channel=dm)
    await pictures_of(run)
    varied = await people.click(run.original, "Vary", user=anne, channel=dm)
    await pictures_of(varied, 2)
    text = await people.slash("text", {"prompt": "Once"}, user=anne, channel=dm)
    await said(text, "Once")
