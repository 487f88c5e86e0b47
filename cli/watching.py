"""Watches a horde: a screen that changes, or a line each time."""

import asyncio
import contextlib
import json
from collections import deque
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import count
from typing import Final

from rich.console import Group
from rich.live import Live
from rich.text import Text

from cli import history, listings, overview, terminal, words
from cli.exits import Exit, Failure
from cli.overview import Seen
from cli.session import Session, jsonable
from core.client import HordeError, Unauthenticated

BARS: Final = "▁▂▃▄▅▆▇█"
KEPT: Final = 60
"""Looks that the curve shows."""
SHOWN_JOBS: Final = 5


async def watch(session: Session, *, every_seconds: float, times: int | None) -> None:
    """Watch until Ctrl-C, or so many times. A horde that is away for a while is waited for."""
    queue = deque[int](maxlen=KEPT)
    with _screen(session) as live:
        for number in count(1):
            try:
                seen = await overview.look(session.client)
            except Unauthenticated:
                raise
            except HordeError as error:
                if number == 1:
                    raise
                terminal.errors.print(f"{session.profile.url} does not answer: {error}")
            else:
                queue.append(seen.performance.queued_requests)
                _show(session, seen, queue, live)
            if times is not None and number >= times:
                return
            await asyncio.sleep(every_seconds)
    raise Failure(Exit.CANCELLED, "Cancelled.")


@contextlib.contextmanager
def _screen(session: Session) -> Iterator[Live | None]:
    if session.as_json or not terminal.output.is_terminal:
        yield None
        return
    with Live(console=terminal.output, screen=True, auto_refresh=False) as live:
        yield live


def _show(session: Session, seen: Seen, queue: deque[int], live: Live | None) -> None:
    if session.as_json:
        print(json.dumps(jsonable(seen.answer)), flush=True)
    elif live is None:
        performance = seen.performance
        terminal.output.print(
            f"{datetime.now(UTC):%H:%M:%S}  {words.count(performance.queued_requests, 'picture')} "
            f"in the queue, {words.count(performance.worker_count, 'worker')}"
        )
    else:
        parts = overview.screen(session.profile.url, seen)
        own = [one for one in history.recent(SHOWN_JOBS) if one.state == "asked"]
        extra = ["", listings.jobs(own)] if own else []
        parts = [
            *parts[:2],
            f"queue {curve(list(queue))}",
            *parts[2:],
            *extra,
            "",
            "Ctrl-C ends it.",
        ]
        shown = [Text(terminal.plain(one)) if isinstance(one, str) else one for one in parts]
        live.update(Group(*shown), refresh=True)


def curve(amounts: list[int]) -> str:
    """Amounts as bars of one line, the largest one the highest."""
    most = max([*amounts, 1])
    return "".join(BARS[round(one / most * (len(BARS) - 1))] for one in amounts)
