"""Each procedure in a real GIMP 3, against a real server and a worker with the shipped model."""

import json

import pytest
from PIL import Image, ImageChops, ImageDraw

import stand_ins
from patience import until
from records import left, record
from stable_horde.places import Place
from stable_horde.regions import Box, Region
from stable_horde.wanted import Wanted
from stable_horde.wire import Horde

DONE = {"status": "success", "message": "", "text": ""}
FILL = {"prompt": "a red apple", "steps": 6, "seed": "3"}

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


def outside(difference, box):
    """What of a difference is beyond a box."""
    inside = Image.new("L", difference.size)
    ImageDraw.Draw(inside).rectangle((box[0], box[1], box[2] - 1, box[3] - 1), fill=255)
    return ImageChops.subtract(difference, inside)


def mostly(difference):
    return difference.histogram()[255] > 0.9 * difference.width * difference.height


def test_text_becomes_a_new_image_of_the_asked_size(gimp):
    answer = gimp.run(
        """
        made = call("generate", prompt="a red fox on a blue background", width=250, height=192,
                    steps=8, seed="7")
        image = made["result"]
        save(image, "made.png")
        answer = {**plainly(made), "size": [image.get_width(), image.get_height()]}
        answer["name"] = image.get_layers()[0].get_name()
        image.delete()
        """
    )
    assert answer == {**DONE, "size": [250, 192], "name": "7 · horde-tiny"}
    red, _, blue = Image.open(gimp.work / "made.png").convert("RGB").getpixel((4, 4))
    assert blue > red


def test_a_fill_changes_what_is_selected_and_nothing_else(gimp):
    before = photo(gimp.work / "photo.png")
    answer = gimp.run(
        """
        image = opened("photo.png")
        image.select_ellipse(Gimp.ChannelOps.REPLACE, 120, 60, 90, 80)
        answer = plainly(call("fill", image, image.get_layers(), **fill))
        save(image, "filled.png")
        answer["layers"] = len(image.get_layers())
        answer["masked"] = image.get_layers()[0].get_mask() is not None
        answer["selected"] = list(Gimp.Selection.bounds(image))[1:]
        image.delete()
        """,
        fill=FILL,
    )
    selected = [True, 120, 60, 210, 140]
    assert answer == {**DONE, "layers": 2, "masked": True, "selected": selected}
    difference = changed(before, Image.open(gimp.work / "filled.png").convert("RGB"))
    assert outside(difference, (120, 60, 210, 140)).getbbox() is None
    assert mostly(difference.crop((135, 75, 195, 125)))


def test_a_feathered_selection_becomes_the_mask_of_each_of_several_results(gimp):
    photo(gimp.work / "photo.png")
    answer = gimp.run(
        """
        image = opened("photo.png")
        image.select_ellipse(Gimp.ChannelOps.REPLACE, 100, 50, 110, 100)
        Gimp.Selection.feather(image, 20)
        whole = Gegl.Rectangle.new(0, 0, 300, 220)
        selected = image.get_selection().get_buffer().get(whole, 1, "Y u8", Gegl.AbyssPolicy.NONE)
        answer = plainly(call("fill", image, image.get_layers(), n=2, **fill))
        Gimp.Selection.none(image)
        answer["tree"] = tree(image.get_layers())
        group = image.get_layers()[0]
        answer["seen"] = [layer.get_visible() for layer in group.get_children()]
        same = []
        for layer in group.get_children():
            _, x, y = layer.get_offsets()
            part = Gegl.Rectangle.new(-x, -y, 300, 220)
            mask = layer.get_mask().get_buffer().get(part, 1, "Y u8", Gegl.AbyssPolicy.NONE)
            same.append(bytes(mask) == bytes(selected))
        answer["same"] = same
        answer["levels"] = len(set(selected)) > 50
        image.delete()
        """,
        fill=FILL,
    )
    names = [["a red apple", ["3 · horde-tiny", "4 · horde-tiny"]], "Background"]
    assert answer.pop("tree") == names
    assert answer == {**DONE, "seen": [True, False], "same": [True, True], "levels": True}


def test_an_extended_canvas_keeps_what_was_there(gimp):
    before = photo(gimp.work / "photo.png")
    answer = gimp.run(
        """
        image = opened("photo.png")
        answer = plainly(call("extend", image, image.get_layers(), prompt="a beach", steps=4,
                              left=40, bottom=30))
        answer["size"] = [image.get_width(), image.get_height()]
        save(image, "extended.png")
        image.delete()
        """
    )
    assert answer == {**DONE, "size": [340, 250]}
    after = Image.open(gimp.work / "extended.png")
    assert changed(before, after.convert("RGB").crop((40, 0, 340, 220))).getbbox() is None
    new = after.convert("RGBA").crop((0, 0, 40, 250))
    assert new.getchannel("A").getextrema() == (255, 255)
    assert max(high - low for low, high in new.convert("RGB").getextrema()) > 20


def test_a_reworked_layer_keeps_its_place_and_its_transparency(gimp):
    photo(gimp.work / "photo.png")
    answer = gimp.run(
        """
        image = opened("photo.png")
        layer = Gimp.Layer.new(image, "part", 100, 80, Gimp.ImageType.RGBA_IMAGE, 100,
                               Gimp.LayerMode.NORMAL)
        image.insert_layer(layer, None, 0)
        layer.set_offsets(-20, 150)
        image.select_rectangle(Gimp.ChannelOps.REPLACE, -20, 150, 60, 80)
        layer.edit_fill(Gimp.FillType.WHITE)
        Gimp.Selection.none(image)
        save(image, "before.png")
        answer = plainly(call("rework", image, [layer], prompt="an apple on a blue background",
                              steps=6, strength=0.9))
        made = image.get_layers()[0]
        answer["place"] = list(made.get_offsets())[1:] + [made.get_width(), made.get_height()]
        answer["layers"] = len(image.get_layers())
        save(image, "after.png")
        image.delete()
        """
    )
    assert answer == {**DONE, "place": [-20, 150, 100, 80], "layers": 3}
    before, after = (
        Image.open(gimp.work / f"{name}.png").convert("RGB") for name in ("before", "after")
    )
    difference = changed(before, after)
    assert outside(difference, (0, 150, 40, 220)).getbbox() is None
    assert mostly(difference.crop((0, 150, 40, 220)))


def test_an_upscaled_image_is_a_new_one_four_times_as_large(gimp):
    photo(gimp.work / "photo.png", (40, 30))
    answer = gimp.run(
        """
        image = opened("photo.png")
        made = call("upscale", image, image.get_layers(), upscaler="RealESRGAN_x4plus")
        answer = plainly(made)
        large = made["result"]
        answer["size"] = [large.get_width(), large.get_height()]
        answer["same"] = plainly(call("upscale", image, image.get_layers(), as_layer=True))
        answer["layers"] = len(image.get_layers())
        large.delete()
        image.delete()
        """
    )
    assert answer == {**DONE, "size": [160, 120], "same": DONE, "layers": 2}


def test_a_background_is_masked(gimp, stand_in):
    stand_in(stand_ins.Describer)
    before = photo(gimp.work / "photo.png")
    answer = gimp.run(
        """
        image = opened("photo.png")
        answer = plainly(call("remove-background", image, image.get_layers()))
        save(image, "cut.png")
        image.delete()
        """
    )
    assert answer == DONE
    cut = Image.open(gimp.work / "cut.png").convert("RGBA")
    assert (cut.getpixel((2, 2))[3], cut.getpixel((150, 110))[3]) == (0, 255)
    assert cut.getpixel((150, 110))[:3] == before.getpixel((150, 110))


def test_a_description_is_said_and_kept(gimp, stand_in):
    stand_in(stand_ins.Describer)
    photo(gimp.work / "photo.png")
    answer = gimp.run(
        """
        image = opened("photo.png")
        answer = plainly(call("describe", image, image.get_layers(), as_comment=True,
                              forms="caption, interrogation, palette"))
        answer["comment"] = bytes(image.get_parasite("gimp-comment").get_data()).decode()
        image.delete()
        """
    )
    lines = answer["text"].split("\n")
    assert answer["status"] == "success"
    assert stand_ins.CAPTION in lines
    assert "Tags: table, ball" in lines
    assert any(line.startswith("Colours: #") for line in lines)
    assert answer["comment"] == answer["text"]


def test_a_result_is_repeated_by_what_is_stored_with_its_layer(gimp):
    before = photo(gimp.work / "photo.png")
    answer = gimp.run(
        """
        image = opened("photo.png")
        image.select_ellipse(Gimp.ChannelOps.REPLACE, 120, 60, 90, 80)
        call("fill", image, image.get_layers(), **fill)
        Gimp.Selection.none(image)
        first = image.get_layers()[0]
        answer = plainly(call("repeat", image, [first], seed="3"))
        second = image.get_layers()[0]
        names = [first.get_name(), second.get_name()]
        save(image, "repeated.png")
        parasite = second.get_parasite("stable-horde-parameters")
        answer.update(names=names, stored=bytes(parasite.get_data()).decode())
        image.delete()
        """,
        fill=FILL,
    )
    assert answer["message"] == ""
    assert answer["names"][0] == "3 · horde-tiny"
    stored = json.loads(answer["stored"])["wanted"]
    assert (stored["prompt"], stored["steps"], stored["seed"]) == ("a red apple", 6, "3")
    difference = changed(before, Image.open(gimp.work / "repeated.png").convert("RGB"))
    assert outside(difference, (120, 60, 210, 140)).getbbox() is None
    assert mostly(difference.crop((135, 75, 195, 125)))


def test_the_status_says_whose_key_it_is_and_what_is_offered(gimp):
    answer = gimp.run("""answer = plainly(call("status"))""")
    assert "Painter#" in answer["text"]
    assert "horde-tiny" in answer["text"]


def queued(gimp):
    """The record of the request that the plug-in has made."""
    return until(left(gimp).all)[0]


def test_a_request_that_is_cancelled_leaves_the_image_alone(gimp, horde):
    """By a model that nobody has; it is cancelled at the horde."""
    photo(gimp.work / "photo.png")
    gimp.first.send(
        """
        image = opened("photo.png")
        image.select_ellipse(Gimp.ChannelOps.REPLACE, 120, 60, 90, 80)
        answer = plainly(call("fill", image, image.get_layers(), model="stable_diffusion", **fill))
        answer["layers"] = len(image.get_layers())
        answer["dirty"] = image.is_dirty()
        image.delete()
        """,
        fill=FILL,
    )
    Horde(horde.url).cancel(queued(gimp).id)
    answer = gimp.first.receive()
    assert answer["status"] == "execution-error"
    assert "cancelled elsewhere" in answer["message"]
    assert answer["layers"] == 1
    assert left(gimp).all() == []


def test_what_was_left_by_another_run_of_gimp_is_fetched_as_an_image(gimp, horde, stand_in):
    asked = Horde(horde.url).ask(Wanted("a fox", model=stand_ins.ECHOED).body(128, 64))
    region = Region(Box(0, 0, 100, 64), (100, 64), (128, 64))
    kept = record(asked["id"], site=horde.url, image=1, place=Place(region).stored())
    left(gimp).add(kept)
    stand_in(stand_ins.Echo)
    answer = gimp.run(
        """
        fetched = call("fetch")
        image = fetched["result"]
        answer = {**plainly(fetched), "size": [image.get_width(), image.get_height()]}
        image.delete()
        """
    )
    assert answer == {**DONE, "size": [100, 64]}
    assert left(gimp).all() == []


def test_a_fill_without_a_selection_says_so_and_leaves_the_image_alone(gimp):
    photo(gimp.work / "photo.png")
    answer = gimp.run(
        """
        image = opened("photo.png")
        answer = plainly(call("fill", image, image.get_layers(), prompt="a red apple"))
        answer["layers"] = len(image.get_layers())
        answer["dirty"] = image.is_dirty()
        image.delete()
        """
    )
    assert answer["status"] == "execution-error"
    assert answer["message"] == "Nothing is selected: select what is to be filled first."
    assert (answer["layers"], answer["dirty"]) == (1, False)
