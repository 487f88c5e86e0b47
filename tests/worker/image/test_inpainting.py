"""Models that were made for inpainting see what is to stay; all else is as with other models."""

import io
import json
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

import tiny_families
from worker import models
from worker.image import control
from worker.image.order import Control, Source
from worker.models import NotUsable

pytestmark = [
    pytest.mark.timeout(400),  # torch is imported, on cores that others share
    pytest.mark.filterwarnings("ignore"),  # the libraries' talk among developers
]

BUILD = {
    "StableDiffusionInpaintPipeline": tiny_families.sd,
    "StableDiffusionXLInpaintPipeline": tiny_families.sdxl,
}
SIDE = 64


def folder_of(kind, folder):
    """A model for inpainting, as its makers share it."""
    BUILD[kind](folder, channels=9)
    index = folder / "model_index.json"
    told = json.loads(index.read_bytes()) | {"_class_name": kind}
    index.write_text(json.dumps(told))
    return folder


@pytest.fixture(scope="module", params=BUILD)
def renderer(request, one_thread, tmp_path_factory):
    from worker.image.pipeline import DiffusersRenderer

    folder = folder_of(request.param, tmp_path_factory.mktemp("models") / "paints")
    renderer = DiffusersRenderer(device="cpu")
    renderer.load(models.inspect("paints", folder))
    return renderer


@pytest.fixture
def rendered(renderer):
    from worker.image.pipeline import trial

    usual = replace(trial(renderer.model.checkpoint), exact=False, width=SIDE, height=SIDE, steps=3)
    return lambda **changes: renderer.render(replace(usual, **changes), lambda *_: None)


@pytest.fixture
def seen(renderer):
    """What the denoiser is called with, and what its first layer then gets."""
    first, got = renderer.model.from_text.unet.conv_in, []
    hook = first.register_forward_pre_hook(lambda _, given: got.append(given[0].clone()))
    yield got
    hook.remove()


def png(image):
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


def source(colour, *, right=None, masked=True, painting=True):
    mask = Image.new("L", (SIDE, SIDE))
    mask.paste(255, (SIDE // 2, 0, SIDE, SIDE))  # the right half is painted
    picture = Image.new("RGB", (SIDE, SIDE), colour)
    picture.paste(right or colour, (SIDE // 2, 0, SIDE, SIDE))
    return Source(png(picture), png(mask) if masked else None, painting=painting)


def pixels(one):
    [picture] = one.pictures
    return np.frombuffer(picture.rgb, np.uint8).reshape(SIDE, SIDE, 3)


def test_it_is_recognised_and_others_are_not(renderer, tmp_path):
    assert renderer.model.checkpoint.paints
    assert not models.inspect("plain", tiny_families.sd(tmp_path / "plain")).paints
    edits = tiny_families.sd(tmp_path / "edits", channels=8)
    with pytest.raises(NotUsable, match="no mask"):
        models.inspect("edits", edits)


def test_it_sees_the_mask_and_what_stays(renderer, rendered, seen):
    import torch

    rendered(source=source("red"))
    mask = seen[0][0, 4]
    assert torch.equal(mask, torch.tensor([0.0] * 4 + [1.0] * 4).expand(8, 8))
    red = [one[0, 5:] for one in seen]
    assert all(torch.equal(one, red[0]) for one in red)
    for other, is_seen in ((source("red", right="blue"), False), (source("blue"), True)):
        seen.clear()
        rendered(source=other)
        assert torch.equal(seen[0][0, 5:], red[0]) is not is_seen


def test_what_stays_counts_for_what_is_painted(rendered):
    one, other = (pixels(rendered(source=source(colour))) for colour in ("red", "lime"))
    assert (one[:, :24] == (255, 0, 0)).all()
    assert (one[:, 40:] != other[:, 40:]).any()


@pytest.mark.parametrize(
    "change",
    [{}, {"source": source("red", masked=False, painting=False), "strength": 0.5}],
    ids=["from a text", "from a picture"],
)
def test_whole_pictures_are_drawn_as_if_all_were_masked(rendered, seen, change):
    made = rendered(**change)
    assert (seen[0][:, 4] == 1).all()
    assert [note.ref for note in made.notes if "made for inpainting" in note.ref]
    assert len(np.unique(pixels(made))) > 10


def test_nothing_of_an_order_is_seen_by_the_next(rendered, seen):
    before = rendered()
    first = seen[0]
    seen.clear()
    rendered(source=source("red"))
    seen.clear()
    assert rendered().pictures == before.pictures
    assert (seen[0] == first).all()


def test_it_is_held_to_a_map_as_others_are(renderer, rendered, tmp_path):
    import torch
    from diffusers import ControlNetModel

    model = renderer.model.checkpoint
    if model.family != "sd":
        pytest.skip("the same for both")
    plain = tiny_families.unet(width=32)  # as ControlNets are trained: of pictures alone
    network = ControlNetModel.from_unet(plain, conditioning_embedding_out_channels=(4, 4, 8, 8))
    for layer in (*network.controlnet_down_blocks, network.controlnet_mid_block):
        torch.nn.init.normal_(layer.weight)
    network.save_pretrained(tmp_path / "controlnet" / "canny")
    found = control.find([tmp_path]).of("canny", model)
    held = Control("canny", png(Image.new("RGB", (SIDE, SIDE), "white")), found, is_map=True)
    assert rendered(control=held).pictures != rendered().pictures


def test_hires_fix_and_batches_are_made(rendered):
    made = rendered(width=128, height=128, hires_strength=0.5, seeds=(1, 2))
    assert [(one.width, one.height) for one in made.pictures] == [(128, 128)] * 2
