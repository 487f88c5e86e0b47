"""`bench` with a bare library of random weights, and a worker whose engine costs nothing."""

import json
import signal
from pathlib import Path

import pytest

import light_worker
import worker.__main__
from core.vocabulary import Reader, Vocabulary
from worker.bench import jobs, measure
from worker.bench.horde import FixedHorde
from worker.image import layering, scene


@pytest.fixture(autouse=True)
def light(monkeypatch, tmp_path):
    monkeypatch.setattr(measure, "renderers", light_worker.light_renderer)
    monkeypatch.setattr(light_worker, "STEP_SECONDS", 0)
    monkeypatch.setenv("WORKER_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("WORKER_THREADS", "1")


@pytest.mark.timeout(400)  # two processes import their libraries, on cores that others share
def test_the_worker_is_compared_with_the_library(tiny_model, capsys, tmp_path):
    written = tmp_path / "result.json"
    options = ["--model", str(tiny_model), "--jobs", "3", "--rounds", "1", "--json", str(written)]
    assert worker.__main__.main(["bench", *options]) == 0
    result = json.loads(written.read_text())
    assert (result["model"], result["jobs"], result["rounds"]) == ("tiny", 3, 1)
    rate = result["worker_images_per_second"] / result["bare_images_per_second"]
    assert result["ratio"] == pytest.approx(rate, rel=0.01)
    assert result["bare_images_per_second"] > 0
    printed = capsys.readouterr().out
    assert "ratio" in printed
    assert "round 1: worker" in printed


def test_it_ends_at_ctrl_c(tiny_model, monkeypatch):
    """Also while a thread waits for the last job, which never comes."""

    class Interrupted(FixedHorde):
        def pop(self):
            signal.raise_signal(signal.SIGINT)
            return {"id": None, "ids": [], "payload": {}}

    monkeypatch.setattr(measure, "FixedHorde", Interrupted)
    options = ["--model", str(tiny_model), "--jobs", "2", "--rounds", "1"]
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # pytest's workers have none
    try:
        assert worker.__main__.main(["bench", *options]) == worker.__main__.INTERRUPTED
    finally:
        signal.signal(signal.SIGINT, before)


def test_jobs_that_are_given_back_are_no_measurement(tiny_model, capsys, monkeypatch):
    monkeypatch.setattr(jobs, "PROMPTS", ("refuse this",))
    options = ["--model", str(tiny_model), "--jobs", "2", "--rounds", "1"]
    assert worker.__main__.main(["bench", *options]) == 1
    assert "gave jobs back" in capsys.readouterr().err


@pytest.mark.parametrize("options", [["--jobs", "1"], ["--rounds", "0"], ["--model", "nowhere"]])
def test_what_measures_nothing_is_refused(options, capsys):
    assert worker.__main__.main(["bench", *options]) == 2
    assert capsys.readouterr().err


def test_the_table_is_always_the_same():
    assert jobs.table(6)[:4] == jobs.table(4)
    assert {job.sampler for job in jobs.table(2)} == set(jobs.SCHEDULERS)


def test_the_shipped_model_draws_each_picture_of_the_table_in_one_pass_as_the_library_does():
    folder = Path(worker.__file__).parent / "models" / "horde-tiny"
    reader = Reader(Vocabulary.from_json((folder / "vocabulary.json").read_bytes()))
    table = layering.of(folder / "layers.toml")
    assert scene.read(reader.read("two green apples"), table) is not None
    assert [scene.read(reader.read(prompt), table) for prompt in jobs.PROMPTS] == [None] * 4
