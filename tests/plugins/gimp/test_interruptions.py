"""While a request runs, GIMP is closed or the horde is silent; and where none need run."""

import threading

import pytest
from PIL import Image, ImageChops

import real_gimp
import stand_ins
from records import left, record
from test_procedures import DONE, photo, queued
from test_shapes import FILL, MAX_SHIFT, SIZE
from test_wire import answering, says

pytestmark = [pytest.mark.gimp, pytest.mark.model, pytest.mark.timeout(400)]

CALLS = 1000
ASK = """
image = opened("photo.png")
opened_as = image.get_id()
image.select_rectangle(Gimp.ChannelOps.REPLACE, 120, 60, 300, 250)
made = call("fill", image, image.get_selected_layers(), **fill)
"""
SAVE = """
answer = plainly(made)
save(made["result"], "result.png")
made["result"].delete()
"""


def is_the_same(before, path):
    """Whether a result is the picture that was sent; all of it is sent."""
    after = Image.open(path).convert("RGB")
    most = max(most for _least, most in ImageChops.difference(before, after).getextrema())
    return before.size == after.size and most <= MAX_SHIFT


def test_what_runs_when_gimp_is_closed_is_fetched_by_the_next_one(horde, stand_in):
    with real_gimp.installed() as work:
        before = photo(work / "photo.png", SIZE)
        with real_gimp.running(work, HORDE_URL=horde.url) as gimp:
            gimp.first.send(ASK, fill=FILL)
            request = queued(gimp)
            gimp.quit()
        stand_in(stand_ins.Echo)
        with real_gimp.running(work, HORDE_URL=horde.url) as gimp:
            status = gimp.run("""answer = call("status")["text"]""")
            assert gimp.run("""made = call("fetch")""" + SAVE) == DONE
            assert left(gimp).all() == []
        assert request.id in status
        assert is_the_same(before, work / "result.png")


def test_gimp_answers_while_a_horde_is_silent(gimp):
    """Its loop serves another plug-in meanwhile, as it serves its windows."""
    is_asked, may_answer = threading.Event(), threading.Event()

    def hesitate(handler):
        is_asked.set()
        may_answer.wait(60)
        says(b'{"message": "It is gone.", "rc": "RequestNotFound"}', status=404)(handler)

    with answering(hesitate) as url:
        left(gimp).add(record("x", site=url))
        gimp.first.send("""answer = call("fetch")["message"]""")
        assert is_asked.wait(60)
        count = """
        for answer in range(1, calls + 1):
            Gimp.get_images()
        """
        assert gimp.second.run(count, calls=CALLS) == CALLS
        may_answer.set()
        assert gimp.first.receive() == "It is gone."
    assert left(gimp).all() == []


def test_with_strength_0_nothing_is_drawn_and_nobody_is_asked(gimp, horde):
    before = photo(gimp.work / "photo.png")
    answer = gimp.run(
        """
        image = opened("photo.png")
        image.select_ellipse(Gimp.ChannelOps.REPLACE, 120, 60, 90, 80)
        Gimp.Selection.feather(image, 20)
        answer = plainly(call("fill", image, image.get_selected_layers(), prompt="a fox",
                              strength=0.0, model="nobody has it"))
        answer["layers"] = len(image.get_layers())
        save(image, "result.png")
        image.delete()
        """
    )
    assert answer.pop("text").startswith("With strength 0 nothing is drawn anew")
    assert answer == {"status": "success", "message": "", "layers": 2}
    assert is_the_same(before, gimp.work / "result.png")
