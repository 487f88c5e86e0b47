"""The results of a request's finished jobs."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping, bindparam, select

from core.db import Reading, table
from core.queue.tables import AttemptRow, Generation

_generations = table(Generation)
_attempts = table(AttemptRow)


@dataclass(frozen=True, slots=True)
class Result:
    """The result of a successful attempt."""

    attempt_id: UUID
    number: int
    """The number of its job in the request."""
    worker_id: UUID
    worker_name: str
    model: str
    seed: int
    state: str
    censored: bool
    gen_metadata: list[dict[str, Any]]
    text: str | None
    """The text of a text generation; a picture is in the store, named by the attempt."""
    form: dict[str, Any] | None
    """What an alchemist found out."""
    charge: int
    """Hundredths of a kudos."""

    @classmethod
    def from_row(cls, row: RowMapping) -> "Result":
        """The result that a row with `COLUMNS` holds."""
        return cls(*(row[label] for label in _LABELS))


_LABELS = tuple(f"result_{field.name}" for field in fields(Result))
JOINED = _generations.join(_attempts, _attempts.c.id == _generations.c.attempt_id)
"""The tables from which results are read."""
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
"""The columns of a result, labelled so that statements about more than results can include them."""


async def of(session: Reading, request_id: UUID) -> Sequence[Result]:
    """The finished results of a request, in the order of its jobs."""
    rows = (await session.execute(_OF, {"id": request_id})).mappings()
    return [Result.from_row(row) for row in rows]


_OF = (
    select(*COLUMNS)
    .select_from(JOINED)
    .where(request_column == bindparam("id"))
    .order_by(number_column)
)
