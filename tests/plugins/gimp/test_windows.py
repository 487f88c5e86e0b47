"""The plug-in's dialog in a GIMP with windows, on a screen of its own."""

import os
import time
from pathlib import Path

import pytest
from PIL import Image

import real_gimp
from test_procedures import left, photo

pytestmark = [pytest.mark.gimp, pytest.mark.model, pytest.mark.timeout(600)]

OPEN = """
image = opened("photo.png")
display = Gimp.Display.new(image)
image.select_ellipse(Gimp.ChannelOps.REPLACE, 120, 60, 90, 80)
Gimp.displays_flush()
answer = image.get_id()
"""
ASK = """
image = Gimp.Image.get_by_id(image_id)
answer = plainly(call("fill", image, image.get_layers(), interactive=True, steps=40, seed="3"))
answer["layers"] = len(image.get_layers())
"""


@pytest.fixture
def gimp(horde):
    """A GIMP with windows, whose plug-in knows the horde."""
    user = horde.user("Looker", oauth_id="g_looker")
    environment = {"HORDE_URL": horde.url, "HORDE_API_KEY": user.key}
    with real_gimp.running(real_gimp.WINDOWED, **environment) as running:
        yield running


def keep(gimp, name):
    """Keep a screenshot for the documentation, where a folder for it is named."""
    if folder := os.environ.get("GIMP_PICTURES"):
        with Image.open(gimp.work / name) as picture:
            small = picture.convert("RGB").crop((0, 0, 842, 786)).quantize(128)
            small.save(Path(folder) / f"gimp-{name}", optimize=True)


def test_a_selection_is_filled_by_the_dialog(gimp):
    photo(gimp.work / "photo.png")
    image_id = gimp.first.run(OPEN)
    gimp.first.send(ASK, image_id=image_id)
    screen = real_gimp.Screen(gimp)
    screen.wait_for("Fill Selection")
    screen.type("a red apple")
    screen.settle()
    screen.shot("dialog.png")
    keep(gimp, "dialog.png")
    screen.press("alt+o")
    ends = time.monotonic() + 60
    while not left(gimp).all():  # the window is there as soon as the request is queued
        assert time.monotonic() < ends
        time.sleep(0.05)
    screen.shot("waiting.png")
    keep(gimp, "waiting.png")
    answer = gimp.first.receive()
    assert (answer["status"], answer["layers"]) == ("success", 2)
    with Image.open(gimp.work / "dialog.png") as shown:
        assert shown.size == (1200, 800)
    screen.focus("Untitled")
    screen.shot("after.png")
    keep(gimp, "after.png")
    screen.press("ctrl+z")
    screen.settle()
    layers = gimp.first.run(
        "answer = len(Gimp.Image.get_by_id(image_id).get_layers())", image_id=image_id
    )
    assert layers == 1
