"""The mechanics of writing, with a model of random weights that knows bytes only."""

from dataclasses import replace

import pytest

from worker import models
from worker.renderer import CannotLoad, CannotRender
from worker.text.order import Format, LanguageModel, Sampling, TextOrder

pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture(scope="module")
def model(llama_folder):
    return models.inspect_text("llama", llama_folder)


@pytest.fixture(scope="module")
def writer(model, one_thread):
    from worker.text.writer import Writer

    writer = Writer(device="cpu")
    writer.load(model)
    return writer


@pytest.fixture
def order(model):
    return TextOrder(model, "A fox", length=24, context=256, seeds=(1,), endless=True)


@pytest.fixture
def write(writer, order):
    def written(**changes):
        [text] = writer.render(replace(order, **changes), lambda *_: None)
        return text

    return written


def test_the_model_is_recognised(model):
    assert model.context == 256


def test_a_text_has_its_length_and_each_token_is_told(writer, order):
    steps = []
    [written] = writer.render(order, lambda *step: steps.append(step[:2]))
    assert written.tokens == 24
    assert steps == [(step, 24) for step in range(1, 25)]


def test_the_same_seed_writes_the_same_text(write):
    assert write() == write() != write(seeds=(2,))
    assert write(sampling=Sampling(temperature=0)) == write(
        sampling=Sampling(temperature=0), seeds=(2,)
    )


def test_texts_that_are_written_together_are_those_written_alone(writer, order, write):
    """Also where some are done before the others."""
    early = write(seeds=(2,)).text[6:9]
    together = replace(order, seeds=(1, 2, 3, 4), stops=(early,))
    shown = []
    made = writer.render(together, lambda *step: shown.append(step[2]().index))
    assert list(made) == [write(seeds=(seed,), stops=together.stops) for seed in together.seeds]
    assert len({text.tokens for text in made}) > 1
    assert set(shown) == {0, 1, 2, 3}


def test_where_memory_is_too_small_for_all_they_are_written_one_by_one(
    writer, order, write, monkeypatch
):
    import torch

    def forward(tokens, **known):
        if known["past_key_values"] is not None and len(tokens) > 1:
            raise torch.OutOfMemoryError
        return network(tokens, **known)

    expected = [write(seeds=(seed,)) for seed in (1, 2)]
    network = writer._loaded.network
    forward.device = network.device
    monkeypatch.setattr(writer._loaded, "network", forward)
    assert list(writer.render(replace(order, seeds=(1, 2)), lambda *_: None)) == expected


def test_the_prompt_counts(write):
    assert write(prompt="A cat") != write()


def test_tokens_are_computed_as_if_the_whole_text_were_read_anew(writer, order, model):
    """The cache of what was read before changes nothing."""
    import torch

    [written] = writer.render(replace(order, sampling=Sampling(temperature=0)), lambda *_: None)
    loaded = writer._loaded
    tokens = loaded.prompt(order.prompt, 200)
    banned = sorted(loaded.ends | loaded.brackets)
    for _ in range(24):
        scores = loaded.network(torch.tensor([tokens])).logits[0, -1]
        scores[banned] = -torch.inf
        tokens.append(int(scores.argmax()))
    assert written.text == loaded.text(tokens[len(order.prompt) :]).rstrip("\ufffd")


def test_of_a_long_prompt_the_end_counts(write):
    long = "x" * 300
    assert write(prompt=f"{long} tail", context=40) == write(prompt=f"y{long} tail", context=40)
    assert write(prompt=f"{long} tail", context=40) != write(prompt=f"{long} tall", context=40)
    assert write(prompt="abc" * 9, context=25, length=24) == write(prompt="c", length=24)


def test_without_a_prompt_there_is_a_text_all_the_same(write):
    assert write(prompt="").tokens == 24


def test_the_model_may_end_its_text(writer, write, monkeypatch):
    first = writer._loaded.prompt(write().text[0], 1)[0]
    monkeypatch.setattr(writer._loaded, "ends", frozenset({first}))
    assert write(endless=False).tokens == 0
    assert write(endless=True).tokens == 24


def test_a_stop_sequence_ends_the_text_and_belongs_to_it(write):
    whole = write(sampling=Sampling(top_k=1)).text
    stop = whole[5:8]
    stopped = write(sampling=Sampling(top_k=1), stops=("never this", stop))
    assert stopped.text == whole[: whole.index(stop) + len(stop)]
    assert stopped.tokens < 24


def test_special_tokens_of_a_prompt_are_what_they_say(writer):
    loaded = writer._loaded
    assert loaded.prompt("a<end>b", 9)[1] in loaded.ends
    assert len(loaded.prompt("a<end>b", 9)) == 3


def test_brackets_are_not_written_where_the_text_may_not_end(writer):
    names = {writer._loaded.tokenizer.decode([token]) for token in writer._loaded.brackets}
    assert names == {"[", "]"}


def test_a_text_is_shaped_at_its_end(write):
    plain = write(sampling=Sampling(temperature=0), format=Format(plain=True)).text
    assert not set(plain) & set("#/@%{}+=~|\\^<>")


def test_numbers_out_of_range_are_no_text(writer, write, monkeypatch):
    import torch

    head = writer._loaded.network.lm_head
    monkeypatch.setattr(head, "weight", torch.nn.Parameter(torch.full_like(head.weight, torch.nan)))
    with pytest.raises(CannotRender, match="out of range"):
        write()


def test_a_broken_model_does_not_load(writer, model, order, tmp_path):
    with pytest.raises(CannotLoad):
        writer.load(LanguageModel("broken", tmp_path, 256))
    with pytest.raises(CannotRender, match="not loaded"):
        writer.render(order, lambda *_: None)
    writer.load(model)
    assert writer.render(order, lambda *_: None)[0].tokens == 24
