"""Workers of several kinds in one process, over a real socket."""

import asyncio
import contextlib
import dataclasses

import pytest

import pictures
from core.client import HordeClient
from core.client.retries import Retries
from core.client.users import Users
from fake_renderers import BROKEN, STORY, TINY, ThreadEngine
from stub_horde import KEY
from worker import crew as crews
from worker import models
from worker.alchemy.alchemist import ANSWERS
from worker.crew import Crew
from worker.loop import Unwelcome
from worker.offers import image_offer
from worker.served import NoModel
from worker.settings import Settings
from worker.upscaler import STOOD_IN_FOR


@pytest.fixture
def crew(horde, monkeypatch, tmp_path):
    """A crew at work, for `async with`; what it said so far."""
    monkeypatch.setattr(models, "find", lambda *_: TINY)
    monkeypatch.setattr(models, "find_text", lambda *_: STORY)

    @contextlib.asynccontextmanager
    async def start(kinds=None, *, key=KEY, text_models=("story",)):
        settings = Settings(
            url=horde.url,
            name="tester",
            **({"kinds": kinds} if kinds else {}),
            wait_seconds=0.05,
            idle_seconds=0.1,
            data_dir=tmp_path,
            text_models=text_models,
        )
        said, stop = Said(), asyncio.Event()
        async with HordeClient(horde.url, key, retries=Retries(attempts=1)) as client:
            serving = Crew(settings, client, ThreadEngine(), said)
            running = asyncio.create_task(serving.run(stop))
            try:
                yield Running(running, serving), said
            finally:
                stop.set()
                if not running.done():
                    await asyncio.wait_for(running, 30)

    return start


async def test_an_owner_who_is_not_trusted_hears_what_becomes_of_rewards(horde, crew, monkeypatch):
    class Owner:
        trusted = False

    async def me(_):
        return Owner

    monkeypatch.setattr(Users, "me", me)
    monkeypatch.setattr(Said, "end", lambda said, _, outcome: said.append(outcome))
    horde.add()
    async with crew(["image"]) as (_, said):
        await until(horde, lambda: any("in escrow)" in one for one in said))
    assert crews.NOT_TRUSTED in said
    assert any("+10.00 kudos (5.00 of them in escrow)" in one for one in said)


@dataclasses.dataclass
class Running:
    task: asyncio.Task
    crew: Crew


class Said(list):
    def say(self, sentence):
        self.append(sentence)

    def begin(self, batch):
        pass

    def step(self, batch, step, steps):
        pass

    def settled(self, batch, kudos, lost):
        pass

    def end(self, batch, outcome):
        pass


async def until(horde, happened):
    assert await asyncio.to_thread(horde.until, happened, 30)


async def test_all_kinds_are_served_at_once_under_names_of_their_own(horde, crew):
    [picture] = horde.add()
    text = horde.add_text()
    form = horde.add_form("palette", pictures.picture())
    async with crew(["image", "text", "alchemy"]):
        await until(horde, lambda: all(horde.submitted(job) for job in (picture, text, form)))
    assert {body["state"] for body in horde.submits} == {"ok"}
    assert {pop["name"] for pop in horde.pops} == {"tester", "tester text", "tester alchemy"}


async def test_a_kind_that_cannot_be_served_leaves_the_others_alone(horde, crew, monkeypatch):
    def find(*_):
        raise models.NotUsable("not here")

    monkeypatch.setattr(models, "find_text", find)
    [picture] = horde.add()
    async with crew(["text", "image"]) as (_, said):
        await until(horde, lambda: horde.submitted(picture))
    assert any(one.startswith("text is not served: no model") for one in said)


async def test_a_kind_whose_models_are_broken_leaves_the_others_alone(horde, crew, monkeypatch):
    monkeypatch.setattr(models, "find", lambda *_: BROKEN)
    async with crew(["image", "alchemy"]) as (_, said):
        await until(horde, lambda: any(one.startswith("image is not served") for one in said))
        form = horde.add_form("palette", pictures.picture())
        await until(horde, lambda: horde.submitted(form))
    assert horde.submitted(form)["state"] == "ok"


async def test_no_kind_that_can_be_served_is_the_end(crew, monkeypatch):
    def find(*_):
        raise models.NotUsable("not here")

    monkeypatch.setattr(models, "find", find)
    async with crew(["image"]) as (running, _):
        with pytest.raises(NoModel):
            await running.task


async def test_alchemy_is_served_unasked_but_not_alone(horde, crew, monkeypatch):
    [picture], form = horde.add(), horde.add_form("palette", pictures.picture())
    async with crew():
        await until(horde, lambda: all(horde.submitted(job) for job in (picture, form)))

    def find(*_):
        raise models.NotUsable("not here")

    monkeypatch.setattr(models, "find", find)
    async with crew() as (running, _):
        with pytest.raises(NoModel):
            await running.task


async def test_an_unwelcome_crew_ends(crew):
    async with crew(["image", "alchemy"], key="another-key") as (running, _):
        with pytest.raises(Unwelcome):
            await running.task


async def test_post_processing_is_offered_as_far_as_its_weights_are_here(horde, crew, tmp_path):
    async def offers():
        horde.pops.clear()
        async with crew(["image", "alchemy"]):
            await until(
                horde, lambda: {"max_pixels", "forms"} <= {k for p in horde.pops for k in p}
            )
        image = next(pop for pop in horde.pops if "max_pixels" in pop)
        forms = next(pop for pop in horde.pops if "forms" in pop)
        named = [one.removeprefix("post:") for one in image["also"] if one.startswith("post:")]
        assert image["allow_post_processing"] is False
        assert {*forms["forms"], *forms["also"]} == {*ANSWERS, *named}
        assert set(forms["also"]) <= set(STOOD_IN_FOR)
        return set(named)

    assert await offers() == {*STOOD_IN_FOR, "strip_background"}
    (tmp_path / "NMKD_Siax.pth").touch()
    (tmp_path / "RealESRGAN_x4plus.pth").touch()
    assert await offers() == {"NMKD_Siax", *STOOD_IN_FOR, "strip_background"}


async def test_control_types_are_named_as_far_as_they_are_here(horde, crew):
    async with crew(["image"]):
        await until(horde, lambda: horde.pops)
    pop = horde.pops[-1]
    assert pop["allow_controlnet"] is False
    assert "annotator:canny" in pop["also"]
    assert not [one for one in pop["also"] if one.startswith("control:")]


def test_the_offer_of_pictures_has_no_word_of_what_is_not_served():
    offer = image_offer(Settings(name="tester"))
    assert (offer.allow_sdxl_controlnet, offer.allow_lora) == (False, False)


def test_what_the_operator_does_not_want_is_not_offered():
    offer = image_offer(Settings(img2img=False, painting=False, post_processing=False))
    offered = (offer.allow_img2img, offer.allow_painting, offer.allow_post_processing)
    assert offered == (False, False, False)


async def test_settings_and_models_change_while_it_works(horde, crew, monkeypatch):
    async with crew(["image"]) as (running, _):
        await until(horde, lambda: horde.pops)
        assert (horde.pops[0]["models"], horde.pops[0]["nsfw"]) == (["tiny"], True)
        monkeypatch.setattr(models, "find", lambda *_: dataclasses.replace(TINY, name="other"))
        running.crew.change(Settings(url=horde.url, nsfw=False, wait_seconds=0.05))
        await until(horde, lambda: horde.pops[-1]["models"] == ["other"])
        assert horde.pops[-1]["nsfw"] is False
        [job] = horde.add(model="other")
        await until(horde, lambda: horde.submitted(job))
    assert horde.submitted(job)["state"] == "ok"


async def test_models_stay_where_none_of_the_new_ones_is_here(horde, crew, monkeypatch):
    def find(*_):
        raise models.NotUsable("not here")

    async with crew(["image"]) as (running, said):
        await until(horde, lambda: horde.pops)
        monkeypatch.setattr(models, "find", find)
        running.crew.change(Settings(url=horde.url))
        await until(horde, lambda: any(one.startswith("the models stay") for one in said))
        seen = len(horde.pops)
        await until(horde, lambda: len(horde.pops) > seen)
    assert horde.pops[-1]["models"] == ["tiny"]
