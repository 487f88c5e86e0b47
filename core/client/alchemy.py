"""Alchemy: asking about pictures, and answering. A part of `HordeClient`."""

from collections import Counter
from typing import Final

from core.client.api import at
from core.client.running import R, operation
from core.client.waiting import Waiting
from core.wire.alchemy import (
    InterrogationPopInput,
    InterrogationPopPayload,
    InterrogationStatus,
    InterrogationSubmitInput,
    ModelInterrogationInputStable,
    RequestInterrogationResponse,
)
from core.wire.generate import JobFault, RequestStatusCheck
from core.wire.submit import GenerationSubmitted

ENDED: Final = frozenset({"done", "faulted", "cancelled"})


class Alchemy(Waiting[R, InterrogationStatus]):
    """The same as `HordeClient` does for pictures, for the forms of alchemy."""

    @operation
    async def ask(
        self, ask: ModelInterrogationInputStable, key: str | None = None
    ) -> RequestInterrogationResponse:
        """Queue the forms wanted of a picture. Never asked twice.

        key: as `HordeClient.generate` has it.
        """
        path = at("interrogate", "async")
        return await self._api.post(RequestInterrogationResponse, path, ask, key=key)

    @operation
    async def status(self, request_id: str) -> InterrogationStatus:
        """Get the status of the forms, with finished results. Ten times a second at most."""
        return await self._status(request_id)

    @operation
    async def cancel(self, request_id: str) -> InterrogationStatus:
        """Cancel forms that no worker has begun. Returns the status after that."""
        return await self._api.cancel(InterrogationStatus, _path(request_id))

    @operation
    async def pop(self, offer: InterrogationPopInput) -> InterrogationPopPayload:
        """Ask for work; without `forms` there is none. Never repeated. May raise UnreadableJobs."""
        return await self._api.pop(
            InterrogationPopPayload, at("interrogate", "pop"), offer, wait=offer.wait
        )

    @operation
    async def submit(self, result: InterrogationSubmitInput) -> GenerationSubmitted | None:
        """Submit a form's result, or give it back (`faulted`), as `HordeClient.submit` does."""
        return await self._api.submit(
            at("interrogate", "submit"), result, fault=result.state == "faulted"
        )

    async def _status(self, request_id: str) -> InterrogationStatus:
        return await self._api.get(InterrogationStatus, _path(request_id))

    async def _check(self, request_id: str) -> RequestStatusCheck:
        """How far the forms are, in the words of pictures: not every horde checks forms."""
        now = await self._status(request_id)
        states = Counter(form.state for form in now.forms)
        return RequestStatusCheck(
            finished=states["done"],
            processing=states["processing"],
            restarted=0,
            waiting=states["waiting"],
            done=ENDED.issuperset(states),
            faulted=now.state == "faulted",
            wait_time=0,
            queue_position=0,
            kudos=0.0,
            faults=[
                JobFault(index=index, tries=form.faults, reason=form.reason)
                for index, form in enumerate(now.forms)
                if form.faults
            ]
            or None,
        )


def _path(request_id: str) -> str:
    return at("interrogate", "status", request_id)
