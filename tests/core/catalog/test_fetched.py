import json

import pytest
from sqlalchemy import update

from core.catalog import fetched, models, reference
from core.catalog.reference import BadReference
from core.catalog.tables import FetchedReference
from core.db import now

URL = "https://models.example/reference.json"


@pytest.fixture(autouse=True)
def shipped_again():
    yield
    models.use(None)


def content(*names):
    image = [{"name": name, "baseline": "flux_1"} for name in names]
    return json.dumps({"version": 1, "image": image, "text": []}).encode()


async def keep(session, content, url=URL):
    return await fetched.keep(session, content, url=url, at=now())


async def test_every_process_takes_over_what_one_has_kept(session):
    assert await fetched.take_over(session, url=URL, digest=None) is None
    assert await keep(session, content("fox"))
    digest = await fetched.take_over(session, url=URL, digest=None)
    assert models.image_model("fox").baseline == "flux_1"
    assert "horde-tiny" in models.known()
    models.use(None)
    assert await fetched.take_over(session, url=URL, digest=digest) == digest
    assert "fox" not in models.known()  # it was known to be in use: nothing is read again


async def test_a_newer_one_replaces_it(session):
    await keep(session, content("fox"))
    first = await fetched.take_over(session, url=URL, digest=None)
    assert not await keep(session, content("fox"))
    assert await keep(session, content("owl"))
    assert await fetched.take_over(session, url=URL, digest=first) != first
    assert "owl" in models.known()
    assert "fox" not in models.known()


async def test_a_bad_one_replaces_nothing(session):
    await keep(session, content("fox"))
    for bad in (b"", b"<html>", content(), content("a", "a")):
        with pytest.raises(BadReference):
            await keep(session, bad)
    await fetched.take_over(session, url=URL, digest=None)
    assert "fox" in models.known()


async def test_what_another_version_kept_stops_no_start(session):
    await keep(session, content("fox"))
    first = await fetched.take_over(session, url=URL, digest=None)
    await session.execute(update(FetchedReference).values(digest="x", content='{"version": 0}'))
    assert await fetched.take_over(session, url=URL, digest=first) == "x"
    assert models.current() is reference.shipped()


async def test_what_came_from_elsewhere_does_not_count(session):
    await keep(session, content("fox"))
    digest = await fetched.take_over(session, url=URL, digest=None)
    assert await fetched.take_over(session, url="https://other.example/", digest=digest) is None
    assert "fox" not in models.known()
