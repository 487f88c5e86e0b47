import pytest

from core.catalog import models, reference

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
