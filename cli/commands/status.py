"""`horde status`: one look at a horde."""

import asyncio
import json
from typing import Annotated

import typer
from rich.table import Table

from cli import settings as configuration
from cli import terminal
from cli.commands.generate import ApiKey, Url, client_of
from cli.settings import ClientSettings
from core.wire.status import ActiveModel, HordeHeartbeat, HordePerformance
from core.wire.workers import WorkerDetails

Seen = tuple[HordeHeartbeat, HordePerformance, list[ActiveModel], list[WorkerDetails]]


def status(
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    url: Url = None,
    api_key: ApiKey = None,
) -> None:
    """Show the state of a horde: its queue, its workers and its models."""
    settings = configuration.client(url, api_key)
    heartbeat, performance, models, workers = asyncio.run(_look(settings))
    if as_json:
        told = {
            "heartbeat": heartbeat.model_dump(mode="json"),
            "performance": performance.model_dump(mode="json"),
            "models": [one.model_dump(mode="json") for one in models],
            "workers": [one.model_dump(mode="json") for one in workers],
        }
        terminal.output.print(json.dumps(told))
        return
    terminal.output.print(
        f"{settings.url}: {heartbeat.message}, version {heartbeat.version}, "
        f"{performance.queued_requests} pictures in the queue, {performance.worker_count} workers"
    )
    if workers:
        terminal.output.print(_workers(workers))
    if models:
        terminal.output.print(_models(models))


async def _look(settings: ClientSettings) -> Seen:
    async with client_of(settings) as client:
        return await asyncio.gather(
            client.heartbeat(), client.performance(), client.models.active(), client.workers.all()
        )


def _workers(workers: list[WorkerDetails]) -> Table:
    table = Table("worker", "models", "speed", "made", "state", box=None, pad_edge=False)
    for one in sorted(workers, key=lambda worker: worker.name.lower()):
        state = "in maintenance" if one.maintenance_mode else "online" if one.online else "offline"
        table.add_row(
            one.name,
            ", ".join(one.models or []),
            one.performance,
            str(one.requests_fulfilled),
            state,
        )
    return table


def _models(models: list[ActiveModel]) -> Table:
    table = Table("model", "workers", "waiting", "seconds", box=None, pad_edge=False)
    for one in sorted(models, key=lambda model: model.name.lower()):
        table.add_row(one.name, str(one.count), f"{one.jobs:g}", str(one.eta))
    return table
