"""Control types with networks of random weights: found, offered, and followed by pictures."""

import io
import json
import math
import shutil
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image, ImageDraw

import tiny_checkpoint
import tiny_control
from worker import models
from worker.downloads import single_file
from worker.image import control, control_file
from worker.image.inspection import NotUsable
from worker.image.order import Control
from worker.renderer import CannotRender

pytestmark = [
    pytest.mark.timeout(400),  # torch is imported, on cores that others share
    pytest.mark.filterwarnings("ignore"),  # the libraries' talk among developers
]

NAME = "control_v11p_sd15_canny"


@pytest.fixture(scope="module", params=["sd", "sdxl"])
def folder(request, tmp_path_factory, one_thread):
    """A model, and a control network that fits it: as a folder and as single files."""
    folder = tmp_path_factory.mktemp("controlled")
    network = tiny_control.network(tiny_control.model(folder / "tiny", request.param))
    network.save_pretrained(folder / "controlnet" / NAME)
    tiny_control.save(network, folder / "files" / "diffusers.safetensors", theirs=False)
    if request.param == "sd":
        tiny_control.save(network, folder / "files" / "theirs.safetensors", theirs=True)
    return folder


@pytest.fixture(scope="module")
def model(folder):
    return models.find("tiny", [folder])


@pytest.fixture(scope="module")
def renderer(model):
    from worker.image.pipeline import DiffusersRenderer

    renderer = DiffusersRenderer(device="cpu")
    renderer.load(model)
    return renderer


@pytest.fixture(scope="module")
def order(model):
    from worker.image.pipeline import trial

    return replace(trial(model), steps=2, width=128, height=64, exact=False)


def box(left):
    image = Image.new("RGB", (128, 64))
    ImageDraw.Draw(image).rectangle((left, 16, left + 32, 48), fill="white")
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


def pixels(rendered):
    return np.frombuffer(rendered.pictures[0].rgb, dtype=np.uint8).astype(int)


def nobody(step, steps, show=None):
    pass


def test_a_network_is_found_by_its_name_and_offered_for_models_that_it_fits(folder, model):
    found = control.find([folder])
    assert found.of("canny", model).place.name == NAME
    assert found.of("depth", model) is None
    offered = found.features([model])
    assert {"control:canny", "annotator:canny", "annotator:hough"} <= offered
    assert not offered & {"control:depth", "annotator:depth"}
    other = replace(model, family="flux")
    assert "control:canny" not in found.features([model, other])


def test_a_single_file_is_the_same_network_as_its_folder(folder, model, renderer, order):
    whole = control.find([folder]).of("canny", model)
    wanted = replace(order, control=Control("canny", box(8), whole))
    told = renderer.render(wanted, nobody).pictures
    files = sorted((folder / "files").glob("*"))
    single = [control.read(file, frozenset({"canny"})) for file in files]
    assert [one.fits for one in single] == [whole.fits] * len(files)
    for one in single:
        held = replace(wanted.control, network=one)
        assert renderer.render(replace(wanted, control=held), nobody).pictures == told


def test_networks_count_among_the_models_that_are_kept(folder, model, renderer, order):
    network = control.find([folder]).of("canny", model)
    held = Control("canny", box(8), network)
    renderer.kept.drop(network)
    for _ in range(2):
        renderer.render(replace(order, control=held), nobody)
        assert network in renderer.kept
    weights = network.place / "diffusion_pytorch_model.safetensors"
    assert network.megabytes == math.ceil(weights.stat().st_size / 2**20) > 0
    renderer.kept.drop_all(but=model)
    assert network not in renderer.kept


@pytest.mark.parametrize(
    ("tensors", "reason"),
    [
        ({"lora_controlnet": [0], "input_blocks.0.0.up": [1]}, "a Control-LoRA"),
        ({"adapter.body.0.weight": [1]}, "an adapter"),
        ({"x": [1]}, "no ControlNet"),
        (
            {
                "conv_in.weight": [8, 4, 3, 3],
                "controlnet_cond_embedding.conv_in.weight": [4, 3, 3, 3],
                "task_embedding": [6],
            },
            "a union",
        ),
    ],
)
def test_files_of_another_kind_are_named(tensors, reason):
    told = {name: {"shape": shape} for name, shape in tensors.items()}
    with pytest.raises(NotUsable, match=reason):
        control_file.configuration(told)


def test_networks_that_cannot_be_used_are_left_out(folder, tmp_path):
    whole = folder / "controlnet" / NAME
    shutil.copytree(whole, tmp_path / "controlnet" / "nothing-known")
    cut = shutil.copytree(whole, tmp_path / "controlnet" / "canny-cut")
    weights = cut / "diffusion_pytorch_model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-10])
    (tmp_path / "controlnet" / "depth").mkdir()
    shutil.copytree(whole, tmp_path / "controlnet" / "scribble-fp16")
    (tmp_path / "controlnet" / "scribble-fp16" / weights.name).rename(
        tmp_path / "controlnet" / "scribble-fp16" / "diffusion_pytorch_model.fp16.safetensors"
    )
    found = control.find([tmp_path]).networks
    assert [(one.control_types, one.variant) for one in found] == [({"scribble"}, "fp16")]


def test_a_picture_follows_its_map(folder, model, renderer, order):
    network = control.find([folder]).of("canny", model)
    held = Control("canny", box(8), network)
    plain, left, right = (
        pixels(renderer.render(replace(order, control=one), nobody))
        for one in (None, held, replace(held, picture=box(80)))
    )
    weakly = pixels(renderer.render(replace(order, control=replace(held, strength=1e-4)), nobody))
    assert np.abs(left - plain).mean() > 1
    assert (left != right).sum() > 100
    assert np.abs(weakly - plain).mean() < np.abs(left - plain).mean() / 10


def test_a_map_that_is_sent_is_taken_as_it_is(folder, model, renderer, order):
    network = control.find([folder]).of("canny", model)
    rendered = {
        is_map: renderer.render(
            replace(order, control=Control("canny", box(8), network, is_map=is_map)), nobody
        )
        for is_map in (True, False)
    }
    assert rendered[True].pictures != rendered[False].pictures


def test_a_picture_is_held_to_a_qr_code(folder, model, renderer, order, tmp_path):
    assert "qr_code" not in control.find([folder]).features([model])
    shutil.copytree(folder / "controlnet" / NAME, tmp_path / "controlnet" / "qrcode_monster")
    found = control.find([tmp_path])
    assert "qr_code" in found.features([model])
    held = Control("qr", b"", found.of("qr", model), is_map=True, code="https://a.example")
    wanted = replace(order, width=320, height=320, control=held, exact=True)
    one, other = (
        renderer.render(replace(wanted, control=replace(held, code=code)), nobody)
        for code in (held.code, "https://b.example")
    )
    assert one.pictures != other.pictures
    assert "held to a QR code: try to read it before you use it" in [note.ref for note in one.notes]


def test_a_map_alone_is_drawn_at_the_size_that_was_asked(renderer, order):
    held = Control("hed", box(8), None)
    rendered = renderer.render(replace(order, control=held, seeds=(1, 2)), nobody)
    first, second = rendered.pictures
    assert first == second
    assert (first.width, first.height) == (128, 64)
    assert [note.ref for note in rendered.notes] == [
        "hed: soft edges by gradients, not by a network"
    ]


def test_a_broken_network_is_its_orders_fault_and_not_the_models(
    folder, model, renderer, order, tmp_path
):
    broken = shutil.copytree(folder / "controlnet" / NAME, tmp_path / "canny")
    network = replace(control.find([folder]).of("canny", model), place=broken)
    (broken / "config.json").write_text("{}")
    with pytest.raises(CannotRender, match="control network canny cannot be used"):
        renderer.render(replace(order, control=Control("canny", box(8), network)), nobody)
    assert renderer.render(order, nobody).pictures


def test_a_network_without_numbers_is_its_orders_fault_and_not_the_models(
    folder, model, renderer, order, tmp_path
):
    from safetensors.torch import load_file, save_file

    broken = shutil.copytree(folder / "controlnet" / NAME, tmp_path / "canny")
    weights = broken / "diffusion_pytorch_model.safetensors"
    save_file({name: one * math.nan for name, one in load_file(weights).items()}, weights)
    network = replace(control.find([folder]).of("canny", model), place=broken)
    loaded = renderer.model
    with pytest.raises(CannotRender, match="brought beside the model"):
        renderer.render(replace(order, control=Control("canny", box(8), network)), nobody)
    assert renderer.model is loaded


@pytest.mark.parametrize(("name", "theirs"), [("sd1", True), ("sd2", True), ("sdxl", False)])
def test_the_true_sizes_are_told_by_the_tensors(name, theirs, one_thread):
    import torch
    from diffusers import ControlNetModel, UNet2DConditionModel

    config = single_file.CONFIGURATIONS / name / "unet" / "config.json"
    with torch.device("meta"):
        unet = UNet2DConditionModel.from_config(json.loads(config.read_bytes()))
        network = ControlNetModel.from_unet(unet, load_weights_from_unet=False)
    named = tiny_checkpoint.control if theirs else str
    tensors = {named(key): {"shape": list(one.shape)} for key, one in network.state_dict().items()}
    with torch.device("meta"):
        made = ControlNetModel.from_config(control_file.configuration(tensors))
    assert {key: one.shape for key, one in made.state_dict().items()} == {
        key: one.shape for key, one in network.state_dict().items()
    }
    heads = [one.heads for one in network.modules() if hasattr(one, "heads")]
    assert [one.heads for one in made.modules() if hasattr(one, "heads")] == heads
