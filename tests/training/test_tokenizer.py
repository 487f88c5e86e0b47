import pytest

from training import tokenizer

CORPUS = ["a red fox on a blue background", "two puppies, flat style"] * 20


@pytest.fixture(scope="module")
def learnt():
    return tokenizer.train(CORPUS, size=600)


@pytest.mark.parametrize("text", ["a red fox on a blue background", "xylophone 7", "café"])
def test_text_comes_back(learnt, text):
    assert learnt.decode(learnt(text).input_ids, skip_special_tokens=True) == text


def test_words_of_the_corpus_are_one_token(learnt):
    assert len(learnt("background").input_ids) == len(["start", "background", "end"])


def test_it_comes_back_from_its_folder(learnt, tmp_path):
    learnt.save_pretrained(tmp_path)

    again = tokenizer.load(tmp_path)

    assert again.model_max_length == tokenizer.LENGTH
    assert again("a red fox").input_ids == learnt("a red fox").input_ids
