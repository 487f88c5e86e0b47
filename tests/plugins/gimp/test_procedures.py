"""Each procedure in a real GIMP 3, against a real server and a worker with the shipped model."""

import pytest
from PIL import Image, ImageChops, ImageDraw

pytestmark = [pytest.mark.gimp, pytest.mark.model, pytest.mark.timeout(400)]


def photo(path, size=(300, 220)):
    """A picture with soft colours everywhere, so that no change of a pixel can hide."""
    image = Image.radial_gradient("L").resize(size)
    across = Image.linear_gradient("L").rotate(90).resize(size)
    Image.merge("RGB", (image, across, ImageChops.invert(image))).save(path)
    return Image.open(path).convert("RGB")


def changed(before, after):
    """A picture that is white where two differ in any channel."""
    red, green, blue = ImageChops.difference(before, after).split()
    most = ImageChops.lighter(ImageChops.lighter(red, green), blue)
    return most.point(lambda value: 255 if value else 0)


def test_text_becomes_a_new_image_of_the_asked_size(gimp):
    answer = gimp.run(
        """
        made = call("generate", prompt="a red fox on a blue background", width=256, height=192,
                    steps=8, seed="7")
        image = made.pop("result")
        save(image, "made.png")
        layer = image.get_layers()[0]
        answer = {**made, "size": [image.get_width(), image.get_height()], "name": layer.get_name()}
        image.delete()
        """
    )
    assert answer == {
        "status": "success",
        "message": "",
        "size": [256, 192],
        "name": "7 · horde-tiny",
    }
    red, _, blue = Image.open(gimp.work / "made.png").convert("RGB").getpixel((4, 4))
    assert blue > red


def test_a_fill_changes_what_is_selected_and_nothing_else(gimp):
    before = photo(gimp.work / "photo.png")
    answer = gimp.run(
        """
        image = opened("photo.png")
        image.select_ellipse(Gimp.ChannelOps.REPLACE, 120, 60, 90, 80)
        answer = call("fill", image, image.get_layers(), prompt="a red apple", steps=8, seed="3")
        answer.pop("result")
        save(image, "filled.png")
        answer["layers"] = len(image.get_layers())
        answer["masked"] = image.get_layers()[0].get_mask() is not None
        image.delete()
        """
    )
    assert answer == {"status": "success", "message": "", "layers": 2, "masked": True}
    after = Image.open(gimp.work / "filled.png").convert("RGB")
    difference = changed(before, after)
    inside = Image.new("L", before.size)
    ImageDraw.Draw(inside).rectangle((120, 60, 209, 139), fill=255)
    outside = ImageChops.subtract(difference, inside)
    assert outside.getbbox() is None
    middle = difference.crop((135, 75, 195, 125))
    assert middle.histogram()[255] > 0.9 * middle.width * middle.height


def test_a_fill_without_a_selection_says_so_and_leaves_the_image_alone(gimp):
    photo(gimp.work / "photo.png")
    answer = gimp.run(
        """
        image = opened("photo.png")
        answer = call("fill", image, image.get_layers(), prompt="a red apple")
        answer.pop("result")
        answer["layers"] = len(image.get_layers())
        answer["dirty"] = image.is_dirty()
        image.delete()
        """
    )
    assert answer["status"] == "execution-error"
    assert answer["message"] == "Nothing is selected: select what is to be filled first."
    assert (answer["layers"], answer["dirty"]) == (1, False)
