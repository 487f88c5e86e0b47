"""Models are seen at work before they are offered, and previews of what they make."""

import io
import shutil
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

import tiny_adaptations
from worker import models, pictures
from worker.image.order import Adaptation
from worker.renderer import BrokenResult, CannotLoad, CannotRender, Stopped

pytestmark = pytest.mark.filterwarnings("ignore")

DECODER = "vae/diffusion_pytorch_model.safetensors"
DENOISER = "unet/diffusion_pytorch_model.safetensors"


@pytest.fixture
def altered(tiny_model, tmp_path):
    """A copy of the tiny model, with some of its tensors changed."""

    def alter(part, change, words):
        from safetensors.torch import load_file, save_file

        folder = tmp_path / "altered"
        shutil.copytree(tiny_model, folder)
        tensors = load_file(folder / part)
        changed = [name for name in tensors if words in name]
        assert changed
        save_file(
            {
                name: change(tensor) if name in changed else tensor
                for name, tensor in tensors.items()
            },
            folder / part,
        )
        return models.inspect("altered", folder)

    return alter


@pytest.fixture
def renderer(one_thread):
    from worker.image.pipeline import DiffusersRenderer

    return DiffusersRenderer(device="cpu")


@pytest.fixture
def half_first(monkeypatch, one_thread):
    import torch

    from worker.image import pipeline

    monkeypatch.setitem(pipeline.DTYPES, "cpu", (torch.float16, torch.bfloat16, torch.float32))


def dtype(renderer):
    return str(renderer.model.from_text.vae.dtype).removeprefix("torch.")


def order_of(checkpoint, **changes):
    from worker.image.pipeline import trial

    return replace(trial(checkpoint), exact=False, width=128, height=128, steps=3, **changes)


@pytest.mark.parametrize("part", [DECODER, DENOISER])
def test_a_model_whose_numbers_are_none_is_not_loaded(renderer, altered, part):
    broken = altered(part, lambda tensor: tensor * float("nan"), "conv_in.weight")
    with pytest.raises(CannotLoad, match="out of range"):
        renderer.load(broken)
    assert renderer.model is None


def test_a_model_that_makes_nothing_to_be_seen_is_not_loaded(renderer, altered):
    blank = altered(DECODER, lambda tensor: tensor * 0, "decoder.conv_out")
    with pytest.raises(CannotLoad, match="nothing that could be seen"):
        renderer.load(blank)


def test_a_model_too_loud_for_16_bits_is_loaded_with_more(renderer, altered, half_first):
    loud = altered(DECODER, lambda tensor: tensor * 1e6, "decoder.conv_in.weight")
    renderer.load(loud)
    assert dtype(renderer) == "bfloat16"
    [made] = renderer.render(order_of(loud), lambda *_: None).pictures
    assert len(set(made.rgb)) > 1
    renderer.kept.drop_all()
    renderer.load(loud)  # what was learned is not learned again
    assert dtype(renderer) == "bfloat16"


def test_numbers_that_run_out_of_range_later_are_computed_again_with_more(
    renderer, tiny_model, half_first, monkeypatch
):
    from worker.image.run import Run

    checkpoint = models.inspect("tiny", tiny_model)
    renderer.load(checkpoint)
    assert dtype(renderer) == "float16"
    usual = Run.make

    def make(run, seeds):
        if run.model.from_text.dtype.itemsize == 2:
            raise BrokenResult("the model's numbers ran out of range")
        return usual(run, seeds)

    monkeypatch.setattr(Run, "make", make)
    assert renderer.render(order_of(checkpoint), lambda *_: None).pictures
    assert dtype(renderer) == "float32"
    monkeypatch.setattr(Run, "make", lambda *_: (_ for _ in ()).throw(BrokenResult("none")))
    with pytest.raises(BrokenResult):
        renderer.render(order_of(checkpoint), lambda *_: None)
    with pytest.raises(CannotLoad):  # the next order begins with a trial
        renderer.load(checkpoint)


def test_what_more_bits_do_not_help_costs_the_model_none(
    renderer, tiny_model, half_first, tmp_path
):
    model = models.inspect("tiny", tiny_model)
    renderer.load(model)
    tensors = tiny_adaptations.tensors(renderer.model.from_text, form="peft", size=1e18)
    file = tiny_adaptations.save(tmp_path / "loud.safetensors", tensors)
    with pytest.raises(CannotRender, match="brought beside the model"):
        renderer.render(order_of(model, adaptations=(Adaptation("loud", file),)), lambda *_: None)
    renderer.load(model)
    assert dtype(renderer) == "float16"


def test_an_order_can_be_left_between_two_steps(renderer, tiny_model):
    checkpoint, steps = models.inspect("tiny", tiny_model), []

    def on_step(step, of, show=None):
        steps.append(step)
        if step == 2:
            raise Stopped("nobody wants it")

    renderer.load(checkpoint)
    with pytest.raises(Stopped):
        renderer.render(order_of(checkpoint), on_step)
    assert steps == [1, 2]
    assert renderer.render(order_of(checkpoint), lambda *_: None).pictures


def seen(renderer, checkpoint, **changes):
    shown = []
    renderer.render(order_of(checkpoint, **changes), lambda _, __, show: shown.append(show()))
    return [one.data for one in shown]


@pytest.mark.parametrize("is_cheap", [True, False])
def test_each_step_can_be_looked_at_in_few_bytes(renderer, tiny_model, is_cheap):
    checkpoint = models.inspect("tiny", tiny_model)
    renderer.load(checkpoint)
    renderer.model.is_cheap = is_cheap
    renderer.render(order_of(checkpoint), lambda *_: None)  # what is learned from
    for preview in seen(renderer, checkpoint):
        assert len(preview) <= 24_000
        with Image.open(io.BytesIO(preview)) as opened:
            assert (opened.format, opened.size) == ("WEBP", (192, 192))


def test_a_preview_of_noise_is_as_small_as_any():
    noise = np.random.default_rng(1).integers(0, 256, (1024, 700, 3), np.uint8)
    preview = pictures.preview(Image.fromarray(noise))
    assert len(preview) <= pictures.MAX_PREVIEW_BYTES
    with Image.open(io.BytesIO(preview)) as opened:
        assert opened.size == (131, 192)


@pytest.fixture(scope="module")
def shipped(one_thread):
    """A renderer that has the shipped model, and has learned how a few of its pictures look."""
    from worker.image.pipeline import DiffusersRenderer
    from worker.settings import SHIPPED

    renderer = DiffusersRenderer(device="cpu")
    renderer.load(models.find("horde-tiny", [SHIPPED]))
    renderer.model.is_cheap = False
    for prompt in ("a red apple on a blue background", "a cat", "a tree on yellow"):
        order = order_of(renderer.model.checkpoint, sampler="k_euler", prompt=prompt)
        renderer.render(replace(order, steps=8), lambda *_: None)
    return renderer


@pytest.mark.parametrize("sampler", ["k_euler", "k_dpmpp_2m", "DDIM"])
@pytest.mark.parametrize(("is_cheap", "near"), [(True, 8), (False, 40)])
def test_the_shipped_models_previews_come_to_look_like_its_pictures(
    shipped, sampler, is_cheap, near
):
    shipped.model.is_cheap = is_cheap
    wanted = order_of(
        shipped.model.checkpoint, sampler=sampler, prompt="a red car on a blue background"
    )
    shown = []
    [made] = shipped.render(
        replace(wanted, steps=10), lambda _, __, show: shown.append(show().data)
    ).pictures
    picture = Image.frombytes("RGB", (made.width, made.height), made.rgb).resize((24, 24))

    def distance(preview):
        small = Image.open(io.BytesIO(preview)).convert("RGB").resize((24, 24))
        return np.abs(np.asarray(small, float) - np.asarray(picture, float)).mean()

    distances = [distance(one) for one in shown]
    assert distances[-1] < near
    assert distances[-1] < distances[0]


def test_the_linear_map_learns_colours(one_thread):
    import torch

    from worker.image.previews import Looks

    generator = torch.Generator().manual_seed(1)
    mixing = torch.randn(4, 3, generator=generator) / 10
    looks = Looks()

    def pair():
        latents = torch.randn(4, 12, 8, generator=generator)
        colours = (latents.flatten(1).T @ mixing + 0.5).clamp(0, 1)
        pixels = (colours * 255).round().byte().reshape(12, 8, 3).numpy()
        return latents, Image.fromarray(pixels).resize((64, 96), Image.Resampling.NEAREST)

    assert looks.picture(pair()[0]) is None
    for _ in range(5):
        looks.learn(*pair())
    latents, image = pair()
    learned = np.asarray(looks.picture(latents), float)
    assert np.abs(learned - np.asarray(image.resize((8, 12), Image.Resampling.BOX))).mean() < 10
