import json
import shutil

import pytest

from worker import models
from worker.models import NotUsable


@pytest.fixture
def folder(tiny_model, tmp_path):
    """A copy to break."""
    return shutil.copytree(tiny_model, tmp_path / "tiny")


def rewrite(path, **changes):
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


@pytest.mark.parametrize("wanted", ["{folder}", "tiny", "tiny={folder}", "tiny=tiny"])
def test_a_model_is_found_by_name_and_by_folder(folder, wanted):
    found = models.find(wanted.format(folder=folder), [folder.parent])
    assert (found.name, found.folder) == ("tiny", folder)
    assert (found.native, found.multiple) == (128, 32)


def test_a_folder_can_be_served_under_another_name(folder):
    assert models.find(f"my model={folder}", []).name == "my model"


def test_full_size_checkpoints_have_their_usual_numbers(folder):
    rewrite(
        folder / "unet" / "config.json", sample_size=64, block_out_channels=[320, 640, 1280, 1280]
    )
    rewrite(folder / "vae" / "config.json", block_out_channels=[128, 256, 512, 512])
    found = models.inspect("stable_diffusion", folder)
    assert (found.native, found.multiple) == (512, 64)


def cut_off(folder):
    weights = folder / "unet" / "diffusion_pytorch_model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1000])


def no_weights(folder):
    (folder / "vae" / "diffusion_pytorch_model.safetensors").unlink()


def not_weights(folder):
    (folder / "text_encoder" / "model.safetensors").write_bytes(b"<html>404</html>")


def no_tokenizer(folder):
    (folder / "tokenizer" / "tokenizer.json").unlink()


def no_scheduler(folder):
    (folder / "scheduler" / "scheduler_config.json").unlink()


def other_kind(folder):
    rewrite(folder / "model_index.json", _class_name="FluxPipeline")


def neither_text_nor_inpainting(folder):
    rewrite(folder / "unet" / "config.json", in_channels=5)


def no_json(folder):
    (folder / "model_index.json").write_text("[")


def missing_shard(folder):
    index = folder / "unet" / "diffusion_pytorch_model.safetensors.index.json"
    index.write_text(json.dumps({"weight_map": {"a": "one-of-two.safetensors"}}))


@pytest.mark.parametrize(
    "break_it",
    [
        cut_off,
        no_weights,
        not_weights,
        no_tokenizer,
        no_scheduler,
        other_kind,
        neither_text_nor_inpainting,
        no_json,
        missing_shard,
    ],
)
def test_what_cannot_be_served_is_not_offered(folder, break_it):
    break_it(folder)
    with pytest.raises(NotUsable, match=str(folder)):
        models.find(str(folder), [])


def test_sharded_weights_are_weights(folder):
    unet = folder / "unet"
    (unet / "diffusion_pytorch_model.safetensors").rename(unet / "one-of-one.safetensors")
    index = unet / "diffusion_pytorch_model.safetensors.index.json"
    index.write_text(json.dumps({"weight_map": {"a": "one-of-one.safetensors"}}))
    assert models.find(str(folder), [])


def test_a_name_that_is_nowhere_is_said_so(tmp_path):
    with pytest.raises(NotUsable, match="nothing: no model_index"):
        models.find("nothing", [tmp_path])


def test_a_hub_is_not_asked_while_offline(monkeypatch, tmp_path):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(NotUsable, match="owner/model: neither here nor to be had"):
        models.find("name=owner/model", [tmp_path])
