"""A party: its style and words, what its host pays, and its end."""

import asyncio

import pytest

from core.wire.styles import ModelStyleInputStable
from fake_discord.runs import text_of

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(120)]


async def balance(horde, person):
    async with horde.client(person.key) as client:
        return (await client.users.me()).kudos


async def test_guests_ask_by_the_party_s_style_and_the_host_pays(
    fake, people, anne, account, log_in, horde, pictures_of, said
):
    host, world = fake.world.add_user("host"), fake.world
    rich = horde.user("Host", oauth_id="g_host", kudos=5000, trusted=True)
    async with horde.client(rich.key) as client:
        params = {"width": 128, "height": 128}
        style = {"name": "sunny", "prompt": "{p}, sunny{np}", "params": params}
        style |= {"models": ["horde-tiny"], "info": "a style of this party"}
        made = await client.styles.create(ModelStyleInputStable.model_validate(style))
    await log_in(host, rich.key)
    await log_in(anne, account.key)
    wanted = {"name": "Summer", "style": made.id, "award": 5, "words": "sun", "budget": 1000}
    begun = await people.slash("party start", wanted, user=host)
    assert "It goes on in" in begun.text
    thread = next(one for one in world.channels.values() if one.get("name") == "🎉 Summer")
    await fake.gateway.dispatch("THREAD_CREATE", thread)
    before, hosts = await balance(horde, account), await balance(horde, rich)
    without = await people.slash("imagine", {"prompt": "a fox"}, user=anne, channel=thread)
    await said(without, "these words too: sun")
    run = await people.slash("imagine", {"prompt": "a fox, sun"}, user=anne, channel=thread)
    await pictures_of(run)
    async with asyncio.timeout(30):
        while await balance(horde, account) != before + 5:  # noqa: ASYNC110 - the award, alone
            await asyncio.sleep(0.1)  # the horde tells of no transfer by an event
    end = await people.slash("party end", user=anne, channel=thread, permissions=0)
    assert "Only its host" in end.text
    ended = await people.slash("party end", user=host, channel=thread)
    assert "It is over" in ended.text
    told = [text_of(one) for one in world.messages.values() if one["channel_id"] == thread["id"]]
    assert any("Summer is over" in text and f"<@{anne['id']}>: 1" in text for text in told)
    assert await balance(horde, rich) < hosts - 5
    async with horde.client(rich.key) as client:
        assert not (await client.users.me()).sharedkey_ids, "the party's key is gone"
