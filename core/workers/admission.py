"""Which workers may check in: from where, in which mode of the horde, how many, by what name."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import select

from core.db import Reading, table
from core.errors import Forbidden, Invalid
from core.moderation import addresses, names
from core.moderation.modes import Modes
from core.moderation.scores import Verdict
from core.users.roles import DeletedUser
from core.users.tables import Role, User
from core.workers.tables import WorkerRow

MAX_WORKERS_UNTRUSTED, MAX_WORKERS = 3, 20
"""The most of an owner, and of an owner at one address; invitations may raise it."""
REFUSED_NAMES = re.compile(r"colab|tpu|google", re.IGNORECASE)

_workers = table(WorkerRow)


class AnonForbiddenWorker(Forbidden):
    """The anonymous user owns no workers here."""

    code = "AnonForbiddenWorker"


class WorkerFlagged(Forbidden):
    """The owner is flagged by the moderators."""

    code = "WorkerFlaggedMaintenance"


class WorkerInviteOnly(Forbidden):
    """New workers need an invitation, and the owner's are used up."""

    code = "WorkerInviteOnly"


class TooManyWorkers(Forbidden):
    """The owner has as many workers as an untrusted user may have."""

    code = "TooManyWorkers"


class TooManyWorkersTrusted(Forbidden):
    """The owner has as many workers as anybody may have."""

    code = "TooManyWorkersTrusted"


class TooManySameIPs(Forbidden):
    """The owner has as many workers at this address as allowed."""

    code = "TooManySameIPs"


class UnsafeIP(Forbidden):
    """The address is one that hides its user, and the owner is not trusted."""

    code = "UnsafeIP"


class TooManyNewIPs(Forbidden):
    """The service that tells safe addresses from unsafe ones has no answer at present."""

    code = "TooManyNewIPs"


class ProfaneWorkerName(Invalid):
    """The name is obscene or a slur."""

    code = "ProfaneWorkerName"


class ProfaneBridgeAgent(Invalid):
    """The name of the program is obscene or a slur."""

    code = "ProfaneBridgeAgent"


@dataclass(frozen=True, slots=True)
class CheckinContext:
    """What is known when a worker checks in."""

    address: str | None = None
    """The worker's address; None if there is none, as in a test."""
    verdict: Verdict = Verdict.SAFE
    """What is known of that address."""
    modes: Modes = field(default_factory=Modes)
    anonymous_workers: bool = False
    """Whether the anonymous user may own workers, unpaid."""


OPEN = CheckinContext()


async def check_owner(
    session: Reading, owner: User, context: CheckinContext, *, at: datetime
) -> None:
    """Raise the reason why this owner's workers, or workers from this address, are kept out."""
    if owner.is_anonymous and not context.anonymous_workers:
        raise AnonForbiddenWorker("Anonymous users cannot run workers. Please register.")
    if owner.has(Role.DELETED):
        raise DeletedUser("This account is deleted and cannot run workers.")
    if owner.has(Role.FLAGGED):
        raise WorkerFlagged("Your account is flagged; your workers are in maintenance mode.")
    if context.address is not None:
        await addresses.refuse(session, context.address, at=at)
    if needs_safe_address(owner):
        _check_verdict(context)


def needs_safe_address(owner: User) -> bool:
    """Whether the owner's workers may only come from addresses that hide nobody."""
    return not (owner.has(Role.TRUSTED) or owner.has(Role.VPN))


def _check_verdict(context: CheckinContext) -> None:
    if context.verdict is Verdict.UNKNOWN:
        raise TooManyNewIPs(
            "There are too many new addresses at present to look at yours. Please try again later."
        )
    if context.verdict is Verdict.UNSAFE and not context.modes.raid:
        raise UnsafeIP(
            "Your worker seems to use a VPN or a proxy. Please ask the moderators to admit it."
        )


def check_agent(agent: str) -> None:
    """Raise ProfaneBridgeAgent."""
    if names.is_profane(agent):
        raise ProfaneBridgeAgent("Please let your worker's program call itself something decent.")


def gets_decoys(owner: User, context: CheckinContext) -> bool:
    """Whether the worker is handed decoys: in a raid nobody learns that an address is unsafe."""
    unsafe = context.verdict is Verdict.UNSAFE and needs_safe_address(owner)
    return unsafe and context.modes.raid


async def check_new(session: Reading, owner: User, name: str, context: CheckinContext) -> None:
    """Raise the reason why a new worker is kept out."""
    check_name(name)
    there: Sequence[str | None] = (
        await session.scalars(select(_workers.c.address).where(_workers.c.user_id == owner.id))
    ).all()
    usual = MAX_WORKERS if owner.has(Role.TRUSTED) else MAX_WORKERS_UNTRUSTED
    limit = max(usual, owner.worker_invited)
    if context.address is not None and there.count(context.address) >= limit:
        raise TooManySameIPs(
            f"You have {there.count(context.address)} workers at this address; ask the moderators "
            "for more."
        )
    if owner.is_anonymous:
        return  # the anonymous user owns every anonymous worker
    if context.modes.invite_only and len(there) >= owner.worker_invited:
        raise WorkerInviteOnly(
            f"This horde takes new workers by invitation only, and you have {len(there)} of the "
            f"{owner.worker_invited} that you were invited to. Please ask the moderators."
        )
    if len(there) >= max(MAX_WORKERS, owner.worker_invited):
        raise TooManyWorkersTrusted(f"You have {len(there)} workers; ask the moderators for more.")
    if len(there) >= limit:
        raise TooManyWorkers(f"You have {len(there)} workers; only trusted users may have more.")


def check_name(name: str) -> None:
    """Raise ProfaneWorkerName or Invalid if a worker may not have this name."""
    if not name:
        raise Invalid("A worker needs a name.")
    if names.is_profane(name):
        raise ProfaneWorkerName("Please choose a decent name for your worker.")
    if REFUSED_NAMES.search(name):
        raise Invalid("Please choose a name for your worker that does not name a cloud service.")
