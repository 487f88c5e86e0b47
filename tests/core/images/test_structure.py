"""Parts of a file that cost a decoder more than they cost who sends them are counted first."""

import struct
import zlib
from io import BytesIO

import pytest
from PIL import Image

import bombs
from core.images import structure
from core.images.failures import ImageValidationFailed


def encoded(picture, form, **options):
    file = BytesIO()
    picture.save(file, form, **options)
    return file.getvalue()


PLAIN = Image.effect_noise((64, 64), 60).convert("RGB")
PNG = encoded(PLAIN, "PNG")


def with_chunks(*chunks):
    """The PNG with chunks of (kind, data) after its header."""
    added = b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    )
    return PNG[:33] + added + PNG[33:]


def refused(content, reason):
    with pytest.raises(ImageValidationFailed, match=reason):
        structure.check(content)


@pytest.mark.parametrize(
    ("form", "options"),
    [
        ("JPEG", {}),
        ("JPEG", {"progressive": True}),
        ("JPEG", {"restart_marker_blocks": 1}),
        ("PNG", {}),
        ("WEBP", {}),
        ("GIF", {}),
        ("TIFF", {}),
        ("BMP", {}),
        ("AVIF", {}),
    ],
)
def test_what_encoders_make_passes_whole_or_cut_off(form, options):
    content = encoded(PLAIN, form, **options)
    for end in (len(content), len(content) // 2, 40, 11):
        structure.check(content[:end])


def test_a_jpeg_of_a_thousand_scans_is_refused():
    structure.check(bombs.scans(64, 64, 80))
    refused(bombs.scans(64, 64, 100), "more than 100 scans")


def test_scans_behind_garbage_are_counted_too():
    content = bombs.scans(64, 64, 100)
    refused(content.replace(b"\xff\xda", b"\0garbage\xff\xff\xff\xda"), "scans")


def test_what_looks_like_scans_in_metadata_or_after_the_end_is_none():
    """A phone's thumbnail, and the film that some append to a picture."""
    content = encoded(PLAIN, "JPEG")
    looks = b"\xff\xda\0\x08" * 1000
    metadata = b"\xff\xe1" + struct.pack(">H", len(looks) + 2) + looks
    structure.check(content[:2] + metadata + content[2:] + looks)


def test_many_texts_in_a_png_are_refused():
    structure.check(with_chunks(*[(b"tEXt", b"a\0b")] * 20))
    refused(with_chunks(*[(b"tEXt", b"a\0b")] * 65), "more than 64 texts")


@pytest.mark.parametrize(
    ("kind", "head"), [(b"zTXt", b"a\0\0"), (b"iCCP", b"a\0\0"), (b"iTXt", b"a\0\1\0en\0a\0")]
)
def test_texts_are_weighed_as_they_are_inflated(kind, head):
    packed = zlib.compress(b" " * 9 * 1024 * 1024, 9)
    assert len(packed) < 10_000
    structure.check(with_chunks((kind, head + packed)))
    refused(with_chunks((kind, head + packed), (kind, head + packed)), "16777216 bytes")


def test_a_png_of_empty_parts_is_refused():
    refused(with_chunks(*[(b"IDAT", b"")] * 65_536), "more than 65536 parts")


def test_animations_and_pages_have_a_bound():
    frames = [Image.new("L", (1, 1), number % 2 * 255) for number in range(1001)]
    for form in ("GIF", "PNG", "WEBP", "TIFF"):
        few = encoded(frames[0], form, save_all=True, append_images=frames[1:50])
        structure.check(few)
    for form in ("GIF", "WEBP", "TIFF"):
        many = encoded(frames[0], form, save_all=True, append_images=frames[1:], duration=50)
        refused(many, "more than 1000 frames")
    refused(with_chunks((b"acTL", struct.pack(">II", 1001, 0))), "more than 1000 frames")


def test_pages_that_go_round_in_a_circle_are_refused():
    tiff = bytearray(encoded(PLAIN, "TIFF"))
    (first,) = struct.unpack_from("<I", tiff, 4)
    (entries,) = struct.unpack_from("<H", tiff, first)
    struct.pack_into("<I", tiff, first + 2 + 12 * entries, first)
    refused(bytes(tiff), "frames")


def test_a_gif_of_comments_is_refused():
    gif = encoded(PLAIN, "GIF")
    comment = b"\x21\xfe" + b"\x01x" * 65_537 + b"\0"
    start = 13 + 3 * 256
    refused(gif[:start] + comment + gif[start:], "more than 65536 parts")
