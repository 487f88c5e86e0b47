"""Ask: check a request, price it, hold its kudos and queue its jobs."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy.ext.asyncio import AsyncSession

from core.catalog import models as catalog
from core.db import now
from core.errors import Invalid, NotFound, TooMany
from core.generation import heaviness, holding, quotes
from core.generation.horde import Horde
from core.generation.quotes import ImageAsk, Quote
from core.kinds import image, rules
from core.kinds.rules import ImageWarning
from core.kudos import prices, settlement
from core.ledger import accounts, holds
from core.ledger.accounts import Funds
from core.queue import matching, requests
from core.queue.matching import Needs
from core.users.tables import Role, User
from core.workers import fleet

MOST_TARGETED_WORKERS = 5
ANONYMOUS_PRIORITY, FLAGGED_PRIORITY = -50, -100
NOBODY = (
    "Warning: No available workers can fulfill this request. It will expire in {minutes} minutes "
    "unless a worker appears."
)


class MissingPrompt(Invalid):
    """Nothing is asked for."""

    code = "MissingPrompt"


class WorkerNotFound(NotFound):
    """A worker that the request names does not exist."""

    code = "WorkerNotFound"


class RequiresTrust(Invalid):
    """Only trusted users may have each picture made on its own."""

    code = "RequiresTrust"


class TooManyPrompts(TooMany):
    """The user's concurrency is used up."""

    code = "TooManyPrompts"


class InpaintingMissingMask(Invalid):
    """Inpainting without a mask or transparency."""

    code = "InpaintingMissingMask"


class MoreExtraImagesNeedTrust(Invalid):
    """More than one extra source picture needs a trusted user."""

    code = "MoreThanMinExtraSourceImage."


@dataclass(frozen=True, slots=True)
class Asked:
    """What was accepted."""

    request_id: UUID
    lane_id: int
    n: int
    price: int
    """Of one picture before taxes, hundredths of a kudos."""
    warnings: Sequence[ImageWarning]


def check(user: User, ask: ImageAsk) -> None:
    """Raise what keeps this user from asking for this, as far as it needs no look-up."""
    if user.has(Role.DELETED):
        raise fleet.DeletedUser("This account is deleted.")
    if len(ask.params.extra_source_images) > 1 and not user.has(Role.TRUSTED):
        raise MoreExtraImagesNeedTrust("More than one extra source image needs a trusted user.")
    if not ask.prompt.strip():
        raise MissingPrompt("You cannot specify an empty prompt.")
    if ask.params.disable_batching and ask.n > 1 and not user.has(Role.TRUSTED):
        raise RequiresTrust("Only trusted users may disable batching.")
    rules.check(ask.prompt, ask.params, ask.models)


async def ask(session: AsyncSession, horde: Horde, user: User, wanted: ImageAsk) -> Asked:
    """Queue a checked request. Its tax is paid and its kudos are held in the same transaction.

    Raises WorkerNotFound, TooManyPrompts and KudosUpfront. Call `announce` after the commit.
    """
    at = now()
    targeted = await _targeted(session, wanted)
    await horde.online.refresh(session, at=at)
    await horde.counts.refresh(session)
    request_id = uuid4()
    funds = None if user.is_anonymous else await accounts.funds(session, user.account_id)
    wanted, quoted, heavy = _afford(horde, wanted, funds)
    await settlement.charge_tax(
        session, key=f"tax:{request_id}", payer_account=user.account_id, amount=quoted.tax
    )
    # After the tax, which locked the payer's account: two requests at once can't both pass.
    await _check_concurrency(session, user, wanted)
    held = await _hold(session, request_id, user, quoted, heavy=heavy)
    covered = held >= quoted.pictures or user.has(Role.TRUSTED)
    needs = replace(_needs(wanted, targeted), covered=covered)
    queued = await requests.enqueue(
        session,
        horde.lanes,
        _request(user, wanted, quoted, needs, _priority(user, funds)),
        request_id=request_id,
        at=at,
        expires_at=at + horde.life,
        ageing_kudos_per_10s=horde.settings.ageing_kudos_per_10s,
    )
    warnings = [*_nobody(horde, needs), *rules.warnings(wanted.params, wanted.models)]
    return Asked(request_id, queued.lane_id, wanted.n, quoted.price, warnings)


async def _hold(
    session: AsyncSession,
    request_id: UUID,
    user: User,
    quoted: Quote,
    *,
    heavy: bool,
) -> int:
    """Set the price aside: all of it for a heavy request, else what there is. What is held."""
    if user.is_anonymous:
        return 0
    held = await holds.place(
        session,
        key=holding.key_of(request_id),
        account_id=user.account_id,
        amount=quoted.pictures,
        partly=not heavy,
    )
    if held is None:  # spent since `_afford` looked
        raise heaviness.KudosUpfront.asking(quoted)
    return held


async def announce(horde: Horde, asked: Asked) -> None:
    """Wake workers that wait for such a request."""
    await horde.jobs_wait(asked.lane_id, asked.n)


async def _targeted(session: AsyncSession, wanted: ImageAsk) -> frozenset[str]:
    if not wanted.workers:
        return frozenset()
    ids = {}
    for text in wanted.workers:
        try:
            ids[UUID(text)] = text
        except ValueError:
            raise WorkerNotFound(f"Worker with ID '{text}' not found.") from None
    if lost := await fleet.missing(session, ids):
        raise WorkerNotFound(f"Worker with ID '{ids[lost.pop()]}' not found.")
    return frozenset(str(worker_id) for worker_id in list(ids)[:MOST_TARGETED_WORKERS])


async def _check_concurrency(session: AsyncSession, user: User, wanted: ImageAsk) -> None:
    waiting = await requests.waiting_of(session, user.id)
    if waiting + wanted.n > user.concurrency:
        raise TooManyPrompts(
            f"Parallel requests ({waiting} waiting, {wanted.n} more) would exceed the "
            f"{user.concurrency} that this account may have. Please wait for some to finish."
        )


def _afford(horde: Horde, wanted: ImageAsk, funds: Funds | None) -> tuple[ImageAsk, Quote, bool]:
    """The request as the user can pay it (itself or less), its price, whether it is heavy."""
    side = heaviness.free_side(horde, wanted)
    quoted = quotes.quote(wanted)
    if not heaviness.is_heavy(wanted, side):
        return wanted, quoted, False
    if funds is not None and funds.available >= quoted.total:
        return wanted, quoted, True
    if not wanted.allow_downgrade:
        raise heaviness.KudosUpfront.asking(quoted)
    less = heaviness.downgraded(wanted, side)
    return less, quotes.quote(less), False


def _priority(user: User, funds: Funds | None) -> int:
    """Whole kudos that the request starts with."""
    if funds is None:
        return ANONYMOUS_PRIORITY
    if user.has(Role.FLAGGED):
        return FLAGGED_PRIORITY
    return funds.balance // 100


def _needs(wanted: ImageAsk, targeted: frozenset[str]) -> Needs:
    params = wanted.params
    return Needs(
        kind="image",
        models=frozenset(wanted.models),
        features=params.features(catalog.baselines(wanted.models)),
        permissions=params.permissions(),
        nsfw=wanted.nsfw,
        trusted=wanted.trusted_workers,
        slow=wanted.slow_workers,
        extra_slow=wanted.extra_slow_workers,
        workers=targeted,
        avoid=wanted.worker_blacklist,
        pixels=params.pixels,
        steps=params.effective_steps,
    )


def _request(
    user: User, wanted: ImageAsk, quoted: Quote, needs: Needs, priority: int
) -> requests.NewRequest:
    first = image.seed_from(wanted.seed) if wanted.seed else secrets.randbelow(2**32)
    terms: dict[str, Any] = {
        "version": prices.VERSION,
        "price": quoted.price,
        "tax": quoted.tax,
        "slow_workers": wanted.slow_workers,
        "worker_blacklist": wanted.worker_blacklist,
    }
    return requests.NewRequest(
        kind="image",
        user_id=user.id,
        client_agent=wanted.client_agent,
        prompt=wanted.prompt,
        params=wanted.params.to_json(),
        needs=needs,
        terms=terms,
        seeds=image.seeds(first, wanted.n, wanted.seed_variation),
        things=wanted.params.things,
        priority=priority,
    )


def _nobody(horde: Horde, needs: Needs) -> list[ImageWarning]:
    if any(matching.accepts(needs, server.offer) for server in horde.online.servers):
        return []
    minutes = horde.settings.request_minutes
    return [ImageWarning("NoAvailableWorker", NOBODY.format(minutes=minutes))]
