"""The families of models, each as a pipeline of random weights in its true architecture."""

import io
import json
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

import tiny_families
from worker import models
from worker.image.order import Source
from worker.image.samplers import SAMPLERS

# The libraries' talk among developers; the engine process does not show it either.
pytestmark = pytest.mark.filterwarnings("ignore")

BUILD = {
    "sd": tiny_families.sd,
    "sdxl": tiny_families.sdxl,
    "flux": tiny_families.flux,
    "zimage": tiny_families.z_image,
}


@pytest.fixture(scope="module", params=BUILD)
def renderer(request, one_thread, tmp_path_factory):
    """A renderer with a model of one family."""
    from worker.image.pipeline import DiffusersRenderer

    folder = BUILD[request.param](tmp_path_factory.mktemp("models") / request.param)
    renderer = DiffusersRenderer(device="cpu")
    renderer.load(models.inspect(request.param, folder))
    return renderer


@pytest.fixture
def order(renderer):
    return order_of(renderer.model.checkpoint)


def order_of(checkpoint):
    from worker.image.pipeline import trial

    usual = replace(trial(checkpoint), exact=False, width=64, height=64, steps=2)
    return replace(usual, prompt="a red fox", negative="blurry")


@pytest.fixture
def make(renderer, order):
    def render(**changes):
        return arrays(renderer, replace(order, **changes))

    return render


def arrays(renderer, order):
    rendered = renderer.render(order, lambda *_: None)
    return [
        np.frombuffer(one.rgb, np.uint8).reshape(one.height, one.width, 3).astype(int)
        for one in rendered.pictures
    ]


def refs(renderer, order):
    return [note.ref for note in renderer.render(order, lambda *_: None).notes]


def differ(one, other):
    return bool((one != other).any())


def png(pixels):
    out = io.BytesIO()
    Image.fromarray(np.asarray(pixels, np.uint8)).save(out, "PNG")
    return out.getvalue()


def test_a_model_is_recognised_by_its_folder(renderer):
    checkpoint = renderer.model.checkpoint
    assert checkpoint.family == checkpoint.name
    assert (checkpoint.native, checkpoint.multiple) == (64, 16)
    assert checkpoint.megabytes > 0


@pytest.mark.parametrize(
    "change",
    [
        {"prompt": "a blue car"},
        {"prompt": "a red fox " + "and a blue car " * 9},
        {"prompt": "a (red:1.5) fox"},
        {"negative": "grey"},
        {"steps": 3},
        {"tiling": True},
        {"seeds": (3,)},
    ],
    ids=lambda change: next(iter(change)),
)
def test_what_is_asked_for_counts(renderer, order, make, change):
    family = renderer.model.checkpoint.family
    counts = differ(*make(), *make(**change))
    if "negative" in change and family == "flux":
        assert not counts
        assert "the negative prompt does not count with this model" in refs(renderer, order)
    elif "1.5" in change.get("prompt", "") and family == "zimage":
        weighted = replace(order, **change)
        assert "weights in the prompt do not count with this model" in refs(renderer, weighted)
    else:
        assert counts


def test_a_seeds_picture_is_the_same_in_a_batch(make):
    alone = make(seeds=(5,))
    assert not differ(alone[0], make(seeds=(4, 5))[1])


def test_a_picture_becomes_another_by_its_strength(renderer, order, make):
    source = Source(png(np.full((64, 64, 3), (200, 40, 40))))
    weak, strong = (make(source=source, strength=share, steps=8)[0] for share in (0.15, 1.0))
    assert differ(weak, strong)
    assert weak.shape == (64, 64, 3)
    assert "made at" not in str(refs(renderer, replace(order, source=source, strength=0.5)))


def test_the_masked_part_is_painted_and_the_rest_stays(make):
    picture = np.full((64, 64, 3), (30, 160, 60))
    mask = np.zeros((64, 64), np.uint8)
    mask[:, 32:] = 255
    source = Source(png(picture), png(mask), painting=True)
    [painted] = make(source=source, steps=4)
    assert (painted[:, :24] == picture[:, :24]).all()
    assert differ(painted[:, 40:], picture[:, 40:])


def test_hires_fix_makes_it_in_two_passes(make):
    [plain], [hires] = (make(width=128, height=128, hires_strength=s) for s in (None, 0.5))
    assert plain.shape == hires.shape == (128, 128, 3)
    assert differ(plain, hires)


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_every_sampler_draws_or_says_what_does(renderer, order, sampler):
    wanted = replace(order, sampler=sampler, karras=sampler.startswith("k_"), steps=3)
    rendered = renderer.render(wanted, lambda *_: None)
    assert len(set(rendered.pictures[0].rgb)) > 1
    told = [note.ref for note in rendered.notes if note.ref.startswith(f"{sampler} is ")]
    if renderer.model.checkpoint.family in {"flux", "zimage"}:
        assert told == ([] if sampler == "k_euler" else [f"{sampler} is k_euler here"])
    else:
        assert bool(told) == (SAMPLERS[sampler].instead is not None)


def test_steps_can_be_looked_at(renderer, order):
    shown = []
    renderer.render(order, lambda _, __, show: shown.append(show()))
    assert all(one.data[8:12] == b"WEBP" for one in shown)


def as_archives(folder, variant):
    """Store a folder's weights as most downloads had them once."""
    import torch
    from safetensors.torch import load_file

    middle = f".{variant}" if variant else ""
    for path in folder.glob("*/*.safetensors"):
        name = path.name.partition(".")[0].replace("model", "pytorch_model")
        name = name.replace("diffusion_pytorch_pytorch_model", "diffusion_pytorch_model")
        torch.save(load_file(path), path.with_name(f"{name}{middle}.bin"))
        path.unlink()


@pytest.mark.parametrize("is_safe", [True, False])
@pytest.mark.parametrize("variant", [None, "fp16"])
@pytest.mark.parametrize("build", [tiny_families.sd, tiny_families.sdxl])
def test_folders_of_one_variant_or_the_older_format_are_loaded(
    one_thread, tmp_path, build, variant, is_safe
):
    from worker.image.pipeline import DiffusersRenderer

    folder = build(tmp_path / "tiny", **({"variant": variant} if variant and is_safe else {}))
    if not is_safe:
        as_archives(folder, variant)
    checkpoint = models.inspect("tiny", folder)
    assert (checkpoint.variant, checkpoint.is_safe) == (variant, is_safe)
    renderer = DiffusersRenderer(device="cpu")
    renderer.load(checkpoint)
    assert arrays(renderer, order_of(checkpoint))


def test_stable_diffusion_2_predicts_velocity(one_thread, tmp_path):
    from worker.image.pipeline import DiffusersRenderer

    made = []
    for prediction in ("epsilon", "v_prediction"):
        folder = tiny_families.sd(tmp_path / prediction, prediction=prediction)
        renderer = DiffusersRenderer(device="cpu")
        renderer.load(models.inspect("tiny", folder))
        made += arrays(renderer, order_of(renderer.model.checkpoint))
    assert differ(*made)


def test_a_flux_without_guidance_takes_fewer_tokens(one_thread, tmp_path):
    from worker.image.pipeline import DiffusersRenderer

    folder = tiny_families.flux(tmp_path / "schnell", guided=False)
    renderer = DiffusersRenderer(device="cpu")
    renderer.load(models.inspect("schnell", folder))
    order = replace(order_of(renderer.model.checkpoint), prompt="x" * 300)
    assert "the prompt counts up to its token 255" in refs(renderer, order)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda folder: (folder / "vae" / "config.json").unlink(), "config.json"),
        (lambda folder: truncate(folder / "text_encoder_2" / "model.safetensors"), "bytes of"),
        (lambda folder: rename(folder, "SomethingElsePipeline"), "does not serve"),
        (lambda folder: (folder / "tokenizer_2" / "tokenizer.json").unlink(), "vocab.json"),
    ],
)
def test_what_is_not_whole_is_not_offered(tmp_path, change, words):
    folder = tiny_families.sdxl(tmp_path / "broken")
    change(folder)
    with pytest.raises(models.NotUsable, match=words):
        models.inspect("broken", folder)


def truncate(path):
    path.write_bytes(path.read_bytes()[:-1])


def rename(folder, kind):
    index = folder / "model_index.json"
    index.write_text(json.dumps(json.loads(index.read_text()) | {"_class_name": kind}))
