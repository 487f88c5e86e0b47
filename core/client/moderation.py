"""What moderators do: filters of prompts, addresses that are kept out, reports of abuse."""

from typing import Literal

from core.client.api import at, filled
from core.client.running import Part, R, operation
from core.wire.filters import (
    FilterDetails,
    FilterPromptSuspicion,
    FilterRegex,
    FilterTest,
    PatchExistingFilter,
    PutNewFilter,
)
from core.wire.operations import (
    AddTimeoutIPInput,
    AddWorkerTimeout,
    DeleteTimeoutIPInput,
    IPTimeout,
)
from core.wire.reports import ModifyReport, ReportDetails, ReportInput, ReportMade
from core.wire.simple import SimpleResponse


class Filters(Part[R]):
    """The filters that prompts are searched for; for moderators."""

    @operation
    async def all(
        self, filter_type: int | None = None, contains: str | None = None
    ) -> list[FilterDetails]:
        """Get the filters. contains: a part of the expression, in any case."""
        return await self._api.get(
            list[FilterDetails],
            at("filters"),
            {"filter_type": filter_type, "contains": contains},
        )

    @operation
    async def get(self, filter_id: str) -> FilterDetails:
        """Get a filter."""
        return await self._api.get(FilterDetails, at("filters", filter_id))

    @operation
    async def create(self, new: PutNewFilter) -> FilterDetails:
        """Add a filter. Never asked twice."""
        return await self._api.put(FilterDetails, at("filters"), new, adds=True)

    @operation
    async def edit(self, filter_id: str, changes: PatchExistingFilter) -> FilterDetails:
        """Change a filter; what is not given stays."""
        return await self._api.patch(FilterDetails, at("filters", filter_id), changes)

    @operation
    async def delete(self, filter_id: str) -> None:
        """Delete a filter."""
        await self._api.delete(at("filters", filter_id))

    @operation
    async def test(self, prompt: str, filter_type: int | None = None) -> FilterPromptSuspicion:
        """See what filters find in a prompt."""
        asked = filled(FilterTest, prompt=prompt, filter_type=filter_type)
        return await self._api.post(FilterPromptSuspicion, at("filters"), asked)

    @operation
    async def expressions(self, filter_type: int | None = None) -> list[FilterRegex]:
        """Get all filters of a type as one expression."""
        query = {"filter_type": filter_type}
        return await self._api.get(list[FilterRegex], at("filters", "regex"), query)


class Addresses(Part[R]):
    """Addresses and networks that are kept out; for moderators."""

    @operation
    async def blocked(self) -> list[IPTimeout]:
        """Get all that are kept out."""
        return await self._api.get(list[IPTimeout], at("operations", "ipaddr"))

    @operation
    async def blocking(self, address: str) -> list[IPTimeout]:
        """Get what keeps an address out: itself, and networks around it."""
        return await self._api.get(list[IPTimeout], at("operations", "ipaddr", address))

    @operation
    async def block(self, address: str, hours: int) -> None:
        """Keep an address or a network (in CIDR form) out."""
        body = filled(AddTimeoutIPInput, ipaddr=address, hours=hours)
        await self._api.post(SimpleResponse, at("operations", "ipaddr"), body)

    @operation
    async def unblock(self, address: str) -> None:
        """Let an address or a network in again."""
        await self._api.delete(
            at("operations", "ipaddr"), filled(DeleteTimeoutIPInput, ipaddr=address)
        )

    @operation
    async def block_worker(self, worker_id: str, days: int) -> None:
        """Keep a worker's address out."""
        path = at("operations", "block_worker_ipaddr", worker_id)
        await self._api.put(SimpleResponse, path, filled(AddWorkerTimeout, days=days))

    @operation
    async def unblock_worker(self, worker_id: str) -> None:
        """Let a worker's address in again."""
        await self._api.delete(at("operations", "block_worker_ipaddr", worker_id))


class Reports(Part[R]):
    """Reports that something shared is abuse."""

    @operation
    async def make(self, report: ReportInput) -> ReportMade:
        """Report a picture, a style, a user and so on. Never asked twice."""
        return await self._api.post(ReportMade, at("reports"), report)

    @operation
    async def all(
        self, state: Literal["open", "closed", "all"] = "open", page: int = 1
    ) -> list[ReportDetails]:
        """Get 50 reports; for moderators."""
        return await self._api.get(
            list[ReportDetails], at("reports"), {"state": state, "page": page}
        )

    @operation
    async def decide(self, report_id: int, decision: ModifyReport) -> ReportDetails:
        """Close a report, or open it again; for moderators."""
        return await self._api.patch(ReportDetails, at("reports", report_id), decision)
