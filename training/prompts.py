"""The prompts by which the model is judged: prompts.toml, what newcomers type."""

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

TABLE = Path(__file__).with_suffix(".toml")


@dataclass(frozen=True)
class Prompt:
    """A prompt, and what a picture that is right shows."""

    text: str
    shows: str


@cache
def shipped() -> tuple[Prompt, ...]:
    """The hundred prompts, in their order."""
    return _listed("prompts")


def tables() -> dict[str, tuple[Prompt, ...]]:
    """The hundred, and those that check whether what mends them mends others, too."""
    return {name: _listed(name) for name in ("prompts", "again", "unseen")}


@cache
def texts() -> frozenset[str]:
    """What is typed; no caption for training is one of these."""
    return frozenset(prompt.text for prompt in shipped())


def _listed(name: str) -> tuple[Prompt, ...]:
    rows = tomllib.loads(TABLE.read_text())[name]
    return tuple(Prompt(row["prompt"], row["shows"]) for row in rows)
