"""How the free prompts come out: judged by people who look at the sheet, kept in verdicts.toml.

The pictures are the same each time: the same weights, seeds and steps. Other weights are to be
judged anew.
"""

import tomllib
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from training.prompts import Prompt
from training.sheets import Drawn

TABLE = Path(__file__).with_suffix(".toml")
CALLED = {
    "prompts": "free prompts",
    "again": "prompts written before layers were",
    "unseen": "prompts written when all was made",
}
VERDICTS = ("right", "half", "wrong", "nothing")
"""What was asked for; a part of it; something else; an empty picture that says why."""


def shipped(prompts: Sequence[Prompt], name: str = "prompts") -> list[str]:
    """The verdict on the shipped weights' picture of each prompt.

    name: of their table in prompts.toml.
    """
    found = {
        number: verdict
        for verdict, numbers in tomllib.loads(TABLE.read_text())[name].items()
        for number in numbers
    }
    return [found[number] for number in range(1, len(prompts) + 1)]


def summary(prompts: Sequence[Prompt], name: str = "prompts") -> str:
    """How many came out how, in a sentence."""
    counts = Counter(shipped(prompts, name))
    told = ", ".join(f"{counts[verdict]} {verdict}" for verdict in VERDICTS)
    return f"Of the {len(prompts)} {CALLED[name]} came out: {told}."


def table(drawn: Sequence[Drawn], name: str = "prompts") -> str:
    """Each prompt with the verdict and with what the worker said, as a Markdown table."""
    verdicts = shipped([each.prompt for each in drawn], name)
    rows = ["| | prompt | verdict | what the worker says |", "|---|---|---|---|"]
    for number, (each, verdict) in enumerate(zip(drawn, verdicts, strict=True), start=1):
        rows.append(f"| {number} | {each.prompt.text} | {verdict} | {'; '.join(each.notes)} |")
    return "\n".join(rows)
