"""Results: what came of a request's jobs that are done."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, select

from core.db import AnyRow, Reading, table
from core.queue.tables import Attempt, Generation

_generations = table(Generation)
_attempts = table(Attempt)


@dataclass(frozen=True, slots=True)
class Result:
    """What a successful attempt brought back."""

    attempt_id: UUID
    number: int
    """Of its job in the request."""
    worker_id: UUID
    worker_name: str
    model: str
    seed: int
    state: str
    censored: bool
    gen_metadata: list[dict[str, Any]]
    text: str | None
    """Of a text generation; a picture lies in the store, named by the attempt."""
    form: dict[str, Any] | None
    """What an alchemist found out."""
    charge: int
    """Hundredths of a kudos."""

    @classmethod
    def from_row(cls, row: AnyRow) -> "Result":
        """The result that a row with `COLUMNS` holds."""
        return cls(*(getattr(row, label) for label in _LABELS))


_LABELS = tuple(f"result_{field.name}" for field in fields(Result))
JOINED = _generations.join(_attempts, _attempts.c.id == _generations.c.attempt_id)
"""Where results are read from."""
request_column = _generations.c.request_id
number_column = _generations.c.number
COLUMNS = [
    *(
        _generations.c[field.name].label(label)
        for field, label in zip(fields(Result), _LABELS, strict=True)
        if field.name != "charge"
    ),
    _attempts.c.charge.label("result_charge"),
]
"""The columns of a result, labelled such that a statement about more than results may have them."""


async def of(session: Reading, request_id: UUID) -> Sequence[Result]:
    """What is finished of a request, in the order of its jobs."""
    return [Result.from_row(row) for row in await session.execute(_OF, {"id": request_id})]


_OF = (
    select(*COLUMNS)
    .select_from(JOINED)
    .where(request_column == bindparam("id"))
    .order_by(number_column)
)
