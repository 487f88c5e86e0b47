"""Stable Cascade: a code first, then a picture; from texts, and from pictures as parts of them."""

import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import tiny_adaptations
import tiny_families
from fake_renderers import TINY
from worker import models
from worker.image import sizes
from worker.image.order import Checkpoint, Reference, Word
from worker.renderer import CannotRender

pytestmark = pytest.mark.filterwarnings("ignore")

REMIX = {"source_processing": "remix"}
CASCADE = Checkpoint("cascade", Path("/nowhere"), native=128, multiple=128, family="cascade")


@pytest.fixture(scope="module")
def renderer(one_thread, tmp_path_factory):
    from worker.image.pipeline import DiffusersRenderer

    folder = tiny_families.cascade(tmp_path_factory.mktemp("models") / "cascade", sees=True)
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
    assert not checkpoint.remixes


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


def test_without_guidance_what_is_not_wanted_does_not_count(make):
    plain = make(cfg_scale=1.0).pictures
    assert make(cfg_scale=1.0, negative="grey").pictures == plain != make().pictures


def test_a_seeds_picture_is_the_same_in_a_batch(make):
    [alone], [_, together] = make(seeds=(5,)).pictures, make(seeds=(4, 5)).pictures
    assert alone == together


def test_steps_are_counted_over_both_models(renderer, order):
    steps = []
    renderer.render(order, lambda step, of, _=None: steps.append((step, of)))
    assert [step for step, _ in steps] == sorted(step for step, _ in steps)
    assert steps[-1] == (3, 3)


def test_it_says_what_draws(make):
    refs = [note.ref for note in make().notes]
    assert refs == ["k_euler is the sampler of Stable Cascade here"]


def test_hires_fix_redraws_a_larger_code(renderer, order, make, monkeypatch):
    monkeypatch.setattr(sizes, "SMALL_NATIVE", 0)  # as a real one is not
    large = {"width": 512, "height": 256}
    plain, weak, strong = (make(hires_strength=one, **large) for one in (None, 0.01, 1.0))
    assert len({one.pictures for one in (plain, weak, strong)}) == 3
    refs = [note.ref for note in strong.notes]
    assert not any("hires_fix" in ref or "scaled" in ref for ref in refs)
    assert any("scaled to 512x256" in note.ref for note in plain.notes)
    assert make(hires_strength=1.0, **large).pictures == strong.pictures
    assert make(**large).pictures == plain.pictures
    [_, together] = make(hires_strength=1.0, seeds=(*order.seeds, 1), **large).pictures
    assert make(hires_strength=1.0, seeds=(1,), **large).pictures == (together,)
    steps = []
    wanted = replace(order, hires_strength=0.7, **large)
    renderer.render(wanted, lambda step, of, _=None: steps.append((step, of)))
    assert [step for step, _ in steps] == sorted(step for step, _ in steps)
    assert steps[-1] == (3, 3)


def test_hires_fix_says_where_it_changes_nothing(make):
    [*_, note] = make(hires_strength=0.5).notes
    assert note.ref.startswith("hires_fix changes nothing")


def test_a_learned_word_counts_where_the_prompt_has_it(renderer, make, tmp_path):
    width = renderer.model.from_text.prior_text_encoder.config.hidden_size
    file = tiny_adaptations.save(tmp_path / "w.safetensors", {"x": torch.ones(2, width)})
    plain = make(prompt="embedding:odd").pictures
    assert make(prompt="embedding:odd", words=(Word("odd", file),)).pictures != plain
    assert make(prompt="embedding:odd").pictures == plain


def test_a_reference_beyond_all_numbers_is_its_orders_fault_and_not_the_models(renderer, make):
    loaded = renderer.model
    with pytest.raises(CannotRender, match="brought beside the model"):
        make(references=(Reference(png("red"), 1e300),))
    assert renderer.model is loaded


def png(colour):
    out = io.BytesIO()
    Image.new("RGB", (60, 40), colour).save(out, "PNG")
    return out.getvalue()


def test_pictures_are_parts_of_a_prompt(renderer, make):
    assert renderer.model.checkpoint.remixes
    red, blue = Reference(png("red")), Reference(png("blue"))
    plain, one, other, both, weak, none = (
        make(references=references).pictures
        for references in (
            (),
            (red,),
            (blue,),
            (red, blue),
            (red, replace(blue, strength=0.1)),
            (replace(red, strength=0.0),),
        )
    )
    assert len({plain, one, other, both, weak}) == 5
    assert none == plain
    [note] = [note.ref for note in make(references=(red, blue)).notes if "remixed" in note.ref]
    assert note == "remixed from 2 pictures"


def test_a_remix_is_the_same_in_a_batch(renderer, order, monkeypatch):
    wanted = replace(order, references=(Reference(png("red")), Reference(png("blue"))))
    [alone] = renderer.render(replace(wanted, seeds=(5,)), lambda *_: None).pictures
    monkeypatch.setattr(renderer, "_at_once", lambda order, _: len(order.seeds))  # as on a GPU
    _, together = renderer.render(replace(wanted, seeds=(4, 5)), lambda *_: None).pictures
    levels = [np.frombuffer(one.rgb, np.uint8).astype(int) for one in (alone, together)]
    assert np.abs(levels[0] - levels[1]).max() <= 1  # kernels round otherwise for two


def test_a_reference_that_cannot_be_read_is_said(make):
    with pytest.raises(CannotRender, match="source_image"):
        make(references=(Reference(b"nothing"),))


async def test_a_worker_that_can_remix_says_so_and_gets_all_pictures(horde, serve):
    seeing = replace(CASCADE, remixes=True)
    horde.pictures |= {"one": png("red"), "two": png("blue")}
    places = [f"{horde.url}/pictures/{name}" for name in ("one", "two", "nothing")]
    extras = [{"image": place, "strength": 0.5} for place in places[1:]]
    async with serve(models={"cascade": seeing}) as serving:
        await serving.until(lambda: horde.pops)
        [job] = horde.add(
            model="cascade", source_image=places[0], extra_source_images=extras, **REMIX
        )
        submit = await serving.submitted(job)
        [lost] = horde.add(model="cascade", source_image=places[2], **REMIX)
        faulted = await serving.submitted(lost)
    assert {"remix", "extra_source_images"} <= set(horde.pops[0]["also"])
    assert not horde.pops[0]["allow_img2img"]
    assert submit["state"] == "ok"
    told = [(note["type"], note["value"], note["ref"]) for note in submit["gen_metadata"]]
    assert ("extra_source_images", "download_failed", "1") in told
    assert faulted["state"] == "faulted"
    assert faulted["gen_metadata"][0]["type"] == "source_image"


async def test_a_worker_that_has_it_offers_no_pictures_from_pictures(horde, serve):
    async with serve(models={"cascade": CASCADE}) as serving:
        await serving.until(lambda: horde.pops)
        [job] = horde.add(model="cascade", source_image="aGVsbG8=")
        submit = await serving.submitted(job)
    assert not horde.pops[0]["allow_img2img"]
    assert not horde.pops[0]["allow_painting"]
    assert "remix" not in horde.pops[0]["also"]
    assert submit["state"] == "faulted"
    assert "cannot start from a picture" in submit["gen_metadata"][-1]["ref"]


async def test_a_worker_without_it_offers_them(horde, serve):
    async with serve(models={"tiny": TINY}) as serving:
        await serving.until(lambda: horde.pops)
    assert horde.pops[0]["allow_img2img"]
