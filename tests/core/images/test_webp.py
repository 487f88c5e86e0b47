"""What is read of a WebP file without decoding it, and what of it is kept."""

import struct
from io import BytesIO

import pytest
from PIL import Image

from core.images import pixels, webp
from core.images.failures import ImageValidationFailed


def encoded(picture, **options):
    file = BytesIO()
    picture.save(file, "WEBP", **options)
    return file.getvalue()


RGB = Image.effect_noise((48, 32), 60).convert("RGB")
RGBA = RGB.copy()
RGBA.putalpha(Image.effect_noise((48, 32), 60))
SCRIPT = b"<html><script>alert(1)</script></html>"


def with_chunk(content, kind, data):
    """The file with one more chunk, its length right."""
    chunk = kind + struct.pack("<I", len(data)) + data + b"\0" * (len(data) % 2)
    return content[:4] + struct.pack("<I", len(content) - 8 + len(chunk)) + content[8:] + chunk


@pytest.mark.parametrize("options", [{}, {"lossless": True}, {"quality": 100, "method": 0}])
@pytest.mark.parametrize("picture", [RGB, RGBA], ids=["opaque", "transparent"])
def test_what_encoders_make_is_clean(picture, options):
    content = encoded(picture, **options)
    assert webp.cleaned(content) is content
    assert webp.size_of(content[: webp.HEAD_BYTES]) == (48, 32)
    assert webp.has_alpha(content[: webp.HEAD_BYTES]) is (picture is RGBA)


@pytest.mark.parametrize("picture", [RGB, RGBA], ids=["opaque", "transparent"])
def test_what_is_no_part_of_the_picture_goes(picture):
    content = encoded(picture)
    for odd in (
        content + SCRIPT,
        with_chunk(content, b"XMP ", SCRIPT),
        with_chunk(content, b"EXIF", SCRIPT),
        with_chunk(content, b"<scr", SCRIPT),
        with_chunk(content, b"VP8 ", SCRIPT),
    ):
        assert webp.cleaned(odd) == content


def test_metadata_go_and_the_picture_stays():
    exif = Image.Exif()
    exif[0x010E] = "<script>"
    content = encoded(RGB, exif=exif, xmp=SCRIPT)
    assert b"<script>" in content
    clean = webp.cleaned(content)
    assert b"script" not in clean
    shown = Image.open(BytesIO(clean))
    assert shown.tobytes() == Image.open(BytesIO(content)).tobytes()
    assert not {"exif", "xmp"} & shown.info.keys()


def test_what_only_a_decoder_can_tell_is_left_to_it():
    png = BytesIO()
    RGB.save(png, "PNG")
    assert webp.cleaned(png.getvalue()) is None
    assert webp.cleaned(b"<html>") is None
    assert webp.cleaned(encoded(RGB, icc_profile=b"a profile")) is None
    frames = [Image.new("RGB", (4, 4), colour) for colour in ("red", "blue")]
    assert webp.cleaned(encoded(frames[0], save_all=True, append_images=frames[1:])) is None


def behind_pixels(content, data):
    """The same picture, with something behind the pixels in their chunk, which is the last one."""
    data += b" " * (len(data) % 2)
    kind = max(content.rfind(b"VP8 "), content.rfind(b"VP8L"))
    length = int.from_bytes(content[kind + 4 : kind + 8], "little")
    length += length % 2
    head = content[8 : kind + 4] + struct.pack("<I", length + len(data))
    body = head + content[kind + 8 :] + data
    return b"RIFF" + struct.pack("<I", len(body)) + body


@pytest.mark.parametrize("lossless", [False, True])
@pytest.mark.parametrize(
    "hidden", [SCRIPT, b"<SVG onload=x>", b"<?PHP x", b"PK\x05\x06" + bytes(18), b"%PDF-1.4\n"]
)
def test_what_hides_behind_pixels_is_left_to_a_decoder(hidden, lossless):
    odd = behind_pixels(encoded(RGB, lossless=lossless), hidden)
    assert Image.open(BytesIO(odd)).tobytes()  # it is a picture as well
    assert webp.cleaned(odd) is None
    made = pixels.convert(odd, pixels.Task(10_000, 0, is_base64=False))
    assert hidden not in made
    assert webp.size_of(made) == (48, 32)


def test_what_is_cut_off_or_contradicts_itself_is_refused():
    content, transparent = encoded(RGB), encoded(RGBA)
    wider = bytearray(transparent)
    wider[24] += 1  # the canvas, not the picture in it
    for broken in (
        content[:-20],
        content[:12],
        content[:12] + b"\0" * (len(content) - 12),
        bytes(wider),
        b"RIFF\x04\0\0\0WEBP",
        b"RIFF\x0c\0\0\0WEBPVP8X\0\0\0\0",
    ):
        with pytest.raises(ImageValidationFailed):
            webp.cleaned(broken)


def test_a_file_of_a_million_parts_is_refused_at_the_first_of_them():
    content = encoded(RGB)
    parts = b"junk\0\0\0\0" * 1_000_000
    riff = struct.pack("<I", len(content) - 8 + len(parts))
    with pytest.raises(ImageValidationFailed, match="too many parts"):
        webp.cleaned(content[:4] + riff + content[8:] + parts)
