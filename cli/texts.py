"""Texts: asking for them, waiting for them, talking with a model."""

import asyncio
import contextlib
import sys
from collections.abc import Callable
from typing import Final

from cli import asking, history, terminal, words
from cli.exits import Exit, Failure
from cli.session import Session
from core.client import HordeError
from core.wire.text import GenerationInputKobold, RequestStatusKobold

CANCEL_SECONDS: Final = 5.0
USER: Final = "User:"
MODEL: Final = "Assistant:"
MAX_TURNS: Final = 200
"""Turns of a talk that are sent again each time; the model sees as many as it has room for."""


async def make(
    session: Session, wanted: GenerationInputKobold, *, timeout_seconds: float
) -> RequestStatusKobold:
    """Ask for texts, and wait for them. They are cancelled if this ends early."""
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
        done = await _followed(session, accepted.id, timeout_seconds)
    except BaseException:
        with contextlib.suppress(HordeError, TimeoutError):
            async with asyncio.timeout(CANCEL_SECONDS):
                await session.client.text.cancel(accepted.id)
        history.end(accepted.id, "cancelled")
        raise
    history.end(accepted.id, "faulted" if done.faulted else "done")
    return done


async def wait(session: Session, request: str, *, timeout_seconds: float) -> None:
    """Wait for texts that were asked for before."""
    tell(session, await _followed(session, request, timeout_seconds))


def tell(session: Session, done: RequestStatusKobold) -> None:
    """Print texts. Raises Failure if there are none."""
    if session.as_json:
        session.show(done, "")
    elif not done.faulted:
        for number, made in enumerate(done.generations):
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
        done = await make(session, ask(prompt), timeout_seconds=timeout_seconds)
        if done.faulted or not done.generations:
            raise Failure(Exit.FAULTED, "Workers could not write it.")
        answer = done.generations[0].text.partition(USER)[0].strip()
        turns.append(f"{MODEL} {answer}")
        session.show({"said": said, "answer": answer}, answer)


def _heard() -> str | None:
    """What people say next; None where they say nothing more."""
    try:
        return input("> " if sys.stdin.isatty() else "").strip()
    except EOFError:
        return None


async def _followed(session: Session, request: str, timeout_seconds: float) -> RequestStatusKobold:
    shown = ""
    with terminal.progress("waiting") as show:

        def look(status: RequestStatusKobold) -> None:
            nonlocal shown
            said = asking.standing(status)
            if not status.done and said != shown:
                show(shown := said)

        return await session.client.text.wait_for(request, timeout_seconds, look)
