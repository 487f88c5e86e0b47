"""How the horde is doing: queues, workers, models."""

from urllib.parse import quote

import pytest
from sqlalchemy import update

import pictures
import serving
from core.queue import pace
from core.version import VERSION
from core.workers.tables import WorkerRow

SMALL = serving.SMALL


@pytest.fixture
async def shop(server):
    return await serving.open_shop(server)


def forget(server):
    """Let what is kept for a moment be read anew."""
    server.horde.online.forget()
    server.horde.counts.read_at = float("-inf")


async def models(server, query=""):
    forget(server)
    return (await server.get(f"/status/models{query}")).json()


async def test_a_heartbeat(server):
    told = (await server.get("/status/heartbeat")).json()
    assert told == {
        "message": "OK",
        "version": VERSION,
        "queue": 0,
        "threads": 1,
        "active_count": 1,
        "db_connection": True,
    }


async def test_a_heartbeat_without_a_database(server, monkeypatch):
    def broken():
        raise OSError("the database is away")

    monkeypatch.setattr(server.database, "reading", broken)
    answer = await server.get("/status/heartbeat")
    assert answer.status_code == 200
    assert (answer.json()["message"], answer.json()["db_connection"]) == ("DOWN", False)


async def test_queues_and_workers_are_counted(server, shop):
    nothing = (await server.get("/status/performance")).json()
    assert set(nothing.values()) == {0}
    assert isinstance(nothing["queued_megapixelsteps"], float)
    await shop.pop(threads=3)
    await shop.ask(params={"width": 512, "height": 512, "steps": 10, "n": 3})
    await shop.pop()
    forget(server)
    told = (await server.get("/status/performance")).json()
    assert (told["worker_count"], told["thread_count"], told["text_worker_count"]) == (1, 1, 0)
    assert told["queued_requests"] == 3
    assert told["queued_megapixelsteps"] == pytest.approx(3 * 10 * 512 * 512 / 1e6, abs=0.01)
    assert (told["queued_text_requests"], told["queued_tokens"]) == (0, 0.0)


async def test_models_that_are_offered_and_asked_for(server, shop):
    assert await models(server) == []
    await shop.pop(threads=2)
    await shop.ask(params={"width": 512, "height": 512, "steps": 10, "n": 2})
    await server.ask(models=["Deliberate"])
    offered, lost = sorted(await models(server), key=lambda one: one["name"] != shop.name)
    assert offered["name"] == shop.name
    assert (offered["count"], offered["jobs"], offered["type"]) == (2, 2.0, "image")
    assert offered["queued"] == 2 * 10 * 512 * 512
    each = pace.usual("image").seconds(1, 10 * 512 * 512)
    assert offered["eta"] == round(2 * each / 2)
    assert offered["performance"] == 1_000_000.0
    assert (lost["name"], lost["count"], lost["eta"]) == ("Deliberate", 0, 10000)
    assert lost["performance"] == 0.0


async def test_nobody_writes_into_the_list_of_models_by_a_request(server, shop):
    advert = "<b>buy pills at example.com</b>"
    await server.ask(models=[advert, shop.name])
    written = ["tales::" + advert, "example.com/chronos-70b-v2", "elinas/chronos-70b-v2"]
    wanted = {"prompt": "once", "models": written, "params": {"max_length": 80}}
    asked = await server.post("/generate/text/async", wanted, key=serving.ANONYMOUS)
    assert asked.status_code == 202, asked.text
    for state in ("all", "known", "custom"):
        assert await models(server, f"?model_state={state}") == []
    assert (await server.get(f"/status/models/{quote(advert, safe='')}")).json() == []
    (one,) = await models(server, "?type=text")
    assert one["name"] == "elinas/chronos-70b-v2"
    await shop.pop(models=["horde-tiny"])
    assert [one["name"] for one in await models(server)] == ["horde-tiny"]
    popped = await shop.pop()
    assert popped["model"] == shop.name
    assert shop.name in [one["name"] for one in await models(server)]


async def test_the_speed_of_models_is_told_with_one_decimal(server, shop):
    await shop.ask()
    await shop.deliver(await shop.pop())
    (one,) = await models(server)
    assert one["performance"] > 0
    assert one["performance"] == round(one["performance"], 1)


async def test_models_are_chosen_by_query(server, shop):
    await shop.pop(models=[shop.name, "Deliberate"], threads=2)

    async def names(query):
        return [model["name"] for model in await models(server, f"?{query}")]

    assert await names("model_state=known") == ["Deliberate"]
    assert await names("model_state=custom") == [shop.name]
    assert await names("type=text") == []
    assert await names("min_count=3") == []
    assert await names("max_count=1") == []
    assert len(await names("min_count=2&max_count=2&model_state=all&type=image")) == 2


async def test_one_model_by_its_encoded_name(server):
    shop = await serving.open_shop(server)
    await shop.pop(models=["a worker/serves it"])
    forget(server)
    encoded = quote("a worker/serves it", safe="")
    (found,) = (await server.get(f"/status/models/{encoded}")).json()
    assert found["name"] == "a worker/serves it"
    assert (await server.get("/status/models/nobody")).json() == []


async def performance(server):
    forget(server)
    return (await server.get("/status/performance")).json()


async def test_texts_and_forms_wait_and_are_made_in_their_own_units(server):
    owner = await server.user("Writer", kudos=1000)
    wanted = {"prompt": "once upon a time", "models": ["tales"], "params": {"max_length": 80}}
    for _ in range(2):
        asked = await server.post("/generate/text/async", wanted, key=owner.key)
        assert asked.status_code == 202, asked.text
    forms = {"forms": [{"name": "caption"}, {"name": "nsfw"}], "source_image": pictures.SOURCE}
    asked = await server.post("/interrogate/async", forms, key=owner.key)
    assert asked.status_code == 202, asked.text
    waiting = await performance(server)
    assert (waiting["queued_text_requests"], waiting["queued_tokens"]) == (2, 160.0)
    assert waiting["queued_forms"] == 2.0
    assert waiting["queued_requests"] == waiting["text_worker_count"] == 0
    offer = {"name": "a writer", "models": ["tales"], "threads": 2, "max_length": 80}
    popped = await server.post("/generate/text/pop", offer, key=owner.key)
    said = {"id": popped.json()["id"], "generation": "there was a fox"}
    assert (await server.post("/generate/text/submit", said, key=owner.key)).status_code == 200
    alchemist = {"name": "an alchemist", "forms": ["caption"], "threads": 3}
    assert (await server.post("/interrogate/pop", alchemist, key=owner.key)).status_code == 200
    told = await performance(server)
    assert (told["queued_text_requests"], told["queued_tokens"]) == (1, 80.0)
    assert told["past_minute_tokens"] == 20.0  # a text so short counts as 20
    assert (told["text_worker_count"], told["text_thread_count"]) == (1, 2)
    assert (told["interrogator_count"], told["interrogator_thread_count"]) == (1, 3)
    assert told["queued_forms"] == 2.0  # one of them is being looked at
    assert told["past_minute_megapixelsteps"] == 0.0


async def test_jobs_of_the_lane_for_the_rest_are_counted_by_what_they_are(app_on):
    """Where there are too many lanes, one takes requests of all kinds."""
    async with app_on(max_lanes=1) as server:
        await server.ask()
        await server.ask(models=["another"], params={**SMALL, "n": 2})
        wanted = {"prompt": "once upon a time", "models": ["tales"], "params": {"max_length": 80}}
        asked = await server.post("/generate/text/async", wanted, key=serving.ANONYMOUS)
        assert asked.status_code == 202, asked.text
        told = await performance(server)
        assert (told["queued_requests"], told["queued_text_requests"]) == (3, 1)
        assert told["queued_tokens"] == 80.0


async def test_what_a_paused_worker_made_is_in_no_number(server, shop):
    """Its decoys look delivered to it; nothing was made."""
    await shop.ask()
    await shop.pop()
    async with server.database.writing() as session:
        await session.execute(update(WorkerRow).values(paused=True))
    await server.ask(models=[shop.name])
    decoy = await shop.pop()
    assert decoy["id"]
    await shop.deliver(decoy)
    made = (await server.get("/stats/img/totals")).json()["minute"]
    assert made == {"images": 0, "ps": 0}
    assert (await performance(server))["past_minute_megapixelsteps"] == 0.0


async def test_models_of_texts(server):
    owner = await server.user("Writer", kudos=1000)
    known = "elinas/chronos-70b-v2"
    offer = {"name": "a writer", "models": [known, "tales"], "threads": 2, "max_length": 80}
    assert (await server.post("/generate/text/pop", offer, key=owner.key)).status_code == 200
    wanted = {"prompt": "once upon a time", "models": ["tales"], "params": {"max_length": 80}}
    asked = await server.post("/generate/text/async", wanted, key=owner.key)
    assert asked.status_code == 202, asked.text
    listed = {one["name"]: one for one in await models(server, "?type=text")}
    assert listed.keys() == {known, "tales"}
    assert listed["tales"]["type"] == "text"
    assert (listed["tales"]["count"], listed["tales"]["jobs"]) == (2, 1.0)
    assert (listed["tales"]["queued"], listed["tales"]["performance"]) == (80.0, 1.0)
    (one,) = await models(server, "?type=text&model_state=known")
    assert one["name"] == known
    (one,) = await models(server, "?type=text&model_state=custom")
    assert one["name"] == "tales"
    encoded = quote(known, safe="")
    (found,) = (await server.get(f"/status/models/{encoded}")).json()
    assert (found["name"], found["type"]) == (known, "text")
    assert await models(server) == []


@pytest.mark.parametrize("query", ["type=forms", "min_count=some", "max_count=-1"])
async def test_queries_that_mean_nothing(server, query):
    answer = await server.get(f"/status/models?{query}")
    assert (answer.status_code, answer.json()["rc"]) == (400, "BadRequest")
