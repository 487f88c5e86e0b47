"""How the horde is doing: queues, workers, models."""

from urllib.parse import quote

import pytest

import serving
from core.version import VERSION

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
    await server.ask(models=["nobody/serves it"])
    offered, lost = sorted(await models(server), key=lambda one: one["name"] != shop.name)
    assert offered["name"] == shop.name
    assert (offered["count"], offered["jobs"], offered["type"]) == (2, 2.0, "image")
    assert offered["queued"] == 2 * 10 * 512 * 512
    assert offered["eta"] == round(offered["queued"] / (2 * offered["performance"]))
    assert (lost["name"], lost["count"], lost["eta"]) == ("nobody/serves it", 0, 10000)


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
    await server.ask(models=["nobody/serves it"])
    forget(server)
    encoded = quote("nobody/serves it", safe="")
    (found,) = (await server.get(f"/status/models/{encoded}")).json()
    assert found["name"] == "nobody/serves it"
    assert (await server.get("/status/models/nobody")).json() == []
