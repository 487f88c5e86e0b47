"""How a picture was made is in its file, as other programs look for it."""

import io

import pytest
from PIL import Image

from cli import grid, metadata, pictures

BODY = {
    "prompt": "a fox ### fog",
    "params": {"steps": 20, "sampler_name": "k_euler", "cfg_scale": 7.5, "width": 64, "height": 96},
}
MADE = {"seed": "7", "model": "tiny", "worker": "Föx's"}
TEXT = (
    "a fox\nNegative prompt: fog\nSteps: 20, Sampler: k_euler, CFG scale: 7.5, Size: 64x96, "
    "Seed: 7, Model: tiny, Worker: Föx's"
)


def webp(mode="RGB", **options):
    written = io.BytesIO()
    Image.new(mode, (64, 96), (20, 200, 90, 128)[: len(mode)]).save(written, "WEBP", **options)
    return written.getvalue()


def comment(picture):
    exif = picture.getexif().get_ifd(metadata.EXIF_POINTER)[metadata.USER_COMMENT]
    assert exif.startswith(b"UNICODE\0")
    return exif[8:].decode("utf-16-be")


def test_the_text_is_the_one_that_most_programs_read():
    assert metadata.text(BODY, MADE) == TEXT


@pytest.mark.parametrize(
    "content",
    [
        webp(),
        webp(lossless=True),
        webp("RGBA"),
        webp("RGBA", lossless=True),
        webp(icc_profile=b"a profile"),
    ],
    ids=["lossy", "lossless", "clear", "clear and lossless", "extended"],
)
def test_a_webp_gets_it_without_being_encoded_again(content):
    made = metadata.into_webp(content, TEXT)
    with Image.open(io.BytesIO(content)) as before, Image.open(io.BytesIO(made)) as after:
        assert (after.size, after.mode) == (before.size, before.mode)
        assert after.tobytes() == before.tobytes()
        assert comment(after) == TEXT
    assert metadata.into_webp(made, "again") == made


@pytest.mark.parametrize("content", [b"", b"RIFF", b"RIFF\0\0\0\0WEBPABCD\0\0\0\0", b"\x89PNG"])
def test_what_is_no_webp_stays_as_it_is(content):
    assert metadata.into_webp(content, TEXT) == content


@pytest.mark.parametrize("name", ["a.png", "a.jpg"])
def test_other_formats_get_it_too(tmp_path, name):
    pictures.write(tmp_path / name, webp(), TEXT)
    with Image.open(tmp_path / name) as picture:
        assert (picture.text["parameters"] if name == "a.png" else comment(picture)) == TEXT


def test_a_sheet_has_cells_of_one_size_and_keeps_what_is_clear(tmp_path):
    files = []
    for number in range(5):
        path = tmp_path / f"{number}.png"
        Image.new("RGBA", (32, 32) if number else (64, 64), (255, 0, 0, 128)).save(path)
        files.append(path)
    grid.write(tmp_path / "sheet.png", files, columns=3)
    with Image.open(tmp_path / "sheet.png") as sheet:
        assert sheet.size == (192, 128)
        assert sheet.getpixel((10, 10)) == (255, 0, 0, 128)
        assert sheet.getpixel((64, 0)) == (0, 0, 0, 0)  # a small one is in the middle of its cell
        assert sheet.getpixel((96, 32))[3] == 128
        assert sheet.getpixel((191, 127)) == (0, 0, 0, 0)
