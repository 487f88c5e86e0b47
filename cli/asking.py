"""Asks a horde for pictures and shows the progress until they are here."""

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from time import monotonic

from cli.exits import Exit, Failure
from core.client import HordeClient, HordeError
from core.wire.events import EndEvent, GenerationEvent, ProgressEvent, StatusEvent
from core.wire.generate import GenerationInputStable, JobFault, RequestStatusCheck


@dataclass
class Answer:
    """The results of a request so far.

    kudos: the cost of all of it; None until the request has ended.
    faults: the jobs that workers failed at, some perhaps before another made them.
    warnings: why it may not turn out well.
    """

    pictures: list[tuple[GenerationEvent, bytes]] = field(default_factory=list)
    kudos: float | None = None
    faulted: bool = False
    faults: list[JobFault] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def failure(self) -> str:
        """A sentence that workers could not make it, and why."""
        made = {picture.index for picture, _ in self.pictures}
        lost = [fault for fault in self.faults if fault.index not in made]
        return " ".join(["Workers could not make all of it.", *map(why, lost)])


async def ask(
    client: HordeClient,
    wanted: GenerationInputStable,
    *,
    timeout_seconds: float,
    show: Callable[[str], None],
    answer: Answer,
) -> None:
    """Ask, and follow the request until it ends; `answer` is filled as pictures come.

    show: called with each change of the status. If this ends early in any way, the request is
        cancelled. Raises HordeError, and Failure with Exit.TIMED_OUT after `timeout_seconds`.
    """
    begun = monotonic()
    wanted = await with_model(client, wanted)
    request = await client.generate(wanted)
    # That nobody serves it is shown for as long as it is so.
    warned = [each for each in request.warnings or () if each.code != "NoAvailableWorker"]
    answer.warnings = [each.message for each in warned]
    try:
        async with asyncio.timeout(timeout_seconds):
            unoffered = await _unoffered(client, wanted.models)
            await _follow(client, request.id, unoffered, show, answer)
    except TimeoutError:
        await _cancel(client, request.id)
        raise Failure(Exit.TIMED_OUT, f"Not done after {timeout_seconds:g} s.") from None
    except BaseException:
        await _cancel(client, request.id)
        raise
    finally:
        answer.seconds = monotonic() - begun


async def with_model(client: HordeClient, wanted: GenerationInputStable) -> GenerationInputStable:
    """The request, by the only model that is online where it names none.

    What it leaves open is then as that model wants it, and its warnings are about that model.
    """
    if wanted.models:
        return wanted
    offered = [model.name for model in await client.models.active() if model.count]
    if len(offered) != 1:
        return wanted
    return wanted.model_copy(update={"models": offered})


async def _unoffered(client: HordeClient, models: Sequence[str]) -> list[str]:
    """The models that no worker offers, such as one with a mistyped name."""
    if not models:
        return []
    offered = {model.name for model in await client.models.active() if model.count}
    return [name for name in models if name not in offered]


async def _follow(
    client: HordeClient,
    request_id: str,
    unoffered: Sequence[str],
    show: Callable[[str], None],
    answer: Answer,
) -> None:
    shown = ""
    async with aclosing(client.events(request_id)) as events:
        async for event in events:
            if isinstance(event, GenerationEvent):
                answer.pictures.append((event, await client.download(event.img)))
            elif isinstance(event, EndEvent):
                answer.kudos, answer.faulted = event.cost, event.faulted
                answer.faults = event.faults or []
            elif isinstance(event, ProgressEvent):
                continue
            elif not event.done and (words := standing(event, unoffered)) != shown:
                show(shown := words)


async def _cancel(client: HordeClient, request_id: str) -> None:
    """Cancel the request. If that fails, it expires."""
    with contextlib.suppress(HordeError, TimeoutError):
        async with asyncio.timeout(5):
            await client.cancel(request_id)


def amount(kudos: float) -> str:
    """An amount of kudos in figures, however large it is: 6.5, 1234567."""
    return f"{kudos:.2f}".rstrip("0").rstrip(".")


def why(fault: JobFault) -> str:
    """What workers said about a picture that they could not make, as a sentence."""
    times = "once" if fault.tries == 1 else f"{fault.tries} times"
    reason = f": {fault.reason.strip()}" if fault.reason else ""
    return f"Picture {fault.index + 1} failed {times}{reason}".rstrip(".") + "."


def standing(check: RequestStatusCheck, unoffered: Sequence[str] = ()) -> str:
    """The status of a request, in a few words.

    unoffered: those of its models that no worker has.
    """
    made = check.finished
    parts = [f"{made} of {made + check.processing + check.waiting} finished"] if made else []
    if check.processing:
        names = _makers(check)
        parts.append(f"being made by {names}" if names else "being made")
    elif check.waiting and not check.is_possible:
        models = f"; nobody offers a model named {' or '.join(unoffered)}" if unoffered else ""
        parts.append(f"no worker can make it{models}; waiting for a worker that can")
    elif check.queue_position == 1:
        parts.append("next in the queue")
    elif check.queue_position:
        parts.append(f"number {check.queue_position} in the queue")
    if check.wait_time and check.is_possible:
        parts.append(f"about {check.wait_time} s")
    said = ", ".join(parts) or "waiting"
    return ". ".join([said, *map(why, check.faults)]) if check.faults else said


def _makers(check: RequestStatusCheck) -> str:
    if not isinstance(check, StatusEvent):
        return ""
    names = (job.worker_name for job in check.jobs if job.state == "processing")
    return ", ".join(dict.fromkeys(name for name in names if name))
