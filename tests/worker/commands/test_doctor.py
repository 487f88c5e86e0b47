"""`doctor` against a real server, one that is not there, and one whose clock is wrong."""

import asyncio
import contextlib
import json
import threading
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

import serving
import worker.__main__
from core.client import ANONYMOUS_KEY
from worker.doctor import machine, models, server
from worker.doctor.finding import Finding, Grade
from worker.settings import Settings
from worker.upscaler import FACTORS


async def asked(settings):
    return {one.what: one async for one in server.asked(settings)}


async def test_a_server_that_knows_the_key_is_well(sqlite_url, tmp_path):
    with serving.process(tmp_path, database_url=sqlite_url) as running:
        owner = await asyncio.to_thread(running.user, "Owner", oauth_id="g_owner")
        found = await asked(Settings(url=running.url, api_key=owner.key, models=["horde-tiny"]))
        assert {name: one.grade for name, one in found.items()} == dict.fromkeys(
            ("server", "clock", "key"), Grade.FINE
        )
        assert "Owner#" in found["key"].found
        assert "escrow" in found["key"].found

        unknown = await asked(Settings(url=running.url, api_key=owner.key, models=["mine=/m"]))
        assert unknown["model mine"].grade is Grade.ODD
        assert "customizer" in unknown["model mine"].advice

        nobody = await asked(Settings(url=running.url, api_key=ANONYMOUS_KEY))
        assert nobody["key"].grade is Grade.ODD
        assert "api_key" in nobody["key"].advice

        wrong = await asked(Settings(url=running.url, api_key="not-a-key"))
        assert wrong["key"].grade is Grade.BAD
        assert "api_key" in wrong["key"].advice


async def test_a_server_that_is_not_there_is_said_with_what_to_do(free_port):
    away = f"http://127.0.0.1:{free_port}"
    found = await asked(Settings(url=away, api_key="a key"))
    assert list(found) == ["server"]
    assert found["server"].grade is Grade.BAD
    assert found["server"].advice


@pytest.mark.parametrize("content", [None, b"", "für".encode()])
async def test_a_key_that_is_missing_is_said_whoever_answers(free_port, tmp_path, content):
    file = tmp_path / "key"
    if content is not None:
        file.write_bytes(content)
    found = await asked(Settings(url=f"http://127.0.0.1:{free_port}", api_key_file=file))
    assert list(found) == ["key", "server"]
    assert found["key"].grade is Grade.BAD
    assert "api_key" in found["key"].advice


@contextlib.contextmanager
def answering(status, seconds_ahead):
    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_):
            pass

        def date_time_string(self, timestamp=None):
            import time

            return formatdate(time.time() + seconds_ahead, usegmt=True)

        def do_GET(self):
            self.send_response(status)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

    listening = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=listening.serve_forever, args=(0.01,), daemon=True).start()
    try:
        yield f"http://127.0.0.1:{listening.server_address[1]}"
    finally:
        listening.shutdown()
        listening.server_close()


@pytest.mark.parametrize(("ahead", "word"), [(3600, "behind"), (-3600, "ahead of")])
async def test_a_clock_that_is_wrong_is_said(ahead, word):
    with answering(200, ahead) as url:
        found = await asked(Settings(url=url, api_key="a"))
    assert found["clock"].grade is Grade.ODD
    assert word in found["clock"].found
    assert "NTP" in found["clock"].advice


async def test_another_program_at_the_address_is_no_horde():
    with answering(404, 0) as url:
        found = await asked(Settings(url=url))
    assert found["server"].found.endswith("answered 404")


def test_models_are_looked_at_each(tmp_path):
    wanted = ["horde-tiny", "gone"]
    found = {one.what: one for one in models.found(Settings(data_dir=tmp_path, models=wanted))}
    assert found["model horde-tiny"].grade is Grade.FINE
    assert found["model gone"].grade is Grade.ODD
    assert "models add gone" in found["model gone"].advice
    nothing = list(models.found(Settings(data_dir=tmp_path, models=["gone"])))
    assert Grade.BAD in {one.grade for one in nothing}


def test_what_but_some_of_the_models_can_do_is_said(tiny_model, tmp_path):
    settings = Settings(data_dir=tmp_path, models=["horde-tiny"])
    assert "not offered" not in [one.what for one in models.found(settings)]
    settings = Settings(data_dir=tmp_path, models=["horde-tiny", f"mine={tiny_model}"])
    [apart] = [one for one in models.found(settings) if one.what == "not offered"]
    assert apart.grade is Grade.ODD
    assert "mine has no transparent" in apart.found
    assert "models" in apart.advice


def test_upscalers_that_are_missing_are_named(tmp_path):
    settings = Settings(data_dir=tmp_path, kinds=["alchemy"])
    found, _ = models.found(settings)
    assert "RealESRGAN_x4plus (realesr-animevideov3)" in found.found
    assert "4x_AnimeSharp" in found.found.partition("not here")[2]
    for name in FACTORS:
        (tmp_path / f"{name}.pth").touch()
    assert next(models.found(settings)) == Finding("upscalers", Grade.FINE, "all here")


def test_whether_pictures_are_checked_is_said(tmp_path):
    [found] = [one for one in models.found(Settings(data_dir=tmp_path)) if one.what == "safety"]
    assert "pictures are not checked" in found.found
    assert "models add safety_checker" in found.advice


def test_the_forms_that_can_be_answered_are_named(tmp_path):
    *_, found = models.found(Settings(data_dir=tmp_path, kinds=["alchemy"]))
    assert (found.what, found.grade) == ("forms", Grade.FINE)
    assert found.found.startswith(
        "vectorize, palette, strip_background (plain ones), RealESRGAN_x4"
    )
    assert "models add blip" in found.advice


def test_a_full_disk_and_a_folder_of_others_are_said(tmp_path, monkeypatch):
    settings = Settings(data_dir=tmp_path / "not" / "yet")
    assert [one.grade for one in machine.disk(settings)] != [Grade.BAD]
    monkeypatch.setattr(machine.shutil, "disk_usage", lambda _: type("U", (), {"free": 1000}))
    [full] = machine.disk(settings)
    assert (full.grade, "make room" in full.advice) == (Grade.BAD, True)
    monkeypatch.setattr(machine.os, "access", lambda *_: False)
    [others] = machine.disk(settings)
    assert others.grade is Grade.BAD


async def test_a_device_that_does_not_work_is_said(monkeypatch):
    monkeypatch.setattr(machine.sys, "executable", "/bin/false")
    found = await machine.device(Settings(device="cuda"))
    assert found.grade is Grade.BAD
    assert "driver" in found.advice


@pytest.mark.parametrize(
    ("found", "grade"),
    [
        ({"device": "cpu", "gflops": 9}, Grade.ODD),
        ({"device": "cuda", "name": "A", "bytes": 4 * 2**30, "gflops": 9}, Grade.ODD),
        ({"device": "cuda", "name": "A", "bytes": 24 * 2**30, "gflops": 9}, Grade.FINE),
        ({"device": "mps", "gflops": 9}, Grade.FINE),
    ],
)
def test_a_device_is_judged_by_its_memory(found, grade):
    assert machine._device(found).grade is grade


def test_the_command_prints_for_people_and_for_programs(free_port, capsys, monkeypatch, tmp_path):
    async def device(_):
        return Finding("device", Grade.FINE, "a\x1b[31m device")

    monkeypatch.setattr(machine, "device", device)
    monkeypatch.setenv("WORKER_URL", f"http://127.0.0.1:{free_port}")
    monkeypatch.setenv("WORKER_DATA_DIR", str(tmp_path))
    assert worker.__main__.main(["doctor"]) == 1
    printed = capsys.readouterr().out
    assert "NO  server: " in printed
    assert "\x1b" not in printed
    assert worker.__main__.main(["doctor", "--json"]) == 1
    [line] = capsys.readouterr().out.splitlines()
    assert {one["what"]: one["grade"] for one in json.loads(line)}["server"] == "bad"
