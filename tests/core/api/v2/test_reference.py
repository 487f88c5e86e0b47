import asyncio

import pytest

import serving
from core.catalog import models, reference, vocabularies
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


async def test_all_that_is_known_of_one_model_can_be_seen(site):
    tiny = (await site.get("/catalog/models/horde-tiny")).json()
    assert tiny["native"] == 128
    assert tiny["defaults"] == {"width": 512, "height": 512, "steps": 12, "cfg_scale": 4}
    assert "cat" in tiny["vocabulary"]["things"]
    assert tiny["vocabulary"]["words"]["kitten"] == "cat"
    other = (await site.get("/catalog/models/stable_diffusion")).json()
    assert (other["defaults"], other["vocabulary"]) == ({}, None)
    assert (await site.get("/catalog/models/none of these")).status_code == 404


async def test_samples_hold_no_word_that_the_model_does_not_know():
    known = models.image_model("horde-tiny")
    assert known.samples
    assert {prompt: vocabularies.notes(known.name, prompt) for prompt in known.samples} == {
        prompt: [] for prompt in known.samples
    }


async def test_what_a_request_does_not_say_is_as_its_model_wants_it(site):
    def price(models, **params):
        body = {"prompt": "a cat", "params": params, "models": models, "dry_run": True}
        return site.post("/generate/async", body, key="0000000000")

    own = (await price(["horde-tiny"])).json()
    assert own == (await price(["horde-tiny"], steps=12)).json()
    assert own != (await price(["horde-tiny"], steps=30)).json()
    shared = (await price(["horde-tiny", "stable_diffusion"])).json()
    assert shared == (await price(["horde-tiny", "stable_diffusion"], steps=30)).json()


async def test_words_that_the_model_does_not_know_are_a_warning(site):
    body = {"prompt": "a greyhound on a chandelier", "models": ["horde-tiny"]}
    answer = await site.post("/generate/async", body, key="0000000000")
    assert answer.status_code == 202
    told = {each["code"]: each["message"] for each in answer.json()["warnings"]}
    assert told["UnknownWords"] == ("horde-tiny draws dog for greyhound; does not know chandelier.")
