"""The table of free prompts, and that no caption for training is one of them."""

import tomllib
from pathlib import Path

TABLE = Path(__file__).parents[2] / "training" / "prompts.toml"


def test_the_table_holds_a_hundred_different_prompts_and_what_is_right_for_each() -> None:
    rows = tomllib.loads(TABLE.read_text())["prompts"]
    assert len({row["prompt"] for row in rows}) == len(rows) == 100
    assert all(row["shows"] for row in rows)
