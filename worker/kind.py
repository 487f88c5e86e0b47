"""What a kind of work (pictures, text, alchemy) has of its own: its wire.

Everything else (when to pop, the engine, stopping, giving back) is the same for all and stands in
`worker.loop` and `worker.delivery`.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, Protocol, TypeVar

from core.client import HordeClient, HordeError
from core.wire.image import MetadataType
from core.wire.messages import ResponseModelMessagePop
from core.wire.submit import GenerationMetadataStable
from worker.renderer import CannotRender, Model, Order


@dataclass(frozen=True, kw_only=True)
class Batch:
    """Jobs that were popped together, and are made together.

    model: what makes them, by name.
    work: what is to be done, in a few words for people; no prompt, which is the requester's own
        business.
    steps: how many there will be at first sight.
    popped: when, by `time.monotonic()`.
    """

    ids: tuple[str, ...]
    model: str
    work: str
    steps: int
    popped: float = field(default_factory=time.monotonic)

    @property
    def title(self) -> str:
        """A few words for people."""
        return f"{self.ids[0][:8]} {self.model} {self.work}"


B = TypeVar("B", bound=Batch)
R = TypeVar("R")


@dataclass(frozen=True)
class Popped(Generic[B]):
    """The answer to a pop. batch: None where there is no work."""

    batch: B | None
    messages: Sequence[ResponseModelMessagePop] = ()


class Kind(Protocol[B, R]):
    """One kind of work; its jobs come in batches B, and the engine makes an R of each."""

    async def pop(self, models: Sequence[str], *, device: str | None) -> Popped[B]:
        """Ask for work that these models can do. Raises HordeError."""

    async def order(self, batch: B, models: Mapping[str, Model]) -> Order[R]:
        """Say what the engine is to make, with everything fetched. Raises CannotRender."""

    async def submit(self, batch: B, index: int, result: R) -> float:
        """Deliver one job's part; gives what it earned, in kudos (0 where the answer got lost).

        Raises HordeError.
        """

    async def fault(self, batch: B, index: int, notes: Sequence[GenerationMetadataStable]) -> None:
        """Give one job back. Raises HordeError."""


AnyKind = Kind[Any, Any]


async def fetched(client: HordeClient, place: str, kind: MetadataType) -> bytes:
    """Download a source picture.

    kind: what the requester is told could not be fetched. Raises CannotRender.
    """
    try:
        return await client.download(place)
    except HordeError as error:
        note = GenerationMetadataStable(type=kind, value="download_failed")
        raise CannotRender(f"{kind} cannot be fetched: {error}", (note,)) from error
