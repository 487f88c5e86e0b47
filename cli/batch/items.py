"""The items of a batch: what to ask for each, and which of them is which when it is resumed."""

import hashlib
import json
import secrets
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from cli import parameters
from cli.exits import Exit, Failure
from cli.prompts import Wanted, combinations
from core.wire.generate import GenerationInputStable

MAX_SEED: Final = 2**32 - 1
MAX_ITEMS: Final = 100_000


@dataclass(frozen=True)
class Item:
    """One request of a batch.

    key: stays the same when lines are added to the file or moved. number: from 1.
    """

    key: str
    number: int
    wanted: Wanted
    given: Mapping[str, Any]

    @property
    def pictures(self) -> int:
        """How many are asked for."""
        return int(self.given.get("n") or 1)

    def request(self, seed: str) -> GenerationInputStable:
        """The request, with its seed: pictures are known by it whatever gets lost."""
        body = parameters.body(self.wanted.prompt, {**self.given, "seed": seed})
        return GenerationInputStable.model_validate(body)

    def seed(self) -> str:
        """The seed that was given for it, or a random one."""
        return str(self.given.get("seed") or secrets.randbelow(MAX_SEED))


def items(
    wanted: Sequence[Wanted], common: Mapping[str, Any], *, matrix: bool = False
) -> list[Item]:
    """The items. common: parameters of all of them, where a line has none of its own."""
    if matrix:
        wanted = [
            Wanted(prompt, one.given, f"{one.name}-{at}" if one.name and at else one.name, one.row)
            for one in wanted
            for at, prompt in enumerate(combinations(one.prompt))
        ]
    if len(wanted) > MAX_ITEMS:
        message = f"That is {len(wanted)} prompts; {MAX_ITEMS} are the most for one folder."
        raise Failure(Exit.USAGE, message)
    ours = {name: value for name, value in common.items() if value not in (None, "", [])}
    seen = Counter[str]()
    made = []
    for number, one in enumerate(wanted, 1):
        given = {**ours, **one.given}
        content = json.dumps([one.prompt, one.name, given], sort_keys=True)
        digest = hashlib.sha256(content.encode()).hexdigest()[:16]
        made.append(Item(f"{digest}-{seen[digest]}", number, one, given))
        seen[digest] += 1
    return made
