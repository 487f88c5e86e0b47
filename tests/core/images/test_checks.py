"""Pictures from outside: what is taken, what it becomes, and what is refused with a reason."""

import asyncio
import base64
import random
import struct
import zlib
from io import BytesIO

import pytest
import pytest_asyncio
from PIL import Image, ImageCms, ImageDraw

from core.images import checks, pixels
from core.images.decoders import Decoders
from core.images.failures import ImageValidationFailed, TooManyPixels
from core.images.webp import has_alpha

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module", autouse=True)
async def decoders():
    """The processes that all tests of the module decode in."""
    running = Decoders()
    PROCESSES.append(running)
    yield running
    PROCESSES.clear()
    await running.close()


PROCESSES = []


async def decode_source(sent, **bounds):
    return await checks.decode_source(PROCESSES[0], sent, caller="somebody", **bounds)


async def to_webp_from_base64(sent):
    return await checks.to_webp_from_base64(PROCESSES[0], sent, caller="somebody")


async def to_webp(sent):
    return await checks.to_webp(PROCESSES[0], sent, caller="somebody")


def encoded(picture, form="PNG", **options):
    file = BytesIO()
    picture.save(file, form, **options)
    return file.getvalue()


def text(content):
    return base64.b64encode(content).decode()


def opened(content):
    picture = Image.open(BytesIO(content))
    picture.load()
    return picture


def halves(mode, left, right, size=(64, 32)):
    """A picture whose left and right halves differ."""
    picture = Image.new(mode, size, right)
    picture.paste(left, (0, 0, size[0] // 2, size[1]))
    return picture


def noise(mode, size):
    return Image.frombytes(mode, size, random.Random(1).randbytes(size[0] * size[1] * len(mode)))


def is_near(found, wanted, tolerance=12):
    return all(abs(a - b) <= tolerance for a, b in zip(found, wanted, strict=True))


def png_claiming(width, height):
    """A small file whose header promises a picture of any size."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(b"\0" * 1000)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    )


RED, BLUE = (230, 20, 20), (20, 20, 230)
SIXTEEN_BITS = Image.frombytes(
    "I;16", (64, 32), struct.pack("<64H", *[40 * 256] * 32, *[200 * 256] * 32) * 32
)


@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP", "BMP", "TIFF", "AVIF", "PPM", "TGA"])
async def test_every_common_format_becomes_webp(form):
    made = opened(await decode_source(text(encoded(halves("RGB", RED, BLUE), form))))
    assert (made.format, made.mode, made.size) == ("WEBP", "RGB", (64, 32))
    assert is_near(made.getpixel((8, 8)), RED)
    assert is_near(made.getpixel((56, 8)), BLUE)


async def test_of_an_animation_the_first_frame_counts():
    frames = [Image.new("RGB", (64, 32), color) for color in (RED, BLUE, RED)]
    gif = encoded(frames[0], "GIF", save_all=True, append_images=frames[1:], duration=50)
    assert opened(gif).n_frames == 3
    made = opened(await decode_source(text(gif)))
    assert made.n_frames == 1
    assert is_near(made.getpixel((8, 8)), RED)


@pytest.mark.parametrize(
    "picture",
    [
        halves("RGBA", (*RED, 255), (*BLUE, 0)),
        halves("LA", (128, 255), (30, 0)),
        halves("RGBA", (*RED, 255), (*BLUE, 0)).quantize(4),
    ],
    ids=["rgba", "grey", "palette"],
)
async def test_transparency_is_kept(picture):
    webp = await decode_source(text(encoded(picture)))
    assert opened(webp).mode == "RGBA"
    assert opened(webp).getpixel((8, 8))[3] == 255
    assert opened(webp).getpixel((56, 8))[3] == 0
    assert has_alpha(webp)


@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
async def test_a_source_keeps_each_pixel(mode):
    sent = noise(mode, (128, 96))
    assert opened(await decode_source(text(encoded(sent)))).tobytes() == sent.tobytes()


async def test_a_large_source_takes_little_room(monkeypatch):
    monkeypatch.setattr(checks, "LOSSLESS_PIXELS", 128 * 96)
    small, large = (noise("RGB", size) for size in [(128, 96), (128, 97)])
    kept, packed = [await decode_source(text(encoded(each))) for each in (small, large)]
    assert opened(kept).tobytes() == small.tobytes()
    assert len(packed) < len(kept) / 2


async def test_colours_are_kept_where_they_are_transparent():
    picture = halves("RGB", RED, BLUE, size=(72, 32))  # the border falls within a block of 8 x 8
    picture.putalpha(0)
    made = opened(await decode_source(text(encoded(picture))))
    assert is_near(made.getpixel((33, 12)), (*RED, 0), tolerance=40)
    assert is_near(made.getpixel((38, 12)), (*BLUE, 0), tolerance=40)


async def test_a_colour_said_to_be_transparent_is():
    png = encoded(halves("RGB", RED, BLUE), transparency=BLUE)
    assert opened(await decode_source(text(png))).getpixel((56, 8))[3] == 0


@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
async def test_an_opaque_picture_has_no_alpha(mode):
    webp = await decode_source(text(encoded(Image.new(mode, (64, 32), RED))))
    assert not has_alpha(webp)


@pytest.mark.parametrize(
    ("picture", "left", "right"),
    [
        (halves("P", 1, 2), None, None),
        (halves("1", 0, 1), (0, 0, 0), (255, 255, 255)),
        (halves("L", 40, 200), (40, 40, 40), (200, 200, 200)),
        (SIXTEEN_BITS, (40, 40, 40), (200, 200, 200)),
    ],
    ids=["palette", "bits", "grey", "16 bits"],
)
async def test_other_kinds_of_pixels_become_rgb(picture, left, right):
    if picture.mode == "P":
        picture.putpalette([0, 0, 0, *RED, *BLUE])
        left, right = RED, BLUE
    made = opened(await decode_source(text(encoded(picture))))
    assert made.mode == "RGB"
    assert is_near(made.getpixel((8, 8)), left)
    assert is_near(made.getpixel((56, 8)), right)


async def test_16_bits_in_a_tiff_become_8():
    tiff = encoded(halves("I", 40 * 256, 200 * 256), "TIFF")
    made = opened(await decode_source(text(tiff)))
    assert is_near(made.getpixel((8, 8)), (40, 40, 40))
    assert is_near(made.getpixel((56, 8)), (200, 200, 200))


async def test_cmyk_becomes_rgb():
    jpeg = encoded(Image.new("CMYK", (64, 32), (0, 255, 255, 0)), "JPEG")
    assert opened(jpeg).mode == "CMYK"
    assert is_near(opened(await decode_source(text(jpeg))).getpixel((8, 8)), (254, 0, 0))


async def test_floating_point_pixels_are_refused():
    with pytest.raises(ImageValidationFailed, match="floating-point"):
        await decode_source(text(encoded(Image.new("F", (8, 8), 0.5), "TIFF")))


async def test_a_picture_is_turned_as_its_exif_says_and_its_metadata_stay_behind():
    exif = Image.Exif()
    exif[0x0112] = 6  # turn by 90 degrees clockwise to show it
    exif[0x010E] = "my home"
    jpeg = encoded(halves("RGB", RED, BLUE), "JPEG", exif=exif, icc_profile=b"a profile")
    webp = await decode_source(text(jpeg))
    made = opened(webp)
    assert made.size == (32, 64)
    assert is_near(made.getpixel((8, 8)), RED)
    assert is_near(made.getpixel((8, 56)), BLUE)
    assert b"my home" in jpeg
    assert b"my home" not in webp
    assert "icc_profile" not in made.info


async def test_line_breaks_and_slices_in_base64_do_no_harm(monkeypatch):
    monkeypatch.setattr(pixels, "_SLICE", 77)  # of no length that fits the lines or base64's fours
    content = encoded(halves("RGB", RED, BLUE), "BMP")
    assert len(content) > 1000
    wrapped = base64.encodebytes(content).decode().replace("\n", "\r\n ")
    assert pixels.decode_base64(wrapped.encode()) == content


@pytest.mark.parametrize("size", [(3072, 3072), (16383, 576)])
async def test_the_largest_area_and_side_are_taken(size):
    content = encoded(Image.new("RGB", size), compress_level=1)
    assert opened(await decode_source(text(content))).size == size


@pytest.mark.parametrize(
    ("size", "reason"),
    [((3072, 3073), "3072 x 3073 pixels"), ((16384, 500), "16383"), ((60000, 1), "16383")],
)
async def test_a_larger_area_or_side_is_refused(size, reason):
    with pytest.raises(TooManyPixels, match=reason):
        await decode_source(text(encoded(Image.new("1", size))))


@pytest.mark.parametrize("side", [10_000, 20_000, 2_000_000_000])
async def test_a_decompression_bomb_is_refused_by_its_header(side):
    bomb = png_claiming(side, side)
    assert len(bomb) < 200
    with pytest.raises(ImageValidationFailed, match=r"pixels|damaged"):
        await decode_source(text(bomb))


async def test_a_bomb_of_compressed_text_is_refused():
    png = encoded(Image.new("RGB", (8, 8)))
    data = b"key\0\0" + zlib.compress(b" " * 10_000_000)
    chunk = struct.pack(">I", len(data)) + b"zTXt" + data
    chunk += struct.pack(">I", zlib.crc32(b"zTXt" + data))
    with pytest.raises(ImageValidationFailed, match="damaged"):
        await decode_source(text(png[:33] + chunk + png[33:]))


@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF", "AVIF"])
@pytest.mark.parametrize("kept", [0.3, 0.9])
async def test_a_truncated_file_is_refused(form, kept):
    noise = Image.effect_noise((128, 128), 60).convert("RGB")
    content = encoded(noise, form)
    with pytest.raises(ImageValidationFailed):
        await decode_source(text(content[: int(len(content) * kept)]))


@pytest.mark.parametrize(
    ("sent", "reason"),
    [
        ("", "there is nothing"),
        (text(b"%PDF-1.7 and so on"), "none of"),
        (text(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\n"), "none of"),
        (text(b"<svg xmlns='http://www.w3.org/2000/svg'/>"), "none of"),
        ("not base64, surely!", "not base64"),
        ("ünïé", "not base64"),
        ("data:image/png;base64,iVBORw0KGgo=", "what follows its comma"),
        (" DATA:,x", "what follows its comma"),
        ("_-_-iVBO", "rather than - and _"),
        ("iVBORw0KGg", "cut off"),
    ],
)
async def test_what_is_no_picture_is_refused(sent, reason):
    with pytest.raises(ImageValidationFailed, match=reason) as refusal:
        await decode_source(sent)
    assert refusal.value.message.startswith("Image validation failed")
    assert refusal.value.code == "ImageValidationFailed"


@pytest.mark.filterwarnings("ignore::UserWarning:PIL")  # it warns of damage that it can do with
@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF", "AVIF", "TGA"])
async def test_damage_of_any_kind_is_refused_or_harmless(form):
    chance = random.Random(form)
    content = encoded(Image.effect_noise((48, 48), 60).convert("RGB"), form)
    outcomes = set()
    for _ in range(150):
        damaged = bytearray(content)
        for _ in range(chance.randint(1, 8)):
            # Headers are where a decoder can be misled, so they get half of the damage.
            end = chance.choice([min(64, len(content)), len(content)])
            damaged[chance.randrange(end)] = chance.randrange(256)
        try:
            outcomes.add(opened(await decode_source(text(bytes(damaged)))).format)
        except ImageValidationFailed:
            outcomes.add("refused")
    assert outcomes <= {"refused", "WEBP"}
    assert "refused" in outcomes


async def test_a_palette_that_is_missing_is_damage():
    content = encoded(Image.new("P", (4, 4)), "PNG")
    at = content.index(b"PLTE") - 4
    length = 12 + int.from_bytes(content[at : at + 4], "big")
    with pytest.raises(ImageValidationFailed, match="damaged"):
        await decode_source(text(content[:at] + content[at + length :]))


async def test_a_workers_webp_stays_as_it_is():
    webp = encoded(halves("RGB", RED, BLUE), "WEBP", quality=80)
    assert await to_webp_from_base64(text(webp)) == webp


async def test_a_workers_other_picture_becomes_webp():
    made = await to_webp_from_base64(text(encoded(halves("RGB", RED, BLUE))))
    assert opened(made).format == "WEBP"
    assert is_near(opened(made).getpixel((8, 8)), RED, tolerance=4)


async def test_a_workers_animation_becomes_a_still():
    webp = encoded(
        Image.new("RGB", (64, 32), RED),
        "WEBP",
        save_all=True,
        append_images=[Image.new("RGB", (64, 32), BLUE)],
    )
    assert opened(webp).n_frames == 2
    assert opened(await to_webp_from_base64(text(webp))).n_frames == 1


async def test_a_workers_truncated_webp_is_refused():
    webp = encoded(Image.effect_noise((128, 128), 60).convert("RGB"), "WEBP")
    with pytest.raises(ImageValidationFailed):
        await to_webp_from_base64(text(webp[: len(webp) // 2]))


async def test_the_event_loop_goes_on_while_a_large_picture_is_decoded():
    picture = Image.new("RGB", (2048, 2048))
    ImageDraw.Draw(picture).ellipse((0, 0, 2048, 2048), fill=RED)
    picture = Image.blend(picture, Image.effect_noise((2048, 2048), 80).convert("RGB"), 0.5)
    work = asyncio.create_task(decode_source(text(encoded(picture, compress_level=1))))
    turns = 0
    while not work.done():
        await asyncio.sleep(0.005)
        turns += 1
    assert len(await work) > 10_000
    assert turns > 10


async def test_an_upload_that_is_a_clean_webp_stays_as_it_is_without_a_decoder():
    webp = encoded(halves("RGB", RED, BLUE), "WEBP")
    assert await checks.to_webp(None, webp, caller="somebody") is webp


async def test_an_upload_of_another_format_becomes_webp():
    for form in ("PNG", "JPEG", "GIF"):
        assert opened(await to_webp(encoded(halves("RGB", RED, BLUE), form))).format == "WEBP"


async def test_an_upload_that_is_no_picture_is_refused():
    with pytest.raises(ImageValidationFailed, match="none of"):
        await to_webp(b"<html>no picture</html>")
    with pytest.raises(TooManyPixels):
        await to_webp(png_claiming(20_000, 20_000))
    with pytest.raises(ImageValidationFailed, match="damaged"):
        await to_webp(encoded(halves("RGB", RED, BLUE))[:20])


def profile_turning_red_into_green():
    """An RGB profile whose red is sRGB's green, and the other way round."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    entries = {}
    for number in range(struct.unpack_from(">I", profile, 128)[0]):
        at = 132 + 12 * number
        entries[bytes(profile[at : at + 4])] = at
    red, green = entries[b"rXYZ"], entries[b"gXYZ"]
    profile[red + 4 : red + 12], profile[green + 4 : green + 12] = (
        profile[green + 4 : green + 12],
        profile[red + 4 : red + 12],
    )
    return bytes(profile)


@pytest.mark.parametrize(
    ("form", "mode"),
    [(form, "RGB") for form in ("PNG", "JPEG", "TIFF", "WEBP")]
    + [("PNG", "RGBA"), ("WEBP", "RGBA"), ("PNG", "P"), ("TIFF", "P")],
)
async def test_colours_are_converted_by_their_profile(form, mode):
    picture = halves("RGB", (230, 20, 20), (20, 20, 230))
    picture = picture.quantize(4) if mode == "P" else picture.convert(mode)
    sent = encoded(picture, form, icc_profile=profile_turning_red_into_green())
    for made in (await decode_source(text(sent)), await to_webp(sent)):
        assert is_near(opened(made).getpixel((8, 8))[:3], (20, 230, 20))
        assert is_near(opened(made).getpixel((56, 8))[:3], (20, 20, 230))
        assert "icc_profile" not in opened(made).info


async def test_transparency_stays_where_colours_are_converted():
    picture = halves("RGBA", (230, 20, 20, 255), (20, 20, 230, 0))
    sent = encoded(picture, icc_profile=profile_turning_red_into_green())
    made = opened(await decode_source(text(sent)))
    assert is_near(made.getpixel((8, 8)), (20, 230, 20, 255))
    assert made.getpixel((56, 8))[3] == 0


@pytest.mark.parametrize("mode", ["L", "LA", "CMYK", "RGB"])
async def test_a_profile_of_other_pixels_or_none_changes_nothing(mode):
    picture = Image.new("RGB", (16, 16), (120, 120, 120)).convert(mode)
    form = "TIFF" if mode == "CMYK" else "PNG"
    plain = await decode_source(text(encoded(picture, form)))
    wrong = b"no profile" if mode == "RGB" else profile_turning_red_into_green()
    assert await decode_source(text(encoded(picture, form, icc_profile=wrong))) == plain


async def test_grey_is_converted_by_its_profile():
    """Linear light: half of it looks much brighter than the middle of sRGB's scale."""
    picture = Image.new("L", (16, 16), 55)
    made = opened(await decode_source(text(encoded(picture, icc_profile=linear_grey()))))
    assert is_near(made.getpixel((8, 8)), (128, 128, 128), tolerance=6)


def linear_grey():
    """A grey profile of gamma 1, as small as one can be."""
    white = b"XYZ \0\0\0\0" + struct.pack(">3i", 63190, 65536, 54061)
    curve = b"curv\0\0\0\0" + struct.pack(">I", 0)
    name = b"desc\0\0\0\0" + struct.pack(">I", 2) + b"x\0" + bytes(78)
    parts, table, at = [], [], 128 + 4 + 3 * 12
    for kind, part in ((b"wtpt", white), (b"kTRC", curve), (b"desc", name)):
        padded = part + bytes(-len(part) % 4)
        table.append(struct.pack(">4sII", kind, at, len(part)))
        parts.append(padded)
        at += len(padded)
    head = bytearray(128)
    struct.pack_into(">I", head, 0, at)
    head[8:24] = b"\x02\x10\0\0mntrGRAYXYZ "
    head[36:40] = b"acsp"
    struct.pack_into(">3i", head, 68, 63190, 65536, 54061)
    return bytes(head) + struct.pack(">I", 3) + b"".join(table) + b"".join(parts)
