"""What differs between kinds of work (pictures, text, alchemy): their wire.

Everything else (when to pop, the engine, stopping, giving back) is the same for all and stands in
`worker.loop` and `worker.in_hand`.
"""

import asyncio
import hashlib
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
from core.wire.progress import ProgressHeard, ProgressInput
from core.wire.submit import GenerationMetadataStable
from worker.renderer import CannotRender, Model, Order

FETCH_SECONDS: Final = 20.0
"""For a source picture, however often it is tried."""
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
    likeness: the same for the same work that is handed out again, under other ids.
    ttl: seconds from `popped` until somebody else gets the jobs; None: nobody said.
    shown: whether the requester may see it before it is done.
    popped: when, by `time.monotonic()`.
    """

    ids: tuple[str, ...]
    model: str
    work: str
    steps: int
    likeness: str = ""
    ttl: float | None = None
    shown: bool = True
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


@dataclass(frozen=True)
class Parcel:
    """One job's result as it goes to the server; it may be kept on disk meanwhile.

    body: of the submit, but for a picture that goes with it.
    picture: encoded; None where there is none.
    url: where the picture is to be put; None where it goes with the submit.
    """

    job: str
    body: dict[str, Any]
    picture: bytes | None = None
    url: str | None = None


class Channel(Protocol[B, R]):
    """How one kind of work comes and goes: in batches B, from which the engine makes R."""

    name: str
    """Of the kind."""

    async def pop(self, models: Mapping[str, Model], *, device: str | None) -> Haul[B]:
        """Ask for work that these models can do.

        Raises HordeError: UnreadableJobs if jobs were handed out all the same.
        """

    async def order(self, batch: B, models: Mapping[str, Model]) -> Order[R]:
        """Make the order for the engine, with everything fetched. Raises CannotRender."""

    async def pack(self, batch: B, index: int, result: R) -> Parcel:
        """Make one job's part ready to be sent. Raises CannotRender where that is not possible."""

    async def tell(self, said: ProgressInput) -> ProgressHeard:
        """Say how far jobs are. Raises HordeError, NotFound where the horde does not listen."""

    async def send(self, parcel: Parcel) -> float:
        """Deliver it; gives what it earned, in kudos (0 where the answer got lost).

        Raises HordeError.
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


def likeness(model: str | None, payload: Answer) -> str:
    """Give what is the same for the same work, whoever gets it and however often.

    payload: its parameters; how many of its pictures are handed out together does not count.
    """
    said = payload.model_dump_json(exclude={"n_iter"})
    return hashlib.sha256(f"{model}\n{said}".encode(errors="replace")).hexdigest()


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
