"""Texts: asking for them, waiting for them, talking with a model."""

import asyncio
import contextlib
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from cli import asking, history, terminal, words
from cli.exits import Exit, Failure
from cli.session import Session
from cli.streaming import Stream
from core.client import HordeError
from core.wire.events import Event, ProgressEvent, StatusEvent
from core.wire.text import GenerationInputKobold, RequestStatusKobold

CANCEL_SECONDS: Final = 5.0
USER: Final = "User:"
MODEL: Final = "Assistant:"
MAX_TURNS: Final = 200
"""Turns of a talk that are sent again each time; the model sees as many as it has room for."""


@dataclass(frozen=True)
class Written:
    """Texts that have ended. shown: whether the first was written on the terminal as it grew."""

    status: RequestStatusKobold
    shown: bool


async def make(
    session: Session, wanted: GenerationInputKobold, *, timeout_seconds: float, stop: str = ""
) -> Written:
    """Ask for texts, and wait for them. They are cancelled if this ends early.

    stop: where a text ends, whatever follows.
    """
    accepted = await session.client.text.generate(wanted)
    history.add(
        accepted.id,
        url=session.profile.url,
        kind="text",
        prompt=wanted.prompt,
        given={},
        out="",
    )
    try:
        written = await _followed(session, accepted.id, timeout_seconds, stop)
    except BaseException:
        with contextlib.suppress(HordeError, TimeoutError):
            async with asyncio.timeout(CANCEL_SECONDS):
                await session.client.text.cancel(accepted.id)
        history.end(accepted.id, "cancelled")
        raise
    history.end(accepted.id, "faulted" if written.status.faulted else "done")
    return written


async def wait(session: Session, request: str, *, timeout_seconds: float) -> None:
    """Wait for texts that were asked for before."""
    tell(session, await _followed(session, request, timeout_seconds))


def tell(session: Session, written: Written) -> None:
    """Print texts. Raises Failure if there are none."""
    done = written.status
    if session.as_json:
        session.show(done, "")
    elif not done.faulted:
        for number, made in enumerate(done.generations):
            if written.shown and not number:
                continue
            session.say(f"{'' if not number else chr(10)}{made.text.strip()}")
        if terminal.output.is_terminal:
            makers = ", ".join(dict.fromkeys(one.worker_name for one in done.generations))
            terminal.errors.print(f"{words.amount(done.cost)} kudos, written by {makers}")
    if done.faulted or not done.generations:
        raise Failure(Exit.FAULTED, "Workers could not write it.")


async def talk(
    session: Session,
    ask: Callable[[str], GenerationInputKobold],
    *,
    system: str,
    timeout_seconds: float,
) -> None:
    """Talk with a model until the input ends. ask: the request for a prompt."""
    turns = list[str]()
    if terminal.output.is_terminal:
        terminal.errors.print("Ctrl-D ends the talk.")
    while (said := await asyncio.to_thread(_heard)) is not None:
        if not said:
            continue
        turns = [*turns[-2 * MAX_TURNS :], f"{USER} {said}"]
        prompt = "\n".join([*([system] if system else []), *turns, MODEL])
        written = await make(session, ask(prompt), timeout_seconds=timeout_seconds, stop=USER)
        done = written.status
        if done.faulted or not done.generations:
            raise Failure(Exit.FAULTED, "Workers could not write it.")
        answer = _text(done, USER)
        turns.append(f"{MODEL} {answer}")
        if not written.shown:
            session.show({"said": said, "answer": answer}, answer)


def _heard() -> str | None:
    """What people say next; None where they say nothing more."""
    try:
        return input("> " if sys.stdin.isatty() else "").strip()
    except EOFError:
        return None


async def _followed(
    session: Session, request: str, timeout_seconds: float, stop: str = ""
) -> Written:
    streams = terminal.output.is_terminal and not session.as_json
    shown = ""
    with terminal.progress("waiting") as show:
        stream = Stream(stop, on_begin=show.leave)

        def look(event: Event) -> None:
            nonlocal shown
            if isinstance(event, ProgressEvent):
                if streams and event.text and not event.index:
                    stream.so_far(event.text)
            elif isinstance(event, StatusEvent) and not (event.done or stream.has_begun):
                said = asking.standing(event)
                if said != shown:
                    show(shown := said)

        done = await session.client.text.wait_for(request, timeout_seconds, look)
    if stream.has_begun:
        stream.end(_text(done, stop))
    return Written(done, stream.has_begun)


def _text(done: RequestStatusKobold, stop: str) -> str:
    """The first text, as far as it is meant."""
    text = done.generations[0].text if done.generations else ""
    return (text.partition(stop)[0] if stop else text).strip()
