"""Upscalers' files, and what is made with them; the weights pass a picture through, enlarged."""

import numpy as np
import pytest
import torch
from PIL import Image, ImageFilter
from safetensors.torch import save_file

import tiny_esrgan
import tiny_networks
from worker import post_processing, upscaler, upscaling
from worker.renderer import BrokenResult, CannotLoad, CannotRender, nobody
from worker.settings import DEFAULT_MODEL, SHIPPED
from worker.upscaler import Upscaler, find
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


@pytest.mark.parametrize(
    "name",
    [
        "4xNomosWebPhoto_RealPLKSR",
        "4xNomos2_realplksr_dysample",
        "4xNomos2_hq_dat2",
        "2xModernSpanimationV1",
        "NMKD_Siax",
        "4x_AnimeSharp",
    ],
)
@pytest.mark.filterwarnings("ignore:torch.meshgrid")
def test_networks_of_many_architectures_enlarge(networks, tmp_path, monkeypatch, name):
    monkeypatch.setattr("worker.upscaling.TILE", 48)
    tiny_networks.save(tmp_path / f"{name}.pth", tiny_networks.UPSCALERS[name])
    upscaler = find([tmp_path])[name]
    steps = []
    large = networks.enlarge(upscaler, noise(50, 20), lambda *step: steps.append(step))
    assert large.size == (50 * upscaler.factor, 20 * upscaler.factor)
    assert steps == [(1, 2), (2, 2)]


def test_a_network_in_the_place_of_another_makes_pictures_of_the_size_of_that(networks, own):
    image = noise(20, 10)
    twofold = Upscaler("RealESRGAN_x2plus", own.folder, own.name)
    assert networks.enlarge(twofold, image).size == (40, 20)
    fourfold = Upscaler("RealESRGAN_x4plus", own.folder, own.name)
    assert networks.enlarge(fourfold, image) == enlarged(image, 4)


def test_weights_that_are_here_come_before_a_stand_in(tmp_path):
    (tmp_path / "RealESRGAN_x4plus.pth").touch()
    found = post_processing.find([tmp_path])
    assert found["RealESRGAN_x4plus"].folder == tmp_path / "RealESRGAN_x4plus.pth"
    assert not found["RealESRGAN_x4plus"].stand_in
    assert found["RealESRGAN_x2plus"].stand_in == "realesr-animevideov3"
    assert "NMKD_Siax" not in found


def test_where_memory_does_not_suffice_tiles_become_smaller(networks, made, monkeypatch):
    image, one = noise(200, 20), made("RealESRGAN_x4plus")
    networks.load(one)
    run, sizes = upscaling._Tiled._run, []

    def short(tiled, pixels):
        sizes.append(pixels.shape[-1])
        if pixels.shape[-1] > most:
            raise torch.OutOfMemoryError
        return run(tiled, pixels)

    monkeypatch.setattr(upscaling._Tiled, "_run", short)
    most = 130
    assert networks.enlarge(one, image) == enlarged(image, 4)
    assert max(sizes[1:]) <= most < sizes[0]
    most = 0
    with pytest.raises(CannotRender, match="too little memory"):
        networks.enlarge(one, image)


def test_numbers_that_run_out_of_range_are_no_picture(networks, tmp_path):
    broken = tiny_esrgan.weights()
    broken["conv_last.bias"][:] = float("nan")
    save_file(broken, tmp_path / "RealESRGAN_x4plus.safetensors")
    with pytest.raises(BrokenResult):
        networks.enlarge(find([tmp_path])["RealESRGAN_x4plus"], noise(9, 9))


def test_numbers_that_16_bits_cannot_hold_are_calculated_with_32(networks, tmp_path):
    """As on a GPU: half of the bits at first, and more for a network that they are too few for."""
    large = tiny_esrgan.weights()
    large["conv_first.weight"] *= 70_000
    large["conv_last.weight"] /= 70_000
    save_file(large, tmp_path / "RealESRGAN_x4plus.safetensors")
    tiled = upscaling._Tiled(tmp_path / "RealESRGAN_x4plus.safetensors", "cpu")
    tiled._network.half()
    image = noise(9, 5)
    difference = np.asarray(tiled.enlarge(image, nobody), int) - np.asarray(enlarged(image, 4), int)
    assert abs(difference).max() <= 1
    assert tiled._network.dtype == torch.float32


def test_a_file_for_something_else_is_refused(networks, tmp_path):
    save_file({"weight": torch.zeros(2)}, tmp_path / "NMKD_Siax.safetensors")
    with pytest.raises(CannotLoad, match="no architecture that is known"):
        networks.load(find([tmp_path])["NMKD_Siax"])


def test_a_file_that_is_no_upscaler_does_not_load(networks, made, tmp_path):
    broken = tmp_path / "NMKD_Siax.pth"
    broken.write_bytes(b"nothing of the kind")
    with pytest.raises(CannotLoad, match="NMKD_Siax"):
        networks.load(Upscaler("NMKD_Siax", broken))
    twofold = made("RealESRGAN_x4plus", channels=12)
    with pytest.raises(CannotLoad, match="enlarges 2 times"):
        networks.load(twofold)


@pytest.fixture
def own(tmp_path):
    """A small network that a model brings along, which enlarges by the nearest pixel."""
    weights = {
        "body.0.weight": torch.randn(4, 3, 3, 3, generator=torch.Generator().manual_seed(0)),
        "body.0.bias": torch.zeros(4),
        "body.1.weight": torch.full((4,), 0.2),
        "body.2.weight": torch.zeros(48, 4, 3, 3),
        "body.2.bias": torch.zeros(48),
    }
    save_file(weights, tmp_path / "enlarger.safetensors")
    return upscaler.of_model(tmp_path)


def test_a_model_brings_its_own_network_along(networks, own, tmp_path):
    image = noise(200, 9)
    assert own.factor == 4
    assert networks.enlarge(own, image) == enlarged(image, 4)
    assert upscaler.find([tmp_path]) == {}
    assert upscaler.of_model(tmp_path / "another") is None


def test_the_shipped_network_keeps_colours_and_makes_edges_steeper(networks):
    shipped = upscaler.of_model(SHIPPED / DEFAULT_MODEL)
    image = Image.new("RGB", (32, 32), (20, 60, 200))
    image.paste((250, 220, 40), (12, 8, 24, 24))
    soft = image.filter(ImageFilter.GaussianBlur(1))

    large = np.asarray(networks.enlarge(shipped, soft), int)
    filtered = np.asarray(soft.resize((128, 128), Image.Resampling.LANCZOS), int)

    assert large.shape == (128, 128, 3)
    assert abs(large - filtered).mean() < 8
    assert abs(np.diff(large[64, :, 2])).max() > 1.5 * abs(np.diff(filtered[64, :, 2])).max()
