"""Backgrounds that are not plain, taken away by a network where one is here."""

from importlib.util import find_spec

import numpy as np
import pytest
from PIL import Image

import tiny_matte
from worker import post_processing
from worker.post_processing import REMOVER, STRIPS, BackgroundRemover
from worker.processing import PLAIN, Processing
from worker.renderer import CannotLoad, CannotRender

needs_rembg = pytest.mark.skipif(find_spec("rembg") is None, reason="the extra `background`")
# Its first import in an environment compiles for a minute.
pytestmark = [pytest.mark.timeout(400), pytest.mark.filterwarnings("ignore")]


@pytest.fixture
def network(tmp_path):
    tiny_matte.save(tmp_path / "u2net.onnx")
    return BackgroundRemover(STRIPS, tmp_path / "u2net.onnx", "u2net")


@pytest.fixture
def scene():
    """Something bright before a dark ground that is not plain."""
    levels = np.random.default_rng(0).integers(0, 120, (64, 64, 3), np.uint8)
    levels[16:48, 16:48] = 250
    return Image.fromarray(levels)


@needs_rembg
def test_a_network_takes_away_what_is_not_plain(one_thread, network, scene):
    processing = Processing("cpu")
    processing.load(network)
    made = processing.apply(network, scene)
    opacity = np.asarray(made.image.getchannel("A"), int)
    assert made.note == "strip_background: by u2net"
    assert opacity[20:44, 20:44].min() > 240
    assert opacity[:8].mean() < 100
    assert made.image.size == scene.size


def test_a_plain_one_is_taken_away_without_it(one_thread, network):
    plain = Image.new("RGB", (64, 64), "blue")
    plain.paste("red", (20, 20, 40, 40))
    for remover in (network, REMOVER):
        made = Processing("cpu").apply(remover, plain)
        assert made.note == PLAIN
        assert np.asarray(made.image.getchannel("A"))[0, 0] == 0


def test_without_a_network_what_is_not_plain_is_refused(one_thread, scene):
    with pytest.raises(CannotRender, match="not plain"):
        Processing("cpu").apply(REMOVER, scene)


@needs_rembg
def test_a_broken_network_does_not_load(one_thread, network):
    network.folder.write_bytes(b"\x08nothing of the kind")
    with pytest.raises(CannotLoad, match=r"u2net\.onnx"):
        Processing("cpu").load(network)


def test_a_network_is_found_where_the_library_for_it_is(network, tmp_path, monkeypatch):
    monkeypatch.setattr(post_processing, "find_spec", lambda name: None)
    assert post_processing.find([tmp_path])[STRIPS] == REMOVER
    monkeypatch.setattr(post_processing, "find_spec", lambda name: name == "rembg" or None)
    found = post_processing.find([tmp_path])
    assert found[STRIPS] == network
    assert post_processing.named(found).startswith("strip_background (u2net), RealESRGAN_x4plus (")
    assert post_processing.find([tmp_path / "another"])[STRIPS] == REMOVER
