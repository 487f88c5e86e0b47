"""Upscalers' files, and what is made with them; the weights pass a picture through, enlarged."""

import numpy as np
import pytest
from PIL import Image

import tiny_esrgan
from worker import upscaler
from worker.renderer import CannotLoad
from worker.upscaler import Upscaler
from worker.upscaling import Networks


def noise(width, height):
    random = np.random.default_rng(0)
    return Image.fromarray(random.integers(0, 256, (height, width, 3), np.uint8))


def enlarged(image, factor):
    return image.resize((image.width * factor, image.height * factor), Image.Resampling.NEAREST)


@pytest.fixture
def made(tmp_path):
    def make(name, ending="pth", **options):
        file = tmp_path / f"{name}.{ending}"
        tiny_esrgan.save(file, **options)
        return upscaler.find([tmp_path])[name]

    return make


@pytest.fixture
def networks(one_thread):
    return Networks("cpu")


def test_known_names_are_found_in_the_order_of_preference(tmp_path):
    for name in ("NMKD_Siax.pth", "RealESRGAN_x4plus.safetensors", "unknown.pth", "x.txt"):
        (tmp_path / name).touch()
    found = upscaler.find([tmp_path / "missing", tmp_path])
    assert list(found) == ["RealESRGAN_x4plus", "NMKD_Siax"]
    assert found["NMKD_Siax"].factor == 4


@pytest.mark.parametrize("ending", ["pth", "safetensors"])
@pytest.mark.parametrize("older_names", [False, True], ids=["new names", "older names"])
def test_every_form_of_file_is_read(networks, made, ending, older_names):
    image = noise(9, 5)
    one = made("4x_AnimeSharp", ending, older_names=older_names)
    assert networks.enlarge(one, image) == enlarged(image, 4)


@pytest.mark.parametrize("size", [(300, 20), (193, 195)])
def test_tiles_are_put_together_without_a_seam(networks, made, size):
    steps = []
    image = noise(*size)
    large = networks.enlarge(made("RealESRGAN_x4plus"), image, lambda *step: steps.append(step))
    assert large == enlarged(image, 4)
    assert steps[-1][0] == steps[-1][1] == len(steps) > 1


def test_tiles_see_what_is_around_them(networks, made, monkeypatch):
    """With blocks that look at their neighbours a tile is what the whole picture has there."""
    image = noise(60, 50)
    one = made("RealESRGAN_x4plus", body=0.01)
    whole = np.asarray(networks.enlarge(one, image), int)
    monkeypatch.setattr("worker.upscaling.TILE", 32)
    tiled = np.asarray(networks.enlarge(one, image), int)
    assert abs(whole - np.asarray(enlarged(image, 4), int)).max() > 5  # the blocks do something
    assert abs(whole - tiled).max() <= 1


@pytest.mark.parametrize("size", [(10, 8), (11, 7)])
def test_a_factor_of_two_folds_blocks_into_channels(networks, made, size):
    one = made("RealESRGAN_x2plus", channels=12)
    large = networks.enlarge(one, noise(*size))
    assert large.size == (size[0] * 2, size[1] * 2)


def test_a_file_that_is_no_upscaler_does_not_load(networks, made, tmp_path):
    broken = tmp_path / "NMKD_Siax.pth"
    broken.write_bytes(b"nothing of the kind")
    with pytest.raises(CannotLoad, match="NMKD_Siax"):
        networks.load(Upscaler("NMKD_Siax", broken))
    twofold = made("RealESRGAN_x4plus", channels=12)
    with pytest.raises(CannotLoad, match="enlarges 2 times"):
        networks.load(twofold)
