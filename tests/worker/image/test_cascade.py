"""Stable Cascade: a code first, then a picture; from texts alone."""

from dataclasses import replace
from pathlib import Path

import pytest

import tiny_families
from fake_renderers import TINY
from worker import models
from worker.image.order import Checkpoint

pytestmark = pytest.mark.filterwarnings("ignore")

CASCADE = Checkpoint("cascade", Path("/nowhere"), native=128, multiple=128, family="cascade")


@pytest.fixture(scope="module")
def renderer(one_thread, tmp_path_factory):
    from worker.image.pipeline import DiffusersRenderer

    folder = tiny_families.cascade(tmp_path_factory.mktemp("models") / "cascade")
    checkpoint = models.inspect("cascade", folder)
    renderer = DiffusersRenderer(device="cpu")
    renderer.load(replace(checkpoint, native=128))  # a real one's is out of proportion here
    return renderer


@pytest.fixture
def order(renderer):
    from worker.image.pipeline import trial

    usual = replace(trial(renderer.model.checkpoint), exact=False, width=128, height=128, steps=3)
    return replace(usual, prompt="a red fox", negative="blurry")


@pytest.fixture
def make(renderer, order):
    return lambda **changes: renderer.render(replace(order, **changes), lambda *_: None)


def test_it_is_recognised_by_its_folder(tmp_path):
    checkpoint = models.inspect("cascade", tiny_families.cascade(tmp_path / "cascade"))
    assert (checkpoint.family, checkpoint.native, checkpoint.multiple) == ("cascade", 1024, 128)


@pytest.mark.parametrize(
    "change",
    [
        {"prompt": "a blue car"},
        {"prompt": "a (red:1.6) fox"},
        {"negative": "grey"},
        {"prompt": "a red fox " * 20},
        {"steps": 5},
        {"seeds": (3,)},
    ],
    ids=range(6),
)
def test_what_is_asked_for_counts(make, change):
    assert make().pictures != make(**change).pictures


def test_a_seeds_picture_is_the_same_in_a_batch(make):
    [alone], [_, together] = make(seeds=(5,)).pictures, make(seeds=(4, 5)).pictures
    assert alone == together


def test_steps_are_counted_over_both_models(renderer, order):
    steps = []
    renderer.render(order, lambda step, of, _=None: steps.append((step, of)))
    assert [step for step, _ in steps] == sorted(step for step, _ in steps)
    assert steps[-1] == (3, 3)


def test_it_says_what_draws_and_that_hires_fix_is_for_nothing(make):
    refs = [note.ref for note in make(hires_strength=0.5, width=256, height=256).notes]
    assert "k_euler is the sampler of Stable Cascade here" in refs
    assert any(ref.startswith("hires_fix changes nothing") for ref in refs)


async def test_a_worker_that_has_it_offers_no_pictures_from_pictures(horde, serve):
    async with serve(models={"cascade": CASCADE}) as serving:
        await serving.until(lambda: horde.pops)
        [job] = horde.add(model="cascade", source_image="aGVsbG8=")
        submit = await serving.submitted(job)
    assert not horde.pops[0]["allow_img2img"]
    assert not horde.pops[0]["allow_painting"]
    assert submit["state"] == "faulted"
    assert "cannot start from a picture" in submit["gen_metadata"][-1]["ref"]


async def test_a_worker_without_it_offers_them(horde, serve):
    async with serve(models={"tiny": TINY}) as serving:
        await serving.until(lambda: horde.pops)
    assert horde.pops[0]["allow_img2img"]
