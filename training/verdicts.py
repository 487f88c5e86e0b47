"""How the free prompts come out: judged by people who look at the sheet, kept in verdicts.toml.

The pictures are the same each time: the same weights, seeds and steps. Other weights are to be
judged anew.
"""

import tomllib
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from training import prompts
from training.sheets import Drawn

TABLE = Path(__file__).with_suffix(".toml")
VERDICTS = ("right", "half", "wrong", "nothing")
"""What was asked for; a part of it; something else; an empty picture that says why."""


def shipped() -> dict[str, str]:
    """The verdict on the shipped weights' picture of each prompt."""
    found: dict[str, str] = {}
    for verdict, numbers in tomllib.loads(TABLE.read_text())["verdicts"].items():
        found |= {prompts.shipped()[number - 1].text: verdict for number in numbers}
    return found


def summary() -> str:
    """How many came out how, in a sentence."""
    counts = Counter(shipped().values())
    told = ", ".join(f"{counts[verdict]} {verdict}" for verdict in VERDICTS)
    return f"Of the {len(prompts.shipped())} free prompts came out: {told}."


def table(drawn: Sequence[Drawn]) -> str:
    """Each prompt with the verdict and with what the worker said, as a Markdown table."""
    verdicts = shipped()
    rows = ["| | prompt | verdict | what the worker says |", "|---|---|---|---|"]
    for number, each in enumerate(drawn, start=1):
        notes = "; ".join(each.notes)
        rows.append(f"| {number} | {each.prompt.text} | {verdicts[each.prompt.text]} | {notes} |")
    return "\n".join(rows)
