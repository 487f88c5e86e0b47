"""`horde up` and `horde demo` with the processes that they really start."""

import os
import re
import signal
import socket
import stat

import pytest
from PIL import Image

from cli import words
from core.catalog import models
from core.kudos import prices
from horde_command import descendants, wait_until_gone

pytestmark = pytest.mark.timeout(400)


def its_price():
    """Of one picture as the model's defaults have it, in hundredths of a kudos."""
    size = {key: models.defaults(["horde-tiny"])[key] for key in ("width", "height", "steps")}
    price = prices.image_price(prices.ImageWork(**size))
    return prices.request_tax() + prices.charge(price, "stable_diffusion_1")


def test_a_demo_starts_a_horde_and_ends_it(horde, tmp_path):
    out = tmp_path / "fox.png"
    with socket.create_server(("127.0.0.1", int(horde.url.rpartition(":")[2]))):
        demo = horde.start("demo", "--prompt", "a red fox", "--out", str(out))
        demo.line("waiting for a worker")
        started = descendants(demo.pid)
        assert started
        told = demo.line(str(out))
        assert demo.end() == 0
    assert re.search(r"512x512, seed \d+, made by Test Worker with horde-tiny, .* kudos", told)
    assert told.endswith(f"for {words.amount(its_price() / 100)} kudos")
    with Image.open(out) as picture:
        assert (picture.format, picture.size) == ("PNG", (512, 512))
        assert len(set(picture.convert("L").tobytes())) > 50  # no plain surface
    wait_until_gone(started, seconds=1)
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".fox")] == []


def test_up_serves_until_ctrl_c_and_finishes_what_is_in_hand(horde, tmp_path):
    up = horde.start("up")
    assert up.line("page:").endswith(f"{horde.url}/")
    key = up.line("admin API key:").rpartition(" ")[2]
    key_file = horde.data_dir / "admin.key"
    assert key_file.read_text().strip() == key
    assert stat.S_IMODE(key_file.stat().st_mode) == 0o600

    status, told = horde.run("up")
    assert status == 1
    assert f"running already (process {up.pid}): {horde.url}/" in told

    status, told = horde.run("demo", "--prompt", "a fox", "--out", str(tmp_path / "fox.jpg"))
    assert status == 0, told
    with Image.open(tmp_path / "fox.jpg") as picture:
        assert picture.format == "JPEG"
    assert "kudos" in up.line("512x512")

    asking = horde.start("generate", "foxes", "-n", "4", "--out", str(tmp_path / "{seed}.webp"))
    asking.line("being made by Test Worker")
    started = descendants(up.pid)
    up.signal(signal.SIGINT)
    up.line("stopping")
    assert "kudos" in up.line("512x512")
    assert up.end() == 0
    wait_until_gone(started, seconds=1)


def test_killing_it_leaves_nothing_behind(horde):
    up = horde.start("up")
    up.line("Test Worker serves horde-tiny")
    started = descendants(up.pid)
    assert len(started) >= 2
    up.signal(signal.SIGKILL)
    wait_until_gone(started)
    assert horde.run("generate", "a fox")[0] == 7  # nobody listens any more


def test_a_server_that_dies_is_started_again(horde):
    up = horde.start("up", "--no-worker")
    up.line("Ctrl-C ends it")
    (server,) = descendants(up.pid)
    os.kill(server, signal.SIGKILL)
    assert "by SIGKILL" in up.line("The server has ended")
    up.line("started again")
    while horde.run("status")[0] != 0:
        pass
    up.signal(signal.SIGTERM)
    assert up.end() == 0


def test_a_worker_that_cannot_work_ends_all_with_its_reason(horde):
    horde.set(WORKER_MODELS='["no-such-model"]')
    status, told = horde.run("up")
    assert status == 1
    assert "no model to serve" in told
    assert str(horde.data_dir / "log" / "worker.log") in told


@pytest.mark.model
def test_the_shipped_model_makes_the_demo(horde, tmp_path):
    horde.set(WORKER_MODELS='["horde-tiny"]')
    status, told = horde.run("demo", "--prompt", "a red apple", "--out", str(tmp_path / "a.webp"))
    assert status == 0, told
    assert "with horde-tiny" in told
