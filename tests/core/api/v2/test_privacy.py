"""What somebody asked for, from where, and what came of it is gone when its time is over."""

from datetime import timedelta

import pytest
from sqlalchemy import select

import pictures
import serving
from core.columns import Base
from core.db import now
from core.upkeep.steps import STEPS
from core.users.tables import Role

SECRET_PROMPT = "a very private fox of mine"
SECRET_TEXT = "once upon a time there was a private fox"
HERE = "198.51.100.77"
KINDS = ("image", "text")


@pytest.fixture
async def server(databases, tmp_path):
    """A server that is called from an address that can be searched for."""
    with databases.fresh("sqlite") as url:
        async with serving.in_process(url, tmp_path / "data", peer=HERE) as running:
            yield running


async def stored(server):
    """Every row of every table, as text."""
    found = []
    async with server.database.reading() as session:
        for each in Base.metadata.sorted_tables:
            rows = await session.execute(select(each))
            found += [f"{each.name}: {tuple(row)!r}" for row in rows]
    return "\n".join(found)


def kept(server):
    """The names of all files in the picture folder."""
    return {file.name for file in server.settings.pictures.rglob("*") if file.is_file()}


async def upkeep(server, at):
    """All that upkeep does, at that time, until there is nothing more to do."""
    for step in STEPS:
        more = True
        while more:
            async with server.database.writing() as session:
                more, after = await step.run(session, server.horde, at)
            if after is not None:
                await after()


async def live(server):
    """Requests of every kind by somebody and by nobody: some finished, some waiting."""
    shop = await serving.open_shop(server)
    writer = await server.user("writer", roles=int(Role.CUSTOMIZER), kudos=1000)
    source = {"source_image": pictures.SOURCE, "source_processing": "img2img"}
    for key in (serving.ANONYMOUS, shop.owner.key):
        for _ in range(2):
            await server.ask(key=key, prompt=SECRET_PROMPT, models=[shop.name], **source)
        text = {"prompt": SECRET_PROMPT, "models": ["a model"]}
        answer = await server.post("/generate/text/async", text, key=key)
        assert answer.status_code == 202, answer.text
        form = {"forms": [{"name": "caption"}], "source_image": pictures.SOURCE}
        answer = await server.post("/interrogate/async", form, key=key)
        assert answer.status_code == 202, answer.text
    for _ in range(3):
        await shop.deliver(await shop.pop())
    offer = serving.offer(name="a writer", models=["a model"], max_length=80)
    job = (await server.post("/generate/text/pop", offer, key=writer.key)).json()
    told = {"id": job["id"], "generation": SECRET_TEXT}
    assert (await server.post("/generate/text/submit", told, key=writer.key)).is_success


async def test_nothing_is_left_of_a_request_when_its_time_is_over(server):
    await live(server)
    there = await stored(server)
    assert SECRET_PROMPT in there
    assert SECRET_TEXT in there
    assert len(kept(server)) >= 3 + 5
    at = now()
    await upkeep(server, at + timedelta(minutes=10))
    assert SECRET_PROMPT in await stored(server)
    await upkeep(server, at + timedelta(minutes=server.settings.request_minutes + 2))
    left = await stored(server)
    assert SECRET_PROMPT not in left
    assert SECRET_TEXT not in left
    assert kept(server) == set()


async def test_addresses_live_as_long_as_limits_need_them(server):
    await live(server)
    wanted = {"prompt": "naked child", "replacement_filter": False}
    refused = await server.post("/generate/async", wanted, key=serving.ANONYMOUS)
    assert refused.json()["rc"] == "CorruptPrompt"
    at = now()

    async def holding():
        lines = [line for line in (await stored(server)).splitlines() if HERE in line]
        return {line.partition(":")[0] for line in lines}

    assert await holding() == {"requests", "workers", "address_timeouts"}
    await upkeep(server, at + timedelta(minutes=22))
    assert await holding() == {"workers", "address_timeouts"}
    await upkeep(server, at + timedelta(hours=25))
    assert await holding() == {"workers"}
    await upkeep(server, at + timedelta(days=8))
    assert await holding() == set()


async def test_only_the_anonymous_users_requests_keep_an_address(server):
    person = await server.user("a person", kudos=1000)
    await server.ask(key=person.key)
    assert HERE not in await stored(server)


async def test_a_report_of_abuse_is_gone_a_day_later(server):
    shop = await serving.open_shop(server)
    await server.ask(models=[shop.name], prompt=SECRET_PROMPT)
    popped = await shop.pop()
    await server.http.put(popped["r2_upload"], content=pictures.WEBP)
    said = [{"type": "censorship", "value": "csam"}]
    assert (await shop.submit(popped["id"], gen_metadata=said)).status_code == 200
    at = now()

    async def reports():
        lines = [x for x in (await stored(server)).splitlines() if x.startswith("problem_jobs")]
        return "\n".join(lines)

    there = await reports()
    assert HERE in there
    assert SECRET_PROMPT not in there
    await upkeep(server, at + timedelta(hours=23))
    assert await reports() == there
    await upkeep(server, at + timedelta(hours=25))
    assert await reports() == ""
