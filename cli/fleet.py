"""Workers: finding one, those of the key's user, changing one."""

import asyncio
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from core.client import HordeClient, NotFound
from core.wire.workers import ModifyWorkerInput, WorkerDetails

MAX_MINE = 200


async def find(client: HordeClient, which: str) -> WorkerDetails:
    """A worker, by its id or its name."""
    try:
        UUID(which)
    except ValueError:
        return await client.workers.named(which)
    try:
        return await client.workers.get(which)
    except NotFound:
        return await client.workers.named(which)


async def mine(client: HordeClient) -> list[WorkerDetails]:
    """The workers of the key's user, online or not."""
    ids = (await client.users.me()).worker_ids or []
    return list(await asyncio.gather(*map(client.workers.get, ids[:MAX_MINE])))


async def change(
    client: HordeClient, worker: WorkerDetails, changes: Mapping[str, Any]
) -> WorkerDetails:
    """Change a worker; as it is then."""
    await client.workers.edit(worker.id, ModifyWorkerInput.model_validate(changes))
    return await client.workers.get(worker.id)
