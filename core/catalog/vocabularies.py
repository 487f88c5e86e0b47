"""The words that small models know, for those of which a file of this distribution tells them."""

from collections.abc import Mapping
from functools import cache
from importlib import resources

from core.vocabulary import Reader, Vocabulary


def of(model: str) -> Vocabulary | None:
    """The vocabulary of a model; None where nothing is known of it."""
    return _all().get(model)


def notes(model: str, prompt: str) -> list[str]:
    """Which words of a prompt a model does not know, and what it draws for some."""
    reader = _reader(model)
    return [] if reader is None else reader.read(prompt).notes


@cache
def _all() -> Mapping[str, Vocabulary]:
    folder = resources.files("core.catalog").joinpath("vocabularies")
    return {
        file.name.removesuffix(".json"): Vocabulary.from_json(file.read_bytes())
        for file in folder.iterdir()
        if file.name.endswith(".json")
    }


@cache
def _reader(model: str) -> Reader | None:
    vocabulary = of(model)
    return None if vocabulary is None else Reader(vocabulary)
