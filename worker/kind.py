"""What differs between kinds of work (pictures, text, alchemy): their wire.

Everything else (when to pop, the engine, stopping, giving back) is the same for all and is in
`worker.loop` and `worker.in_hand`.
"""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Any, Final, Generic, Protocol, TypeVar

import structlog
from pydantic import ValidationError

from core.client import HordeClient, HordeError, UnreadableJobs
from core.wire.image import MetadataType
from core.wire.messages import ResponseModelMessagePop
from core.wire.model import Answer, Request
from core.wire.submit import GenerationMetadataStable
from worker.renderer import CannotRender, Model, Order

FETCH_SECONDS: Final = 20.0
"""The time for a source picture, with all tries: meanwhile nothing else is popped."""
MAX_REASON_CHARS: Final = 255
"""The most characters of a reason in a note about a job."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, kw_only=True)
class Batch:
    """Jobs that were popped together, and are made together.

    model: what makes them, by name.
    work: the work in a few words for people, without the prompt, which is the requester's own
        business.
    steps: how many there will probably be.
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
class Haul(Generic[B]):
    """The result of a pop. batch: None if there is no work."""

    batch: B | None
    messages: Sequence[ResponseModelMessagePop] = ()


class Channel(Protocol[B, R]):
    """How one kind of work comes and goes: in batches B, from which the engine makes R."""

    async def pop(self, models: Sequence[str], *, device: str | None) -> Haul[B]:
        """Ask for work that these models can do.

        Raises HordeError: UnreadableJobs if jobs were handed out all the same.
        """

    async def order(self, batch: B, models: Mapping[str, Model]) -> Order[R]:
        """Make the order for the engine, with everything fetched. Raises CannotRender."""

    async def submit(self, batch: B, index: int, result: R) -> float:
        """Deliver one job's part. Returns what it earned, in kudos (0 if the answer got lost).

        Raises HordeError, and CannotRender if the result cannot be sent as it is.
        """

    async def fault(self, job: str, reason: str, notes: Sequence[GenerationMetadataStable]) -> None:
        """Give one job back, with the reason if the wire has a field for it. Raises HordeError."""


AnyChannel = Channel[Any, Any]


class HandedOut(Protocol):
    """A pop's answer, of pictures or texts."""

    id: str | None
    ids: list[str]


def ids_of(answer: HandedOut) -> tuple[str, ...]:
    """The ids of the jobs in an answer; hordes of the first version only send `id`."""
    return tuple(dict.fromkeys(answer.ids or ([answer.id] if answer.id else [])))


def understood(ids: Sequence[str], read: Callable[[], B]) -> B:
    """Read popped jobs. Raises UnreadableJobs, whatever is wrong with them."""
    try:
        return read()
    except Exception as error:
        log.exception("popped jobs cannot be read", jobs=list(ids))
        raise UnreadableJobs(ids, unexpected(error)) from error


def shown(number: int) -> str:
    """Show a number from a server, which may have thousands of digits."""
    return str(number) if abs(number) < 10**9 else "too many"


def unexpected(error: Exception) -> str:
    """A failure in words for strangers: its own message could name files of this machine."""
    return f"the worker failed: {type(error).__name__}"


def held_to(
    limits: type[Request], payload: Answer, exclude: AbstractSet[str] = frozenset()
) -> None:
    """Check that a server orders nothing that no request may ask for. Raises CannotRender.

    limits: the model of requests. exclude: parameters that requests name differently.
    """
    said = payload.model_dump(exclude_none=True, exclude=set(exclude))
    try:
        limits.model_validate(said)
    except ValidationError as error:
        told = error.errors(include_url=False, include_context=False, include_input=False)
        wrong = "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in told[:3])
        raise CannotRender(f"not to be asked for: {wrong}"[:MAX_REASON_CHARS]) from None


async def fetched(client: HordeClient, place: str, kind: MetadataType) -> bytes:
    """Download a source picture.

    kind: the name of the picture in the requester's note. Raises CannotRender.
    """
    try:
        async with asyncio.timeout(FETCH_SECONDS):
            return await client.download(place)
    except (HordeError, TimeoutError) as error:
        note = GenerationMetadataStable(type=kind, value="download_failed")
        why = str(error) or f"it takes longer than {FETCH_SECONDS:g} seconds"
        raise CannotRender(f"{kind} cannot be fetched: {why}", (note,)) from error
