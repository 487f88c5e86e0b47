"""Images of every shape: a worker gives back what was sent, so that any shift of colours shows."""

import pytest
from PIL import Image, ImageChops

import stand_ins
from test_procedures import DONE, changed, outside, photo

pytestmark = [pytest.mark.gimp, pytest.mark.model, pytest.mark.timeout(400)]

FILL = {"prompt": "the same", "model": stand_ins.ECHOED, "strength": 0.01, "context": 300}
SIZE = (640, 576)
"""Multiples of 64, and enough that nothing is enlarged on its way."""
MAX_SHIFT = 2
"""Levels of 256: a server keeps sources of this size as they are."""
SELECTED = (120, 60, 420, 310)

WIDE = {"wide gamut": "Adobe RGB", "linear profile": "Linear sRGB"}

MADE = """
NO_DITHER, GENERATED = Gimp.ConvertDitherType.NONE, Gimp.ConvertPaletteType.GENERATE
image = opened("photo.png")
{change}
save(image, "before.png")
image.select_rectangle(Gimp.ChannelOps.REPLACE, 120, 60, 300, 250)
profile = image.get_effective_color_profile().get_label()
answer = plainly(call("fill", image, image.get_selected_layers(), **fill))
assert image.get_effective_color_profile().get_label() == profile
answer["profile"] = profile
answer["kept"] = image.get_precision().value_nick, image.get_base_type().value_nick
save(image, "after.png")
image.delete()
"""

CONVERTED = """
image.convert_precision(Gimp.Precision.U16_NON_LINEAR)
image.convert_color_profile(Gimp.ColorProfile.new_{profile}(),
                            Gimp.ColorRenderingIntent.RELATIVE_COLORIMETRIC, True)
"""
CHANGES = {
    "16 bits": ("image.convert_precision(Gimp.Precision.U16_NON_LINEAR)", "u16-non-linear"),
    # Not U8_LINEAR: what GIMP 3.0.4 makes of this picture is noise before the plug-in sees it.
    "linear light": ("image.convert_precision(Gimp.Precision.U16_LINEAR)", "u16-linear"),
    "floating point": ("image.convert_precision(Gimp.Precision.FLOAT_LINEAR)", "float-linear"),
    "wide gamut": (CONVERTED.format(profile="rgb_adobe"), "u16-non-linear"),
    "linear profile": (CONVERTED.format(profile="rgb_srgb_linear"), "u16-non-linear"),
    "grey": ("image.convert_grayscale()", "u8-non-linear"),
    "indexed": (
        "image.convert_indexed(NO_DITHER, GENERATED, 64, False, False, '')",
        "u8-non-linear",
    ),
}
"""What is done to an image, and its precision then."""


def shift(before, after):
    """By how many levels a pixel of what was filled differs from what it was, at most."""
    before, after = before.crop(SELECTED), after.crop(SELECTED)
    return max(most for _least, most in ImageChops.difference(before, after).getextrema())


@pytest.mark.parametrize("name", CHANGES)
def test_colours_come_back_unshifted(gimp, stand_in, name):
    change, precision = CHANGES[name]
    photo(gimp.work / "photo.png", SIZE)
    stand_in(stand_ins.Echo)
    answer = gimp.run(MADE.format(change=change), fill=FILL)
    profile = answer.pop("profile")
    assert WIDE.get(name, "sRGB") in profile
    kind = {"grey": "gray", "indexed": "indexed"}.get(name, "rgb")
    assert answer == {**DONE, "kept": [precision, kind]}
    before, after = (
        Image.open(gimp.work / f"{name}.png").convert("RGB") for name in ("before", "after")
    )
    assert outside(changed(before, after), SELECTED).getbbox() is None
    # Of a palette the nearest colour is taken, which may be far.
    assert name == "indexed" or shift(before, after) <= MAX_SHIFT


def test_one_pixel_of_a_very_large_canvas_is_filled(gimp, stand_in):
    stand_in(stand_ins.Echo)
    answer = gimp.run(
        """
        image = Gimp.Image.new(12000, 8000, Gimp.ImageBaseType.RGB)
        layer = Gimp.Layer.new(image, "small", 500, 400, Gimp.ImageType.RGB_IMAGE, 100,
                               Gimp.LayerMode.NORMAL)
        image.insert_layer(layer, None, 0)
        layer.set_offsets(6000, 4000)
        image.select_rectangle(Gimp.ChannelOps.REPLACE, 6100, 4100, 1, 1)
        answer = plainly(call("fill", image, [layer], **{**fill, "context": 0}))
        made = image.get_layers()[0]
        answer["place"] = list(made.get_offsets())[1:] + [made.get_width(), made.get_height()]
        image.select_rectangle(Gimp.ChannelOps.REPLACE, 10, 10, 50, 50)
        answer["outside"] = call("fill", image, [layer], **{**fill, "context": 0})["message"]
        image.delete()
        """,
        fill=FILL,
    )
    assert answer == {
        **DONE,
        "place": [6068, 4068, 65, 65],
        "outside": "Nothing visible is in this place: there is nothing to start from.",
    }


def test_masks_offsets_and_several_selected_layers_are_as_they_are_seen(gimp, stand_in):
    stand_in(stand_ins.Echo)
    photo(gimp.work / "photo.png", SIZE)
    change = """
layer = image.get_layers()[0]
above = Gimp.Layer.new(image, "above", 150, 120, Gimp.ImageType.RGBA_IMAGE, 50,
                       Gimp.LayerMode.MULTIPLY)
image.insert_layer(above, None, 0)
above.fill(Gimp.FillType.FOREGROUND)
above.set_offsets(100, -20)
above.add_mask(above.create_mask(Gimp.AddMaskType.WHITE))
image.set_selected_layers([layer, above])
"""
    answer = gimp.run(MADE.format(change=change), fill=FILL)
    assert answer["status"] == "success"
    before, after = (
        Image.open(gimp.work / f"{name}.png").convert("RGB") for name in ("before", "after")
    )
    assert outside(changed(before, after), SELECTED).getbbox() is None
    assert shift(before, after) <= MAX_SHIFT


@pytest.mark.parametrize(
    ("state", "said"), [("censored", "safety check"), ("faulted", "Workers could not make it")]
)
def test_what_is_not_made_is_told_and_leaves_the_image_alone(gimp, stand_in, state, said):
    photo(gimp.work / "photo.png", SIZE)
    stand_ins_of_three = [stand_in(stand_ins.Echo) for _ in range(3 if state == "faulted" else 1)]
    for worker in stand_ins_of_three:
        worker.state = state
    answer = gimp.run(
        """
        image = opened("photo.png")
        image.select_rectangle(Gimp.ChannelOps.REPLACE, 120, 60, 90, 80)
        answer = plainly(call("fill", image, image.get_layers(), **fill))
        answer["same"] = [len(image.get_layers()), image.is_dirty()]
        image.delete()
        """,
        fill=FILL,
    )
    assert answer["status"] == "execution-error"
    assert said in answer["message"]
    assert answer["same"][0] == 1
