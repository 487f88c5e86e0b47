"""Workers: seeing and changing them, and the messages that they get with their jobs."""

from typing import Literal

from core.client.api import at
from core.client.running import Part, R, operation
from core.wire.messages import ResponseModelMessage, ResponseModelMessage__Input
from core.wire.workers import ModifyWorker, ModifyWorkerInput, WorkerDetails, WorkerType


class Workers(Part[R]):
    """Workers."""

    @operation
    async def all(
        self, kind: WorkerType | None = None, name: str | None = None
    ) -> list[WorkerDetails]:
        """Get the workers that are online."""
        return await self._api.get(list[WorkerDetails], at("workers"), {"type": kind, "name": name})

    @operation
    async def get(self, worker_id: str) -> WorkerDetails:
        """Get a worker, online or not."""
        return await self._api.get(WorkerDetails, at("workers", worker_id))

    @operation
    async def named(self, name: str) -> WorkerDetails:
        """Get the worker of this name, online or not."""
        return await self._api.get(WorkerDetails, at("workers", "name", name))

    @operation
    async def edit(self, worker_id: str, changes: ModifyWorkerInput) -> ModifyWorker:
        """Change a worker: maintenance, what it says of itself, name, team; moderators pause it."""
        return await self._api.put(ModifyWorker, at("workers", worker_id), changes)

    @operation
    async def delete(self, worker_id: str) -> None:
        """Delete a worker, with its name and its records."""
        await self._api.delete(at("workers", worker_id))


class Messages(Part[R]):
    """Messages to workers, from their owners and from moderators."""

    @operation
    async def send(self, message: ResponseModelMessage__Input) -> ResponseModelMessage:
        """Send a message to a worker, or as a moderator to all of them. Never asked twice."""
        return await self._api.post(ResponseModelMessage, at("workers", "messages"), message)

    @operation
    async def all(
        self,
        page: int = 1,
        validity: Literal["active", "expired", "all"] | None = None,
        worker_id: str | None = None,
        user_id: str | None = None,
    ) -> list[ResponseModelMessage]:
        """Get 50 messages, newest first. user_id: who wrote them."""
        return await self._api.get(
            list[ResponseModelMessage],
            at("workers", "messages"),
            {"page": page, "validity": validity, "worker_id": worker_id, "user_id": user_id},
        )

    @operation
    async def get(self, message_id: str) -> ResponseModelMessage:
        """Get one message."""
        return await self._api.get(ResponseModelMessage, at("workers", "messages", message_id))

    @operation
    async def delete(self, message_id: str) -> None:
        """Take a message back."""
        await self._api.delete(at("workers", "messages", message_id))
