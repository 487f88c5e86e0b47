"""`python -m worker` as people run it: its own process, its engine, a horde on a socket."""

import contextlib
import io
import os
import re
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from PIL import Image

import worker.__main__
from processes import alive
from stub_horde import KEY

ROOT = Path(__file__).parents[2]


class Running:
    """A worker process, and what it has said so far."""

    def __init__(self, **settings):
        environment = {f"WORKER_{name.upper()}": str(value) for name, value in settings.items()}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "worker"],
            cwd=ROOT,
            env={**os.environ, "PYTHONWARNINGS": "ignore", **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.errors = []
        self._draining = threading.Thread(target=self._drain)
        self._draining.start()

    def _drain(self):
        self.errors.extend(self.process.stderr)

    def end(self):
        """Kill it, if it still runs, and close its pipes."""
        self.process.kill()
        self._draining.join()
        with self.process:
            pass

    def says(self, pattern):
        """Read its lines up to one that matches."""
        for line in self.process.stdout:
            if found := re.search(pattern, line):
                return found
        raise AssertionError(f"it never said {pattern!r}: {''.join(self.errors)}")

    def engine(self):
        """The engine's process id."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text()
        for child in children.split():
            if "spawn_main" in Path(f"/proc/{child}/cmdline").read_text():
                return int(child)
        raise AssertionError("there is no engine")


@pytest.fixture
def run(horde, tmp_path):
    with contextlib.ExitStack() as running:

        def start(**settings):
            usual = {"url": horde.url, "api_key": KEY, "threads": 1, "wait_seconds": 0.2}
            worker = Running(**usual | {"data_dir": tmp_path / "data"} | settings)
            running.callback(worker.end)
            return worker

        yield start


def test_a_worker_serves_survives_its_engine_and_stops_when_told(horde, run, tiny_model):
    worker = run(models=f'["{tiny_model}"]', kinds='["image"]')
    worker.says("ready: tiny")
    [first] = horde.add(payload={"width": 320, "height": 192})
    assert horde.until(lambda: horde.submitted(first))
    assert horde.submitted(first)["gen_metadata"][0]["ref"].startswith("made at")
    assert Image.open(io.BytesIO(horde.uploads[first])).size == (320, 192)

    [long] = horde.add(payload={"ddim_steps": 500, "sampler_name": "k_dpm_2"})
    assert horde.until(lambda: not horde.jobs)
    engine = worker.engine()
    os.kill(engine, signal.SIGKILL)
    [after] = horde.add()
    assert horde.until(lambda: horde.submitted(after))
    assert horde.submitted(long)["state"] == "faulted"
    assert horde.submitted(after)["state"] == "ok"

    engine = worker.engine()
    worker.process.send_signal(signal.SIGINT)
    assert worker.process.wait(30) == 0
    assert not alive(engine)
    assert "Traceback" not in "".join(worker.errors)


CONTROL_ONLY = """
import asyncio, sys
from pathlib import Path
import worker.__main__
from fake_renderers import TINY, FakeRenderer
from stub_horde import KEY, StubHorde
from worker import models
from worker.commands import run as main
from worker.configuration.files import Loaded
from worker.settings import Settings

async def serve(horde):
    settings = Settings(url=horde.url, wait_seconds=0.1)
    loaded = Loaded(settings, Path("/nowhere/worker.toml"))
    models.find = lambda *_: TINY
    main.partial = lambda *_, **__: FakeRenderer
    lines = main.Tally(main.view_of("lines"))
    task = asyncio.ensure_future(main.serve(loaded, KEY, lines))
    [job] = horde.add()
    assert await asyncio.to_thread(horde.until, lambda: horde.submitted(job))
    task.cancel()

if __name__ == "__main__":
    with StubHorde() as horde:
        asyncio.run(serve(horde))
        assert horde.submits[0]["state"] == "ok", horde.submits
    print(sorted({name.partition(".")[0] for name in sys.modules} & set(sys.argv[1:])))
"""


def test_the_control_process_never_loads_torch(tmp_path):
    script = tmp_path / "control.py"
    script.write_text(CONTROL_ONLY)
    path = os.pathsep.join([str(ROOT / "tests"), str(ROOT)])
    heavy = ["torch", "diffusers", "transformers", "numpy", "scipy", "accelerate"]
    ran = subprocess.run(
        [sys.executable, script, *heavy],
        check=False,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": path},
    )
    assert ran.stdout.splitlines()[-1:] == ["[]"], ran.stderr


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"api_key": ""}, "set WORKER_API_KEY"),
        ({"api_key": "", "api_key_file": "/nowhere/key"}, "/nowhere/key"),
        ({"api_key": "für"}, "copy it anew"),
        ({"url": "localhost:7001"}, "WORKER_URL: Value error, an address begins with http://"),
        ({"models": '["/nowhere/model"]'}, "no model to serve"),
        ({"threads": 0}, "WORKER_THREADS: "),
    ],
)
def test_wrong_settings_are_said_at_once(run, settings, reason):
    worker = run(**settings)
    assert worker.process.wait(30) == 2
    assert reason in "".join(worker.errors)


def light(horde, *arguments, **settings):
    """The same with a renderer that costs nothing, run to its end."""
    environment = {f"WORKER_{name.upper()}": str(value) for name, value in settings.items()}
    return subprocess.run(
        [sys.executable, ROOT / "tests" / "light_worker.py", *arguments],
        check=False,
        capture_output=True,
        text=True,
        timeout=100,
        env={
            **os.environ,
            "PYTHONPATH": f"{ROOT / 'tests'}{os.pathsep}{ROOT}",
            "WORKER_URL": horde.url,
            "WORKER_API_KEY": KEY,
            "WORKER_WAIT_SECONDS": "0.2",
            **environment,
        },
    )


def test_once_serves_one_job_and_ends(horde, tmp_path):
    jobs = [horde.add(model="horde-tiny")[0] for _ in range(3)]
    ended = light(horde, "--once", data_dir=tmp_path)
    assert ended.returncode == 0, ended.stderr
    assert [body["id"] for body in horde.submits] == jobs[:1]
    assert horde.submits[0]["state"] == "ok"


def test_the_first_start_makes_the_settings_file(horde, tmp_path):
    horde.add(model="horde-tiny")
    ended = light(horde, "run", "--once", data_dir=tmp_path)
    assert ended.returncode == 0, ended.stderr
    file = tmp_path / "worker.toml"
    assert f"made {file}" in ended.stdout
    assert file.stat().st_mode & 0o777 == 0o600
    horde.add(model="horde-tiny")
    assert "made" not in light(horde, "--once", data_dir=tmp_path).stdout


def test_what_is_wanted_is_said_where_there_is_no_key(horde, tmp_path):
    ended = light(horde, data_dir=tmp_path, api_key="")
    assert ended.returncode == 2
    assert str(tmp_path / "worker.toml") in ended.stderr


def test_a_key_that_the_server_does_not_know_is_found_before_any_model_is_loaded(horde, tmp_path):
    horde.users["another"] = None
    ended = light(horde, data_dir=tmp_path, api_key="another")
    assert ended.returncode == 1
    assert "No user matching" in ended.stdout
    assert horde.pops == []
    assert "ready" not in ended.stdout


@pytest.mark.parametrize("words", [["--help"], ["run", "--help"]])
def test_help_serves_nothing(words, capsys):
    with pytest.raises(SystemExit) as ended:
        worker.__main__.main(words)
    assert ended.value.code == 0
    assert "usage: horde-worker" in capsys.readouterr().out
