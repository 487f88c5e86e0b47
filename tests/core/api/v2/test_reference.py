import asyncio

import pytest

import serving
from core.catalog import models, reference
from outsiders import answer, outsider

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_another_horde_can_follow_what_this_one_knows(site):
    answer = await site.get("/catalog/models")
    assert answer.status_code == 200
    assert answer.json().keys() == {"version", "image", "text"}
    assert reference.parse(answer.content) == models.current()
    shipped = next(m for m in answer.json()["image"] if m["name"] == "horde-tiny")
    assert shipped["type"] == "diffusers"
    assert shipped["requirements"] == {"min_steps": 8, "max_steps": 40}


async def test_a_newer_reference_is_what_is_told(site, request):
    request.addfinalizer(lambda: models.use(None))
    newer = b'{"version": 1, "image": [{"name": "fox", "baseline": "flux_1"}], "text": []}'
    models.use(reference.over_shipped(reference.parse(newer)))
    told = (await site.get("/catalog/models")).json()
    assert "fox" in {model["name"] for model in told["image"]}


async def test_a_server_fetches_what_it_is_told_to_and_its_next_start_knows_it(
    databases, tmp_path, request
):
    request.addfinalizer(lambda: models.use(None))
    newer = b'{"version": 1, "image": [{"name": "fox", "baseline": "flux_1"}], "text": []}'
    async with outsider(answer(body=newer)) as other:
        with databases.fresh("sqlite") as url:
            settings = {"model_reference_url": other.url(), "outside_allowed": ["localhost"]}
            async with serving.in_process(url, tmp_path, upkeep="on", **settings):
                await other.heard.wait()
                async with asyncio.timeout(10):
                    while "fox" not in models.known():  # noqa: ASYNC110 - nobody is told
                        await asyncio.sleep(0.01)
            models.use(None)
            async with serving.in_process(url, tmp_path, upkeep="off", **settings):
                assert "fox" in models.known()
    assert len(other.calls) == 1
