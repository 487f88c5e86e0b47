"""Asks a horde for pictures and shows the progress until they are here."""

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from time import monotonic

from cli.exits import Exit, Failure
from cli.terminal import Progress
from core.client import HordeClient, HordeError
from core.wire.events import EndEvent, GenerationEvent, ProgressEvent, StatusEvent
from core.wire.generate import GenerationInputStable, JobFault, RequestStatusCheck


@dataclass
class Answer:
    """The results of a request so far.

    kudos: the cost of all of it; None until the request has ended.
    is_done: whether all of it was made.
    faults: the jobs that workers failed at, some perhaps before another made them.
    warnings: why it may not turn out well.
    """

    pictures: list[tuple[GenerationEvent, bytes]] = field(default_factory=list)
    kudos: float | None = None
    faulted: bool = False
    is_done: bool = False
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
    show: Progress,
    answer: Answer,
    on_request: Callable[[str], None] = lambda _: None,
) -> None:
    """Ask, and follow the request until it ends; `answer` is filled as pictures come.

    on_request: gets the request's id.
    If this ends early in any way, the request is cancelled, and what it finished is in `answer`.
    Raises HordeError, and Failure with Exit.TIMED_OUT after `timeout_seconds`.
    """
    wanted = await with_model(client, wanted)
    request = await client.generate(wanted)
    on_request(request.id)
    # That nobody serves it is shown for as long as it is so.
    warned = [each for each in request.warnings or () if each.code != "NoAvailableWorker"]
    answer.warnings = [each.message for each in warned]
    await follow(
        client,
        request.id,
        timeout_seconds=timeout_seconds,
        show=show,
        answer=answer,
        models=wanted.models,
        cancels=True,
    )


async def follow(
    client: HordeClient,
    request_id: str,
    *,
    timeout_seconds: float,
    show: Progress,
    answer: Answer,
    models: Sequence[str] = (),
    cancels: bool = False,
) -> None:
    """Follow a request until it ends; `answer` is filled as pictures come.

    models: those that were asked for, to say which of them nobody has.
    cancels: whether the request is cancelled if this ends early. Raises as `ask` does.
    """
    begun = monotonic()
    try:
        async with asyncio.timeout(timeout_seconds):
            unoffered = await _unoffered(client, models)
            await _follow(client, request_id, unoffered, show, answer)
    except TimeoutError:
        await _left(client, request_id, answer, cancels=cancels)
        raise Failure(Exit.TIMED_OUT, f"Not done after {timeout_seconds:g} s.") from None
    except BaseException:
        await _left(client, request_id, answer, cancels=cancels)
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
    show: Progress,
    answer: Answer,
) -> None:
    shown = ""
    async with aclosing(client.events(request_id)) as events:
        async for event in events:
            if isinstance(event, GenerationEvent):
                answer.pictures.append((event, await client.download(event.img)))
            elif isinstance(event, EndEvent):
                answer.kudos, answer.faulted = event.cost, event.faulted
                answer.is_done = event.done and not event.faulted
                answer.faults = event.faults or []
            elif isinstance(event, ProgressEvent):
                show.at(event.step / max(1, event.steps))
            elif not event.done and (words := standing(event, unoffered)) != shown:
                show(shown := words)


async def _left(client: HordeClient, request_id: str, answer: Answer, *, cancels: bool) -> None:
    """Cancel the request, and take what it finished meanwhile. If that fails, it expires."""
    if not cancels:
        return
    with contextlib.suppress(HordeError, TimeoutError):
        async with asyncio.timeout(5):
            left = await client.cancel(request_id)
            answer.kudos = left.cost
            have = {made.id for made, _ in answer.pictures}
            for index, made in enumerate(left.generations):
                if made.id not in have:
                    event = GenerationEvent(**made.model_dump(), index=index)
                    answer.pictures.append((event, await client.download(made.img)))


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
