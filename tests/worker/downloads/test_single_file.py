"""Checkpoints that are one file, with the names that real ones have, become folders."""

import asyncio
import json
import struct

import pytest

import tiny_checkpoint
from worker import models
from worker.downloads import single_file
from worker.downloads.parts import CannotFetch
from worker.downloads.single_file import CONTEXT, FIRST


@pytest.fixture(scope="module", params=[tiny_checkpoint.build, tiny_checkpoint.build_xl])
def checkpoint(request, tmp_path_factory):
    """A checkpoint's pipeline, and the folder that was made of its file."""
    room = tmp_path_factory.mktemp("checkpoint")
    file, configuration = room / "tiny.safetensors", room / "tiny"
    pipeline = request.param(file, configuration)
    asyncio.run(single_file.unpack(file, room / "made", configuration))
    return pipeline, room / "made"


@pytest.mark.timeout(400)  # torch is imported twice, on cores that others share
def test_a_checkpoint_becomes_a_folder_with_the_same_weights(checkpoint):
    import torch
    from safetensors.torch import load_file

    pipeline, folder = checkpoint
    model = models.inspect("tiny", folder)
    assert (model.native, model.multiple % 32) == (64, 0)
    encoders = [name for name in pipeline.components if name.startswith("text_encoder")]
    for part in ("unet", "vae", *encoders):
        name = "model" if part in encoders else "diffusion_pytorch_model"
        made = load_file(folder / part / f"{name}.safetensors")
        true = getattr(pipeline, part).state_dict()
        shared = true.keys() & made.keys()
        assert len(shared) >= len(true) - 1  # but for the numbers of the positions
        for key in shared:
            torch.testing.assert_close(made[key].float(), true[key].half().float())


@pytest.mark.timeout(400)
@pytest.mark.filterwarnings("ignore")  # the libraries' talk among developers
def test_a_made_folder_renders(checkpoint, one_thread):
    from worker.image.order import PictureOrder
    from worker.image.pipeline import DiffusersRenderer

    model = models.inspect("tiny", checkpoint[1])
    renderer = DiffusersRenderer(device="cpu")
    renderer.load(model)
    order = PictureOrder(*(model, "a fox", "", 64, 64, 2, 5.0, "k_euler"), karras=False, seeds=(1,))
    [picture] = renderer.render(order, lambda *_: None).pictures
    assert (picture.width, len(set(picture.rgb)) > 10) == (64, True)


@pytest.mark.timeout(400)
@pytest.mark.filterwarnings("ignore")
def test_a_checkpoint_for_inpainting_becomes_one(tmp_path, one_thread):
    import torch
    from safetensors.torch import load_file, save_file

    file, configuration = tmp_path / "tiny.safetensors", tmp_path / "tiny"
    tiny_checkpoint.build(file, configuration)
    tensors = load_file(file)
    more = torch.randn(tensors[FIRST].shape[0], 5, 3, 3)
    tensors[FIRST] = torch.cat([tensors[FIRST], more], dim=1)
    save_file(tensors, file)
    asyncio.run(single_file.unpack(file, tmp_path / "made", configuration))
    assert models.inspect("tiny", tmp_path / "made").paints
    first = load_file(tmp_path / "made" / "unet" / "diffusion_pytorch_model.safetensors")
    assert torch.equal(first["conv_in.weight"], tensors[FIRST].half())


def header(path, tensors, *, more=b""):
    told = json.dumps(tensors).encode()
    path.write_bytes(struct.pack("<Q", len(told)) + told + more)
    return path


def entry(*shape):
    return {"dtype": "F16", "shape": list(shape), "data_offsets": [0, 0]}


@pytest.mark.parametrize(
    ("tensors", "told"),
    [
        ({CONTEXT: entry(320, 768), FIRST: entry(320, 4, 3, 3)}, "sd1"),
        ({CONTEXT: entry(320, 1024), FIRST: entry(320, 4, 3, 3)}, "sd2"),
        ({CONTEXT: entry(640, 2048), FIRST: entry(320, 4, 3, 3)}, "sdxl"),
        ({CONTEXT: entry(640, 2048), FIRST: entry(320, 9, 3, 3)}, "sdxl"),
    ],
)
def test_the_architecture_is_told_by_the_tensors(tmp_path, tensors, told):
    assert single_file.shape(header(tmp_path / "a.safetensors", tensors)).architecture == told


@pytest.mark.parametrize(
    ("tensors", "reason"),
    [
        ({"lora_unet_x": entry(1, 2)}, "no whole checkpoint"),
        ({FIRST: entry(320, 4, 3, 3)}, "no Stable Diffusion 1, 2 or XL"),
        ({CONTEXT: entry(320, 1280), FIRST: entry(320, 4, 3, 3)}, "1280 numbers"),
        ({CONTEXT: entry(320, 768), FIRST: entry(320, 8, 3, 3)}, "8 channels"),
        ({CONTEXT: {"data_offsets": [0, 10**9]}}, "bytes of"),
        ({CONTEXT: 7}, "no whole safetensors file$"),
        ({"lora_unet_x.lora_up.weight": entry(2, 1)}, "is a LoRA: put it into loras"),
    ],
)
def test_what_cannot_be_served_is_said(tmp_path, tensors, reason):
    with pytest.raises(CannotFetch, match=reason):
        single_file.shape(header(tmp_path / "a.safetensors", tensors))


def test_an_xl_that_predicts_velocities_says_so(tmp_path):
    tensors = {CONTEXT: entry(640, 2048), FIRST: entry(320, 4, 3, 3), "v_pred": entry(0)}
    assert single_file.shape(header(tmp_path / "a.safetensors", tensors)).prediction == (
        "v_prediction"
    )


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"\xff" * 100, b"\x00" * 8])
def test_what_is_no_file_of_tensors_is_said(tmp_path, content):
    file = tmp_path / "a.safetensors"
    file.write_bytes(content)
    with pytest.raises(CannotFetch, match=r"a\.safetensors"):
        single_file.header(file)


def test_every_configuration_is_whole():
    for name in single_file.WIDTHS.values():
        folder = single_file.CONFIGURATIONS / name
        index = json.loads((folder / "model_index.json").read_text())
        parts = [key for key, value in index.items() if isinstance(value, list) and value[0]]
        assert {part.name for part in folder.iterdir() if part.is_dir()} == set(parts)
        unet = json.loads((folder / "unet" / "config.json").read_text())
        width = sum(
            json.loads((encoder / "config.json").read_text())["hidden_size"]
            for encoder in folder.glob("text_encoder*")
        )
        assert unet["cross_attention_dim"] == width
        assert single_file.WIDTHS[width] == name


@pytest.mark.parametrize("architecture", ["sd1", "sd2"])
def test_the_tokenizer_is_clips(tmp_path, architecture, one_thread):
    import shutil

    from transformers import CLIPTokenizer

    from worker.downloads.unpacking import _complete

    folder = tmp_path / "tokenizer"
    shutil.copytree(single_file.CONFIGURATIONS / architecture / "tokenizer", folder)
    _complete(folder)
    tokenizer = CLIPTokenizer.from_pretrained(folder)
    # As https://github.com/openai/CLIP has them.
    assert tokenizer("a photo of a cat").input_ids == [49406, 320, 1125, 539, 320, 2368, 49407]
    assert len(tokenizer) == 49408
