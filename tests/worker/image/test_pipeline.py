"""The diffusers renderer on a pipeline of random weights: every path that a trained one takes."""

import io
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from PIL import Image

import tiny_esrgan
from worker import models, pictures, upscaler
from worker.image.order import Checkpoint, PictureOrder, Source
from worker.image.samplers import SAMPLERS
from worker.post_processing import REMOVER
from worker.renderer import CannotLoad, CannotRender

# The libraries' talk among developers; the engine process does not show it either.
pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture(scope="session")
def checkpoint(tiny_model):
    return models.inspect("tiny", tiny_model)


@pytest.fixture(scope="session")
def renderer(checkpoint, one_thread):
    from worker.image.pipeline import DiffusersRenderer

    renderer = DiffusersRenderer(device="cpu")
    renderer.load(checkpoint)
    return renderer


@pytest.fixture
def order(checkpoint):
    return PictureOrder(
        checkpoint=checkpoint,
        prompt="a red fox",
        negative="blurry",
        width=128,
        height=128,
        steps=3,
        cfg_scale=5.0,
        sampler="k_euler",
        karras=False,
        seeds=(1,),
    )


@pytest.fixture
def make(renderer, order):
    """Render an order with some changes; gives its pictures as arrays."""

    def render(**changes):
        rendered = renderer.render(replace(order, **changes), lambda *_: None)
        return [array(picture) for picture in rendered.pictures]

    return render


def array(picture):
    pixels = np.frombuffer(picture.rgb, np.uint8)
    return pixels.reshape(picture.height, picture.width, 3).astype(int)


def png(pixels):
    out = io.BytesIO()
    Image.fromarray(np.asarray(pixels, np.uint8)).save(out, "PNG")
    return out.getvalue()


def differ(one, other):
    return bool((one != other).any())


def test_the_model_is_recognised(checkpoint):
    assert (checkpoint.native, checkpoint.multiple) == (128, 32)


@pytest.mark.parametrize("karras", [False, True], ids=["plain", "karras"])
@pytest.mark.parametrize("sampler", SAMPLERS)
def test_every_sampler_depends_on_the_seed_alone(make, sampler, karras):
    together = make(sampler=sampler, karras=karras, seeds=(1, 2))
    [alone] = make(sampler=sampler, karras=karras, seeds=(2,))
    assert together[0].std() > 1
    assert differ(*together)
    assert not differ(together[1], alone)


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_every_sampler_takes_one_step_and_many(make, sampler):
    for steps in (1, 2, 51):
        [picture] = make(sampler=sampler, steps=steps, karras=True)
        assert picture.std() > 1


def test_karras_changes_what_can_follow_it(make):
    for name, sampler in SAMPLERS.items():
        [plain], [karras] = make(sampler=name), make(sampler=name, karras=True)
        assert differ(plain, karras) == sampler.karras, name


def test_steps_are_counted_over_all_pictures_and_passes(renderer, order):
    def steps(**changes):
        seen = []
        renderer.render(replace(order, **changes), lambda *step: seen.append(step[:2]))
        assert all(one <= other for one, other in pairwise(seen))
        return seen[-1]

    assert steps() == (3, 3)
    assert steps(seeds=(1, 2)) == (6, 6)
    assert steps(sampler="k_heun") == (3, 3)
    assert steps(width=256, height=256, hires_strength=0.7) == (6, 6)


@pytest.mark.parametrize(
    "change",
    [
        {"prompt": "a blue car"},
        {"prompt": "a (red:1.5) fox"},
        {"negative": "grey"},
        {"cfg_scale": 9.0},
        {"cfg_scale": 1.0},
        {"clip_skip": 2},
        {"steps": 4},
        {"tiling": True},
        {"seeds": (3,)},
    ],
    ids=lambda change: next(iter(change)),
)
def test_every_parameter_counts(make, change):
    assert differ(*make(), *make(**change))


def test_tiling_is_over_with_its_order(renderer, make):
    from torch.nn import Conv2d

    make(tiling=True)
    pipe = renderer.model.from_text
    modules = [*pipe.unet.modules(), *pipe.vae.modules()]
    assert {one.padding_mode for one in modules if isinstance(one, Conv2d)} == {"zeros"}


@pytest.mark.parametrize(
    ("wanted", "made"),
    [((512, 512), "128x128"), ((64, 64), "128x128"), ((1024, 512), "160x96")],
)
def test_other_sizes_are_scaled_and_say_so(renderer, order, wanted, made):
    width, height = wanted
    rendered = renderer.render(replace(order, width=width, height=height), lambda *_: None)
    [picture] = rendered.pictures
    assert (picture.width, picture.height) == wanted
    assert len(picture.rgb) == width * height * 3
    assert f"made at {made}, scaled to {width}x{height}" in rendered.notes[0].ref


def test_what_is_done_as_asked_has_no_notes(renderer, order):
    assert renderer.render(order, lambda *_: None).notes == ()


def test_adaptations_are_noted(renderer, order):
    rendered = renderer.render(
        replace(order, sampler="k_dpm_fast", clip_skip=12, prompt="a" * 200), lambda *_: None
    )
    refs = " / ".join(note.ref for note in rendered.notes)
    assert "k_dpm_fast is DPM-Solver++ 3S" in refs
    assert "clip_skip is 3" in refs
    assert "up to its token 140" in refs


def test_a_long_prompt_counts_beyond_the_encoders_length(make):
    long = "a red fox, and a blue car, and a green tree"
    assert differ(*make(prompt=long), *make(prompt=long[:-1] + "s"))


def test_hires_fix_refines_a_larger_picture(make):
    [plain], [hires] = (make(width=256, height=256, hires_strength=s) for s in (None, 0.7))
    assert plain.shape == hires.shape == (256, 256, 3)
    assert differ(plain, hires)
    assert not differ(*make(hires_strength=0.7), *make())  # nothing to gain at the native size


def gradient(size=128):
    ramp = np.linspace(0, 255, size)
    return np.stack([np.tile(ramp, (size, 1)), np.tile(ramp[:, None], (1, size))] * 2, -1)[..., :3]


def test_img2img_goes_from_the_source_to_the_prompt_with_its_strength(make):
    source = Source(png(gradient()))
    little, more, all_of_it = (
        make(source=source, strength=strength, steps=10)[0] for strength in (0.05, 0.5, 1.0)
    )
    assert differ(little, more)
    assert differ(more, all_of_it)
    together = make(source=source, strength=0.5, steps=10, seeds=(5, 1))
    assert not differ(together[1], more)


def test_img2img_takes_any_size_and_gives_the_wanted_one(make):
    source = Source(png(gradient(100)))
    assert make(source=source, strength=0.5, width=320, height=192)[0].shape == (192, 320, 3)


def half_mask():
    mask = np.zeros((128, 128), np.uint8)
    mask[:, 64:] = 255
    return mask


@pytest.mark.parametrize("how", ["mask", "transparency"])
def test_inpainting_keeps_what_is_not_to_be_painted(make, how):
    original = gradient().astype(np.uint8)
    if how == "mask":
        source = Source(png(original), png(half_mask()), painting=True)
    else:
        source = Source(png(np.dstack([original, 255 - half_mask()])), painting=True)
    [picture] = make(source=source, steps=6)
    assert not differ(picture[:, :50], original[:, :50])
    assert differ(picture[:, 80:], original[:, 80:])


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_inpainting_works_with_every_sampler(make, sampler):
    source = Source(png(gradient()), png(half_mask()), painting=True)
    [picture] = make(source=source, sampler=sampler, strength=0.7, steps=4)
    assert picture[:, 80:].std() > 1


@pytest.mark.parametrize("strength", [0.3, 1.0])
def test_a_mask_counts_for_img2img_too(make, strength):
    original = gradient().astype(np.uint8)
    source = Source(png(original), png(half_mask()))
    [picture] = make(source=source, steps=6, strength=strength)
    assert not differ(picture[:, :50], original[:, :50])
    assert differ(picture[:, 80:], original[:, 80:])


@pytest.mark.parametrize("outwards", [True, False], ids=["outpainting", "inpainting"])
def test_a_source_with_nothing_to_paint_gives_the_obvious_and_says_so(renderer, order, outwards):
    original = gradient().astype(np.uint8)
    source = Source(png(original), painting=True, outwards=outwards)
    rendered = renderer.render(replace(order, source=source, steps=6), lambda *_: None)
    [picture] = map(array, rendered.pictures)
    assert differ(picture, original) == outwards
    [note] = rendered.notes
    assert note.ref.endswith("all of it is redrawn" if outwards else "it stays as it is")


@pytest.mark.parametrize("shade", [0, 255], ids=["nothing", "everything"])
@pytest.mark.parametrize("painting", [True, False], ids=["inpainting", "img2img"])
def test_a_mask_may_hide_nothing_or_everything(make, shade, painting):
    original = gradient().astype(np.uint8)
    mask = png(np.full((128, 128), shade, np.uint8))
    [picture] = make(source=Source(png(original), mask, painting=painting), steps=4)
    assert differ(picture, original) == (shade == 255)


def test_a_transparent_part_that_the_shape_cuts_off_is_no_fault(make):
    rgba = np.dstack([gradient(192), np.full((192, 192), 255)]).astype(np.uint8)
    rgba[:8, :, 3] = 0
    assert make(source=Source(png(rgba), painting=True), width=192, height=64, steps=2)


def test_what_would_be_enlarged_beyond_what_a_picture_may_have_is_so_large_at_most(
    renderer, order, monkeypatch, tmp_path
):
    tiny_esrgan.save(tmp_path / "RealESRGAN_x4plus.pth")
    upscalers = tuple(upscaler.find([tmp_path]).values())
    monkeypatch.setattr(pictures, "MAX_RESULT_PIXELS", 256 * 200)
    rendered = renderer.render(replace(order, processors=upscalers), lambda *_: None)
    [picture] = rendered.pictures
    assert (picture.width, picture.height) == (224, 224)
    assert "RealESRGAN_x4plus made 224x224" in rendered.notes[0].ref


def test_a_background_is_taken_away_before_or_after_enlarging(
    renderer, order, tmp_path, monkeypatch
):
    tiny_esrgan.save(tmp_path / "RealESRGAN_x4plus.pth")
    upscalers = tuple(upscaler.find([tmp_path]).values())
    drawn = Image.new("RGB", (64, 64), "white")
    drawn.paste("red", (20, 20, 44, 44))
    monkeypatch.setattr("worker.image.run.Run.make", lambda self, seeds: [drawn] * len(seeds))
    for processors in ((REMOVER, *upscalers), (*upscalers, REMOVER)):
        wanted = replace(order, width=64, height=64, processors=processors)
        [picture] = renderer.render(wanted, lambda *_: None).pictures
        webp = Image.open(io.BytesIO(pictures.to_webp(picture)))
        assert (webp.mode, webp.size) == ("RGBA", (256, 256))
        assert (webp.getpixel((8, 8))[3], webp.getpixel((128, 128))[3]) == (0, 255)


def test_a_background_that_is_not_plain_stays_and_is_noted(renderer, order, monkeypatch):
    noise = np.random.default_rng(0).integers(0, 255, (64, 64, 3), np.uint8)
    monkeypatch.setattr(
        "worker.image.run.Run.make", lambda self, seeds: [Image.fromarray(noise)] * len(seeds)
    )
    wanted = replace(order, width=64, height=64, processors=(REMOVER,), seeds=(1, 2))
    rendered = renderer.render(wanted, lambda *_: None)
    assert [one.alpha for one in rendered.pictures] == [None, None]
    refs = [one.ref for one in rendered.notes]
    assert refs.count("nothing was taken away: the background is not plain") == 1


def test_a_source_that_is_no_picture_is_refused(make):
    with pytest.raises(CannotRender, match="source_image"):
        make(source=Source(b"no picture"))


def test_too_little_memory_halves_the_batch(renderer, order, monkeypatch):
    import torch

    from worker.image.run import Run

    tried = []
    real = Run._call

    def short_of_memory(run, pipe, generators, *rest, **kwargs):
        tried.append(len(generators))
        if len(generators) > 1:
            run.steps.begin()
            raise torch.OutOfMemoryError
        return real(run, pipe, generators, *rest, **kwargs)

    monkeypatch.setattr(Run, "_call", short_of_memory)
    monkeypatch.setattr(renderer, "device", "gpu")
    changed, steps = replace(order, seeds=(1, 2, 3, 4)), []
    made = renderer.render(changed, lambda *step: steps.append(step[:2])).pictures
    assert len(made) == 4
    assert tried == [4, 2, 1, 1, 1, 1]
    assert [step for step, _ in steps] == list(range(1, 13))
    assert {of for _, of in steps} == {12}


def test_pictures_made_together_are_those_made_alone_but_for_rounding(renderer, make, monkeypatch):
    one_by_one = make(seeds=(1, 2, 3))
    monkeypatch.setattr(renderer, "device", "gpu")
    for alone, together in zip(one_by_one, make(seeds=(1, 2, 3)), strict=True):
        assert abs(alone - together).max() <= 2


def test_numbers_out_of_range_are_no_picture(renderer, make, monkeypatch):
    import torch

    vae = renderer.model.from_text.vae
    monkeypatch.setattr(vae, "decode", lambda latents, **_: (torch.full((1, 3, 8, 8), torch.nan),))
    with pytest.raises(CannotRender, match="out of range"):
        make()


def test_a_broken_model_does_not_load(renderer, checkpoint, order, tmp_path):
    with pytest.raises(CannotLoad):
        renderer.load(Checkpoint("broken", tmp_path, 128, 32))
    with pytest.raises(CannotRender, match="not loaded"):
        renderer.render(order, lambda *_: None)
    renderer.load(checkpoint)
    assert renderer.render(order, lambda *_: None).pictures
