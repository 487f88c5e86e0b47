import io

import numpy as np
import pytest
from PIL import Image, ImageDraw

from worker import pictures
from worker.renderer import CannotRender, Picture


def drawn(mode="RGB", size=(128, 96)):
    image = Image.new("RGB", size, "skyblue")
    ImageDraw.Draw(image).ellipse((30, 20, 90, 80), fill="orangered", outline="black")
    return image.convert(mode)


def encoded(image, kind="PNG", **options):
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


@pytest.mark.parametrize(("size", "least_decibels"), [((128, 96), 99), ((512, 384), 41)])
def test_webp_is_close_to_the_picture_and_the_same_each_time(size, least_decibels):
    image = drawn().resize(size, Image.Resampling.LANCZOS)
    picture = Picture(image.width, image.height, image.tobytes())
    webp = pictures.to_webp(picture)
    assert webp == pictures.to_webp(picture)
    back = Image.open(io.BytesIO(webp))
    assert (back.format, back.size) == ("WEBP", size)
    error = np.asarray(back, float) - np.asarray(image, float)
    assert 10 * np.log10(255**2 / max(1e-9, (error**2).mean())) > least_decibels


def test_a_picture_of_too_many_bytes_is_encoded_with_less_quality(monkeypatch):
    random = np.random.default_rng(0)
    picture = Picture(300, 300, random.integers(0, 256, 300 * 300 * 3, np.uint8).tobytes())
    best = pictures.to_webp(picture)
    monkeypatch.setattr(pictures, "MAX_RESULT_BYTES", len(best) - 1)
    less = pictures.to_webp(picture)
    assert len(less) < len(best)
    assert Image.open(io.BytesIO(less)).size == (300, 300)
    monkeypatch.setattr(pictures, "MAX_RESULT_BYTES", 10)
    with pytest.raises(CannotRender, match="more than 10 bytes"):
        pictures.to_webp(picture)


@pytest.mark.parametrize("size", [(16384, 1), (1, 16384), (9000, 8000)])
def test_a_picture_that_nobody_takes_is_refused_before_it_is_encoded(size):
    assert not pictures.fits(*size)
    with pytest.raises(CannotRender, match="too large"):
        pictures.to_webp(Picture(*size, b""))
    assert pictures.fits(*pictures.fitting(*size))


def test_only_formats_that_start_no_program_are_read():
    with pytest.raises(CannotRender, match="source_image"):
        pictures.read(encoded(drawn(), "EPS"), kind="source_image")
    with pytest.raises(CannotRender, match="source_image"):
        pictures.size_of(encoded(drawn(), "EPS"))


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "JPEG", "GIF"])
def test_any_usual_format_is_read(kind):
    read = pictures.read(encoded(drawn(), kind), kind="source_image")
    assert (read.mode, read.size) == ("RGBA", (128, 96))


def test_a_turned_photo_is_put_upright():
    exif = Image.Exif()
    exif[0x0112] = 6
    assert pictures.read(encoded(drawn(), "JPEG", exif=exif), kind="source_image").size == (96, 128)


@pytest.mark.parametrize(
    "content",
    [b"", b"no picture", encoded(drawn())[:200], encoded(Image.new("1", (5000, 5000)))],
    ids=["empty", "text", "cut off", "too large"],
)
def test_what_cannot_be_read_is_told_to_the_requester(content):
    with pytest.raises(CannotRender, match="source_mask") as refusal:
        pictures.read(content, kind="source_mask")
    [note] = refusal.value.notes
    assert (note.type, note.value) == ("source_mask", "parse_failed")


def test_scaling_cuts_instead_of_distorting():
    scaled = pictures.scaled(drawn(size=(192, 96)), 400, 400, tiling=False)
    assert scaled.size == (400, 400)
    assert pictures.scaled(scaled, 400, 400, tiling=False) is scaled


def test_a_seamless_picture_stays_seamless():
    angle = np.arange(64) / 64 * 2 * np.pi
    wave = 127 + 120 * np.sin(angle[:, None] + 2 * angle[None])
    image = Image.fromarray(np.repeat(wave[..., None], 3, -1).astype(np.uint8))
    large = np.asarray(pictures.scaled(image, 256, 256, tiling=True), float)
    inside = np.abs(np.diff(large, axis=0)).max(), np.abs(np.diff(large, axis=1)).max()
    seams = np.abs(large[0] - large[-1]).max(), np.abs(large[:, 0] - large[:, -1]).max()
    assert seams[0] <= inside[0] + 1
    assert seams[1] <= inside[1] + 1


def test_transparency_is_laid_on_white():
    clear = Image.new("RGBA", (4, 4), (255, 0, 0, 0))
    assert pictures.on_white(clear).getpixel((1, 1)) == (255, 255, 255)
