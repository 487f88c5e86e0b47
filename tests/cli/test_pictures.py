"""Pictures in files."""

import io
import os

import pytest
from PIL import Image

from cli import pictures
from cli.exits import Exit, Failure


@pytest.fixture
def webp():
    file = io.BytesIO()
    Image.new("RGBA", (64, 128), (20, 200, 90, 128)).save(file, "WEBP", lossless=True)
    return file.getvalue()


@pytest.mark.parametrize(
    ("name", "form"), [("a.webp", "WEBP"), ("a.PNG", "PNG"), ("a.jpg", "JPEG"), ("a.jpeg", "JPEG")]
)
def test_the_name_says_the_format(tmp_path, webp, name, form):
    pictures.check(tmp_path / name)
    pictures.write(tmp_path / name, webp)
    with Image.open(tmp_path / name) as image:
        assert (image.format, image.size) == (form, (64, 128))


def test_what_a_horde_says_chooses_no_folder():
    assert pictures.part("../../etc/\x1b[2Jmodel") == ".._.._etc__[2Jmodel"
    assert pictures.part("stable diffusion 1.5") == "stable diffusion 1.5"


def test_the_size_is_told(webp):
    assert pictures.size(webp) == "64x128"


def test_what_cannot_be_written_leaves_the_old_file_and_nothing_else(tmp_path, webp, monkeypatch):
    (tmp_path / "a.webp").write_bytes(b"old")

    def fail(*_):
        raise OSError("the disk is full")

    monkeypatch.setattr(os, "fdopen", fail)
    with pytest.raises(OSError, match="full"):
        pictures.write(tmp_path / "a.webp", webp)
    assert [path.name for path in tmp_path.iterdir()] == ["a.webp"]
    assert (tmp_path / "a.webp").read_bytes() == b"old"


@pytest.mark.parametrize("name", ["a.gif", "a", "nowhere/a.png"])
def test_what_could_not_be_written_is_refused_before_it_is_made(tmp_path, name):
    with pytest.raises(Failure) as refused:
        pictures.check(tmp_path / name)
    assert refused.value.exit_status is Exit.USAGE
