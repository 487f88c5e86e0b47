"""Language models in llama.cpp's format, of random weights: found, offered, and writing."""

from dataclasses import replace
from importlib.util import find_spec

import pytest

import tiny_gguf
import worker.__main__
from worker import lookup, models
from worker.models import NotUsable
from worker.renderer import CannotLoad, CannotRender
from worker.settings import Settings
from worker.text import gguf_files
from worker.text.order import GgufModel, Sampling, TextOrder

needs_library = pytest.mark.skipif(find_spec("llama_cpp") is None, reason="the extra `gguf`")
pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    made = tmp_path_factory.mktemp("gguf") / "bytes.gguf"
    tiny_gguf.build(made)
    return made


@pytest.fixture
def model(file):
    return GgufModel("bytes", file, context=tiny_gguf.CONTEXT, chats=True)


@pytest.fixture
def writer(one_thread, model):
    from worker.text.gguf_writer import GgufWriter

    made = GgufWriter(device="cpu")
    made.load(model)
    return made


@pytest.fixture
def written(writer, model):
    def write(prompt="Once", on_step=lambda *_: None, seeds=(1,), **wanted):
        order = TextOrder(model, prompt, length=12, context=64, seeds=seeds)
        return writer.render(replace(order, **wanted), on_step)

    return write


def test_a_file_is_found_by_its_name_and_its_path(file, monkeypatch):
    monkeypatch.setattr(gguf_files, "find_spec", lambda name: True)
    wanted = ("bytes", "bytes.gguf", str(file))
    for one in wanted:
        found = models.find_text(one, [file.parent])
        assert found == GgufModel("bytes", file, context=tiny_gguf.CONTEXT, chats=True)
    assert models.find_text(f"mine={file}", []).name == "mine"


def test_what_cannot_be_run_is_not_offered(file, tmp_path, monkeypatch):
    monkeypatch.setattr(gguf_files, "find_spec", lambda name: None)
    with pytest.raises(NotUsable, match=r"stable-horde\[gguf\]"):
        models.find_text("bytes", [file.parent])
    monkeypatch.setattr(gguf_files, "find_spec", lambda name: True)
    broken = tmp_path / "broken.gguf"
    for content in (b"", b"GGUF", b"something else", file.read_bytes()[:-1000]):
        broken.write_bytes(content)
        with pytest.raises(NotUsable, match="no whole file"):
            models.find_text("broken", [tmp_path])


def test_a_file_is_added_and_served(file, tmp_path, monkeypatch):
    monkeypatch.setattr(gguf_files, "find_spec", lambda name: True)
    monkeypatch.setenv("WORKER_DATA_DIR", str(tmp_path))
    assert worker.__main__.main(["models", "add", "mine", "--from", str(file)]) == 0
    settings = Settings(data_dir=tmp_path)
    wanted = lookup.wanted(settings, "text")[-1]
    found = models.find_text(wanted, lookup.folders(settings))
    assert (found.name, found.folder) == ("mine", (tmp_path / "models" / "mine.gguf").resolve())


@needs_library
def test_a_text_is_the_same_for_the_same_seed(written):
    steps = []
    [first] = written(on_step=lambda *step: steps.append(step[:2]), endless=True)
    [again] = written(endless=True)
    [other] = written(seeds=(2,), endless=True)
    assert first == again != other
    assert first.tokens == 12
    assert steps == [(step, 12) for step in range(1, 13)]


@needs_library
def test_several_texts_of_a_request_are_those_that_each_would_be(written):
    together = written(seeds=(1, 2, 3), endless=True)
    assert list(together) == [written(seeds=(seed,), endless=True)[0] for seed in (1, 2, 3)]


@needs_library
def test_the_parameters_of_the_horde_count(written):
    greedy = Sampling(temperature=0)
    [one] = written(sampling=greedy, endless=True)
    assert written(sampling=greedy, endless=True, seeds=(9,)) == (one,)
    assert written(prompt="Twice", sampling=greedy, endless=True) != (one,)
    [ended] = written(sampling=greedy, endless=True, stops=(one.text[3],))
    assert ended.tokens <= 4
    [whole] = written(prompt="x" * 500, context=40, endless=True)
    assert whole.tokens == 12


@needs_library
def test_what_is_said_to_the_model_gets_its_template(written, writer):
    assert written(chat=True, endless=True) != written(endless=True)
    asked = writer._loaded.said("Hello", 100)
    assert writer._loaded.text(asked) == "<user>Hello"


@needs_library
def test_memory_for_more_is_taken_when_it_is_needed(writer, model, monkeypatch):
    monkeypatch.setattr("worker.text.gguf_writer.FIRST_CONTEXT", 32)
    from worker.text.gguf_writer import GgufWriter

    small = GgufWriter(device="cpu")
    small.load(model)
    assert small._loaded.context == 32
    order = TextOrder(model, "word " * 30, length=20, context=200, seeds=(1,), endless=True)
    assert small.render(order, lambda *_: None)[0].tokens == 20
    assert small._loaded.context == 200


@needs_library
def test_a_broken_file_does_not_load(one_thread, model, tmp_path):
    from worker.text.gguf_writer import GgufWriter

    (tmp_path / "broken.gguf").write_bytes(b"GGUF")
    with pytest.raises(CannotLoad):
        GgufWriter(device="cpu").load(replace(model, folder=tmp_path / "broken.gguf"))
    order = TextOrder(model, "Once", length=1, context=16, seeds=(1,))
    with pytest.raises(CannotRender, match="not loaded"):
        GgufWriter(device="cpu").render(order, lambda *_: None)
