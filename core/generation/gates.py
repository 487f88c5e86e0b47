"""Gates: the horde's modes, the requester's address, and the prompt."""

from dataclasses import replace
from datetime import datetime
from typing import Any

from core.db import Reading, Writing
from core.errors import Forbidden, Invalid
from core.generation.horde import Horde
from core.generation.specs import Requester, RequestSpec
from core.kinds import registry
from core.moderation import addresses, prompts
from core.moderation.scores import Verdict
from core.users import suspicion
from core.users.roles import AnonForbidden
from core.users.tables import Reason, Role, User
from core.workers.admission import needs_safe_address

NOBODYS_AGENT = "My-Project:v0.0.1:My-Contact"
"""The name of a program in horde-sdk's example."""


class MaintenanceMode(Invalid):
    """The horde takes no new requests."""

    code = "MaintenanceMode"


class BannedClientAgent(Forbidden):
    """The program has the name of a published example, so nobody can be contacted."""

    code = "BannedClientAgent"


class UntrustedUnsafeIP(Forbidden):
    """In a raid, an untrusted user at an address that hides its user."""

    code = "UntrustedUnsafeIP"


async def admit(
    session: Reading,
    horde: Horde,
    requester: Requester,
    wanted: RequestSpec[Any],
    *,
    at: datetime,
) -> None:
    """Raise the reason why this requester is kept out at present, whatever the request is.

    Raises MaintenanceMode, AnonForbidden, TimeoutIP, UntrustedUnsafeIP and BannedClientAgent.
    """
    rules = registry.of(wanted.kind)
    states = await horde.modes.refresh(session, at=at)
    if states.maintenance:
        raise MaintenanceMode(
            "This horde is in maintenance mode and takes no requests. Please try again later."
        )
    if requester.user.is_anonymous and not states.anonymous:
        raise AnonForbidden("This horde serves registered users only. Please register.")
    if requester.address is not None:
        await addresses.refuse(session, requester.address, at=at)
    is_hidden = requester.verdict is Verdict.UNSAFE and needs_safe_address(requester.user)
    if states.raid and is_hidden and rules.safe_addresses_in_raid:
        raise UntrustedUnsafeIP("Only Trusted users are allowed to perform this operation")
    if rules.needs_named_client and wanted.client_agent == NOBODYS_AGENT:
        raise BannedClientAgent("Please set Client-Agent to your program's name and a contact.")


async def screened(
    session: Reading, horde: Horde, user: User, wanted: RequestSpec[Any], *, at: datetime
) -> RequestSpec[Any]:
    """The request with the prompt that it may have: its own, or a rewritten one.

    Raises CorruptPrompt, after which `punish` is due once the transaction is rolled back;
    PromptTooLong and FiltersUnavailable.
    """
    rules = registry.of(wanted.kind)
    always = user.has(Role.FLAGGED) or rules.shows_nudity(wanted.models)
    if not rules.is_screened(watched=always):
        return wanted
    await horde.filters.refresh(session, at=at)
    rewrite = wanted.replacement_filter or user.has(Role.EDUCATION)
    prompt = prompts.screen(horde.filters, wanted.prompt, rewrite=rewrite, always=always)
    return replace(wanted, prompt=prompt)


async def punish(session: Writing, requester: Requester, *, at: datetime) -> None:
    """Keep the address out for a while after a refused prompt, and record a suspicion.

    Moderators, who try filters out, are left alone.
    """
    if requester.user.has(Role.MODERATOR):
        return
    if requester.address is not None:
        await addresses.punish(session, requester.address, at=at)
    await suspicion.suspect(session, requester.user.id, Reason.CORRUPT_PROMPT, at=at)
