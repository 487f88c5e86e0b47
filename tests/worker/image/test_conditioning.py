"""Our own prompt encoder against the pipeline's, where that can do the same."""

import pytest

pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture(scope="module")
def pipe(tiny_model):
    from diffusers import StableDiffusionPipeline

    return StableDiffusionPipeline.from_pretrained(tiny_model, safety_checker=None)


@pytest.fixture
def encode(pipe):
    import torch

    from worker.image import conditioning

    def positive(prompt, negative="", clip_skip=1):
        with torch.inference_mode():
            encoder = conditioning.Encoder(
                pipe.tokenizer, pipe.text_encoder, layer=clip_skip, is_normed=True
            )
            return conditioning.of_one(encoder, prompt, negative).given["prompt_embeds"]

    return positive


def test_a_plain_prompt_is_what_the_pipeline_makes_of_it(pipe, encode):
    theirs, _ = pipe.encode_prompt("a red fox", "cpu", 1, do_classifier_free_guidance=False)
    assert encode("a red fox").equal(theirs)


def test_clip_skip_reads_an_earlier_layer_through_the_last_norm(pipe, encode):
    ids = pipe.tokenizer("a red fox", padding="max_length", return_tensors="pt").input_ids
    hidden = pipe.text_encoder(ids, output_hidden_states=True).hidden_states
    for skip in (1, 2, 3):
        layer = pipe.text_encoder.final_layer_norm(hidden[-skip])
        assert encode("a red fox", clip_skip=skip).equal(layer)
    assert encode("a red fox", clip_skip=12).equal(encode("a red fox", clip_skip=3))


def test_weight_zero_is_the_empty_prompt_and_one_is_none(encode):
    assert encode("(fox:0)")[:, 1:4].allclose(encode("")[:, 1:4])
    assert encode("(fox:1)").equal(encode("fox"))


def test_weights_move_their_own_tokens_away_from_the_empty_prompt(encode):
    empty, plain, heavy = encode(""), encode("red fox"), encode("red (fox:2)")
    assert heavy[:, 1:4].allclose(plain[:, 1:4])
    assert (heavy - empty)[:, 4:7].allclose(2 * (plain - empty)[:, 4:7], atol=1e-5)


def test_long_prompts_are_chunks_and_both_prompts_are_of_one_length(pipe, encode):
    long = "ab " * 21  # 42 tokens, in chunks of 14
    assert encode(long).shape[1] == encode("", negative=long).shape[1] == 3 * 16
    assert encode(long)[:, :16].equal(encode("ab " * 7))
