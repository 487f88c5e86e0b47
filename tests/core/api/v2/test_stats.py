"""How much was made: totals by period, and models."""

from datetime import timedelta

import pytest

import serving
from core.db import now
from core.stats import rollup
from core.stats.rollup import Made
from core.upkeep import steps

PERIODS = ("minute", "hour", "day", "month", "total")


@pytest.fixture
async def made(server):
    """Rolls up results that ended some days ago: `await made(model, kind=…, days=…)`."""

    async def add(model="stable_diffusion", *, kind="image", days=0, things=100):
        one = Made(
            kind=kind,
            model=model,
            ended_at=now() - timedelta(days=days),
            things=things,
            requester_id=0,
            owner_id=0,
        )
        async with server.database.writing() as session:
            await rollup.add(session, [one])

    return add


async def get(server, path):
    answer = await server.get(path)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_nothing_was_made_yet(server):
    nothing = {"images": 0, "ps": 0}
    assert await get(server, "/stats/img/totals") == dict.fromkeys(PERIODS, nothing)
    nothing = {"requests": 0, "tokens": 0}
    assert await get(server, "/stats/text/totals") == dict.fromkeys(PERIODS, nothing)
    assert await get(server, "/stats/img/models") == {"day": {}, "month": {}, "total": {}}
    assert await get(server, "/stats/text/models") == {"day": {}, "month": {}, "total": {}}


async def test_a_picture_is_in_all_periods(server):
    shop = await serving.open_shop(server)
    await shop.ask()
    await shop.deliver(await shop.pop())
    of_picture = {"images": 1, "ps": 64 * 64}
    told = await get(server, "/stats/img/totals")
    assert (told["minute"], told["total"]) == (of_picture, {"images": 0, "ps": 0})
    async with server.database.writing() as session:
        await steps.count(session, server.horde, now())
    assert await get(server, "/stats/img/totals") == dict.fromkeys(PERIODS, of_picture)
    models = await get(server, "/stats/img/models?model_state=all")
    assert models == {key: {shop.name: 1} for key in ("day", "month", "total")}


async def test_texts_are_counted_in_tokens(server, made):
    await made("a writer", kind="text", days=3, things=2**40)
    told = await get(server, "/stats/text/totals")
    assert told["day"] == {"requests": 0, "tokens": 0}
    assert told["month"] == told["total"] == {"requests": 1, "tokens": 2**40}
    assert (await get(server, "/stats/img/totals"))["total"]["images"] == 0
    models = await get(server, "/stats/text/models")
    assert models == {"day": {}, "month": {"a writer": 1}, "total": {"a writer": 1}}


async def test_models_of_the_reference_unless_others_are_asked_for(server, made):
    await made("Deliberate")
    await made("my own", days=40)

    async def total(query):
        return (await get(server, f"/stats/img/models{query}"))["total"]

    assert await total("") == await total("?model_state=known") == {"Deliberate": 1}
    assert await total("?model_state=custom") == {"my own": 1}
    assert await total("?model_state=all") == {"Deliberate": 1, "my own": 1}


@pytest.mark.parametrize("path", ["/stats/img/models", "/status/models"])
async def test_another_state_of_models(server, path):
    answer = await server.get(f"{path}?model_state=secret")
    assert (answer.status_code, answer.json()["rc"]) == (400, "BadRequest")
