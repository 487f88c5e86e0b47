"""The plug-in's dialogs in a GIMP with windows, on a screen of its own."""

import contextlib
import os
from pathlib import Path

import pytest
from PIL import Image

import real_gimp
import scenery
import stand_ins
from patience import until
from records import left, record
from stable_horde.settings import Settings
from stable_horde.wanted import Wanted
from stable_horde.wire import Horde
from test_interruptions import SAVE
from test_procedures import DONE, photo, queued
from test_shapes import SIZE

FOLDER = os.environ.get("GIMP_PICTURES")
pytestmark = [pytest.mark.gimp, pytest.mark.model, pytest.mark.timeout(600)]

OPEN = """
image = opened("photo.png")
display = Gimp.Display.new(image)
image.select_ellipse(Gimp.ChannelOps.REPLACE, *selected)
Gimp.displays_flush()
answer = image.get_id()
"""
ASK = """
image = Gimp.Image.get_by_id(image_id)
made = call("fill", image, image.get_selected_layers(), interactive=True, **fill)
"""
LAYERS = """answer = len(Gimp.Image.get_by_id(image_id).get_layers())"""
CLOSE = """
display.delete()
"""
SELECTED = (120, 60, 90, 80)
TITLES = {
    "generate": "New Picture from Text",
    "extend": "Extend Canvas",
    "rework": "Rework Layer",
    "upscale": "Upscale",
    "describe": "Describe Image",
}


@contextlib.contextmanager
def shown(horde, **environment):
    """A GIMP with windows, and its screen."""
    with (
        real_gimp.installed() as work,
        real_gimp.running(work, real_gimp.WINDOWED, HORDE_URL=horde.url, **environment) as running,
    ):
        yield running, real_gimp.Screen(running)


@pytest.fixture(scope="module")
def in_front(horde):
    """A GIMP with windows, whose plug-in knows the horde, and its screen."""
    user = horde.user("Looker", oauth_id="g_looker")
    with shown(horde, HORDE_API_KEY=user.key) as both:
        yield both


@pytest.fixture
def gimp(in_front):
    """That GIMP, where nothing is left of the test before."""
    for kept in left(in_front[0]).all():
        left(in_front[0]).remove(kept.id)
    return in_front[0]


@pytest.fixture
def screen(in_front):
    """Its screen."""
    return in_front[1]


def keep(gimp, screen, name, *part):
    """Keep a screenshot for the documentation, where a folder for it is named."""
    if FOLDER:
        screen.settle()
        screen.shot("shot.png", *part)
        with Image.open(gimp.work / "shot.png") as picture:
            seen = picture.convert("RGB")
            small = seen.crop(seen.getbbox()).quantize(128)  # an empty screen is black
            small.save(Path(FOLDER) / f"gimp-{name}.png", optimize=True)


def test_a_selection_is_filled_by_the_dialog(gimp, screen, worker):
    photo(gimp.work / "photo.png")
    image_id = gimp.first.run(OPEN, selected=SELECTED)
    with worker.engine_stopped():
        gimp.first.send(
            ASK + """answer = made["status"]""", image_id=image_id, fill={"steps": 8, "seed": "3"}
        )
        screen.wait_for("Fill Selection")
        screen.type("a red apple")
        keep(gimp, screen, "dialog")
        screen.press("alt+o")
        request = queued(gimp)
        until(lambda: Horde(request.site).check(request.id)["processing"])
        keep(gimp, screen, "waiting")
    assert gimp.first.receive() == "success"
    assert gimp.second.run(LAYERS, image_id=image_id) == 2
    screen.focus("Untitled")
    keep(gimp, screen, "after")
    screen.press("ctrl+z")
    until(lambda: gimp.second.run(LAYERS, image_id=image_id) == 1)
    gimp.first.run(CLOSE)


@pytest.mark.parametrize("name", TITLES)
def test_a_dialog_that_is_cancelled_changes_nothing(gimp, screen, name):
    photo(gimp.work / "photo.png")
    gimp.first.run(OPEN, selected=SELECTED)
    gimp.first.send(
        """
        answer = call(name, image, image.get_selected_layers(), interactive=True)["status"]
        answer = [answer, len(image.get_layers())]
        """,
        name=name,
    )
    screen.wait_for(TITLES[name])
    keep(gimp, screen, name, "window")
    screen.press("Escape")
    assert gimp.first.receive() == ["cancel", 1]
    gimp.first.run(CLOSE)


def test_settings_are_tried_and_kept(gimp, screen, horde):
    gimp.first.send("""answer = call("settings", interactive=True)["status"]""")
    screen.wait_for("AI Horde: settings")
    screen.type(horde.url)
    screen.press("alt+t")
    keep(gimp, screen, "settings", "window")
    screen.press("alt+s")
    assert gimp.first.receive() == "success"
    assert Settings.load(gimp.work / "profile" / "stable-horde", {}).url == horde.url


def test_the_status_cancels_what_was_left(gimp, screen, horde):
    asked = Horde(horde.url).ask(Wanted("a fox", model=stand_ins.ECHOED).body(128, 64))
    left(gimp).add(record(asked["id"], site=horde.url))
    gimp.first.send("""answer = call("status", interactive=True)["status"]""")
    screen.wait_for("AI Horde: status")
    keep(gimp, screen, "status", "window")
    screen.press("alt+n")
    until(lambda: not left(gimp).all())
    assert Horde(horde.url).check(asked["id"])["waiting"] == 0
    screen.wait_for("AI Horde: status")
    screen.press("Escape")
    assert gimp.first.receive() == "success"


def test_what_becomes_of_an_image_that_is_closed_meanwhile_is_fetched_as_one_of_its_own(
    gimp, screen, worker
):
    photo(gimp.work / "photo.png", SIZE)
    image_id = gimp.first.run(OPEN, selected=(0, 0, *SIZE))
    display_id = gimp.first.run("answer = display.get_id()")
    with worker.engine_stopped():
        fill = {"prompt": "a red apple", "steps": 4}
        gimp.first.send(ASK + """answer = made["status"]""", image_id=image_id, fill=fill)
        screen.wait_for("Fill Selection")
        screen.press("alt+o")
        queued(gimp)
        gimp.second.run("Gimp.Display.get_by_id(number).delete()", number=display_id)
    assert gimp.first.receive() == "success"
    assert "its image was closed" in gimp.first.run("""answer = call("status")["text"]""")
    answer = gimp.first.run("""made = call("fetch")""" + SAVE)
    with Image.open(gimp.work / "result.png") as result:
        assert (answer, result.size) == (DONE, SIZE)
    assert left(gimp).all() == []


def test_what_is_shown_in_the_documentation(gimp, screen):
    """A fill and an extension of a picture with the grain of a camera."""
    before = scenery.beach()
    before.save(gimp.work / "photo.png")
    image_id = gimp.first.run(OPEN, selected=(300, 250, 110, 110))
    fill = {"prompt": "a red apple on a beach", "steps": 20, "seed": "3", "n": 4}
    answer = gimp.first.run(
        """
        Gimp.Selection.feather(image, 12)
        made = call("fill", image, image.get_selected_layers(), **fill)
        save(image, "filled.png")
        Gimp.Selection.none(image)
        Gimp.displays_flush()
        answer = tree(image.get_layers())
        """,
        fill=fill,
    )
    assert [len(answer), len(answer[0][1])] == [2, 4]
    screen.focus("Untitled")
    keep(gimp, screen, "group")
    pair("filled", before, Image.open(gimp.work / "filled.png"))
    gimp.first.run(
        """
        call("extend", image, image.get_selected_layers(), prompt="a beach", right=160, steps=20,
             seed="2")
        save(image, "extended.png")
        """
    )
    pair("extended", before, Image.open(gimp.work / "extended.png"))
    assert gimp.first.run(LAYERS, image_id=image_id) == 3


def pair(name, before, after):
    """Keep two pictures side by side."""
    both = Image.new("RGB", (before.width + 16 + after.width, before.height), "white")
    both.paste(before, (0, 0))
    both.paste(after.convert("RGB"), (before.width + 16, 0))
    if FOLDER:
        both.save(Path(FOLDER) / f"gimp-{name}.webp", quality=85)


def test_a_gimp_in_german_has_german_dialogs(horde):
    """Its key is wrong, too: what the horde says of it leaves the image alone."""
    with shown(horde, HORDE_API_KEY="no-such-key", LANGUAGE="de") as (gimp, screen):
        photo(gimp.work / "photo.png")
        image_id = gimp.first.run(OPEN, selected=SELECTED)
        gimp.first.send(ASK + """answer = made["status"]""", image_id=image_id, fill={})
        screen.wait_for("Auswahl füllen")
        keep(gimp, screen, "german", "window")
        screen.press("Escape")
        assert gimp.first.receive() == "cancel"
        status, message, layers = gimp.first.run(
            """
            told = call("fill", image, image.get_selected_layers(), prompt="a fox")
            answer = [told["status"], told["message"], len(image.get_layers())]
            """
        )
    assert (status, layers) == ("execution-error", 1)
    assert message.startswith("No user matching sent API Key.")
