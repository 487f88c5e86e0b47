"""One look at a horde, and what it looks like: for `status` and `watch`."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rich.table import Table

from cli import terminal, words
from cli.terminal import Column
from core.client import HordeClient
from core.wire.status import ActiveModel, HordeHeartbeat, HordePerformance
from core.wire.workers import WorkerDetails

NOBODY_SECONDS = 10_000
"""The waiting time of a model that nobody offers."""


@dataclass(frozen=True)
class Seen:
    """What a horde says of itself."""

    heartbeat: HordeHeartbeat
    performance: HordePerformance
    models: list[ActiveModel]
    workers: list[WorkerDetails]

    @property
    def answer(self) -> dict[str, Any]:
        """The same for JSON."""
        return vars(self)


async def look(client: HordeClient) -> Seen:
    """Look at a horde."""
    return Seen(
        *await asyncio.gather(
            client.heartbeat(), client.performance(), client.models.active(), client.workers.all()
        )
    )


def screen(url: str, seen: Seen) -> list[Table | str]:
    """What people see of it."""
    performance = seen.performance
    health = "" if seen.heartbeat.message == "OK" else f" is {seen.heartbeat.message}"
    queue = [f"{words.count(performance.queued_requests, 'picture')} in the queue"]
    if performance.queued_text_requests:
        queue.append(words.count(performance.queued_text_requests, "text"))
    if performance.queued_forms:
        queue.append(words.count(performance.queued_forms, "form"))
    made = (
        f"{words.amount(performance.past_minute_megapixelsteps)} megapixelsteps in the last minute"
    )
    return [
        f"{url}{health}, version {seen.heartbeat.version}",
        f"{', '.join(queue)}; {made}",
        "",
        workers(seen.workers),
        "",
        models(seen.models),
    ]


def workers(found: Sequence[WorkerDetails]) -> Table | str:
    """A table of workers."""
    return terminal.table(
        sorted(found, key=lambda worker: worker.name.lower()),
        Column("WORKER", lambda one: one.name),
        Column("KIND", lambda one: one.type),
        Column("STATE", state),
        Column("MADE", lambda one: words.amount(one.requests_fulfilled), right=True),
        Column("SPEED", lambda one: one.performance, wraps=True),
        Column("MODELS", lambda one: ", ".join(one.models or one.forms or []), wraps=True),
        nothing="No worker is online.",
    )


def state(worker: WorkerDetails) -> str:
    """What a worker does, in a word or two."""
    if worker.paused:
        return "paused"
    if worker.maintenance_mode:
        return "in maintenance"
    return "online" if worker.online else "offline"


def models(found: Sequence[ActiveModel]) -> Table | str:
    """A table of models."""
    return terminal.table(
        found,
        Column("MODEL", lambda one: one.name),
        Column("KIND", lambda one: one.type),
        Column("WORKERS", lambda one: words.amount(one.count), right=True),
        Column("WAITING", lambda one: words.amount(one.jobs), right=True),
        Column("WAIT", _wait, right=True),
        nothing="No model is offered.",
    )


def _wait(model: ActiveModel) -> str:
    if not model.count:
        return "nobody has it" if model.eta >= NOBODY_SECONDS or model.jobs else ""
    return words.duration(model.eta)
