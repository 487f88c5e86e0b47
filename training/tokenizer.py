"""The vocabulary: byte pairs learnt from captions, in the form CLIP's tokenizer reads."""

import json
from collections.abc import Iterable
from pathlib import Path

from tokenizers import Tokenizer, models, trainers
from tokenizers.pre_tokenizers import ByteLevel
from transformers import CLIPTokenizer

LENGTH = 32  # tokens in a prompt; the pipeline pads to it
START, END = "<|startoftext|>", "<|endoftext|>"
WORD_END = "</w>"


def train(corpus: Iterable[str], *, size: int = 4096) -> CLIPTokenizer:
    """A tokenizer for texts like the corpus, with at most `size` tokens (at least 514)."""
    clip = CLIPTokenizer(vocab={START: 0, END: 1}, merges=[]).backend_tokenizer
    pairs = Tokenizer(
        models.BPE(end_of_word_suffix=WORD_END, continuing_subword_prefix="", unk_token=END)
    )
    pairs.normalizer, pairs.pre_tokenizer = clip.normalizer, clip.pre_tokenizer
    letters = sorted(ByteLevel.alphabet())
    pairs.train_from_iterator(
        corpus,
        trainers.BpeTrainer(
            vocab_size=size,
            initial_alphabet=letters,
            end_of_word_suffix=WORD_END,
            special_tokens=[START, END],
            show_progress=False,
        ),
    )
    learnt = json.loads(pairs.to_str())["model"]
    vocabulary = dict(learnt["vocab"])
    for letter in letters:  # so that any byte has a token, also at the end of a word
        vocabulary.setdefault(letter, len(vocabulary))
        vocabulary.setdefault(letter + WORD_END, len(vocabulary))
    merges = [tuple(pair) for pair in learnt["merges"]]
    return CLIPTokenizer(vocab=vocabulary, merges=merges, model_max_length=LENGTH)


def load(folder: Path) -> CLIPTokenizer:
    """The tokenizer saved in a folder."""
    return CLIPTokenizer.from_pretrained(folder, model_max_length=LENGTH)
