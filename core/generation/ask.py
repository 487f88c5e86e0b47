"""Ask: check a request, price it, hold its kudos and queue its jobs."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID, uuid4

from core.db import Reading, Writing, now
from core.errors import Invalid, TooMany
from core.generation import holding, kind, privileges, sharing, styled
from core.generation.horde import Horde
from core.generation.specs import KudosUpfront, Quote, Requester, RequestSpec
from core.kinds.params import Advice
from core.kudos import prices, settlement
from core.kudos.refusals import IdempotencyKeyConflict
from core.ledger import accounts
from core.ledger.accounts import Funds
from core.queue import repeats, requests
from core.queue.matching import Needs
from core.users.roles import DeletedUser
from core.users.tables import Role, User
from core.workers import fleet

MAX_TARGETED_WORKERS = 5
NO_LANE = -1
NOBODY = (
    "Warning: No available workers can fulfill this request. It will expire in {minutes} minutes "
    "unless a worker appears."
)


class MissingPrompt(Invalid):
    """The prompt is empty."""

    code = "MissingPrompt"


class RequiresTrust(Invalid):
    """Only trusted users may disable batching."""

    code = "RequiresTrust"


class TooManyPrompts(TooMany):
    """The user's concurrency is used up."""

    code = "TooManyPrompts"


@dataclass(frozen=True, slots=True)
class Accepted:
    """An accepted request."""

    request_id: UUID
    lanes: Counter[int]
    """How many jobs wait in which lane."""
    price: int
    """The price of one picture before taxes, in hundredths of a kudos; 0 for other kinds."""
    warnings: Sequence[Advice]
    repeated: bool = False
    """Whether it was accepted before: this was the same call again."""


def check(requester: Requester, wanted: RequestSpec[Any]) -> None:
    """Raise the reason why this user may not ask for this, as far as no look-up is needed."""
    user = requester.user
    if user.has(Role.DELETED):
        raise DeletedUser("This account is deleted.")
    params = wanted.params
    its = kind.of(wanted.kind)
    if its.rules.needs_prompt and not wanted.prompt.strip():
        raise MissingPrompt("You cannot specify an empty prompt.")
    if params.disable_batching and wanted.n > 1 and not user.has(Role.TRUSTED):
        raise RequiresTrust("Only trusted users may disable batching.")
    privileges.check(user, wanted)
    sharing.check(requester, wanted)
    its.check(wanted)


def quote(wanted: RequestSpec[Any]) -> Quote:
    """The cost of a checked request."""
    return kind.of(wanted.kind).quote(wanted)


async def ask(
    session: Writing, horde: Horde, requester: Requester, wanted: RequestSpec[Any]
) -> Accepted:
    """Queue a checked request. Its tax is paid and its kudos are held in the same transaction.

    If its key stands for a request already, that one is returned, and nothing is queued or paid.

    Raises IdempotencyKeyConflict, WorkerNotFound, TooManyPrompts and KudosUpfront. Call `announce`
    after the commit.
    """
    at = now()
    user = requester.user
    if (before := await _before(session, user, wanted)) is not None:
        return before
    wanted = privileges.applied(user, wanted)
    targeted = await _targeted(session, wanted)
    await horde.online.refresh(session, at=at)
    await horde.counts.refresh(session, horde.lanes)
    needs = _needs(wanted, targeted)
    is_parked = await horde.parking(session, needs, at=at)
    request_id = uuid4()
    # Locked from here on: two requests at once can't both spend the same, or be the last allowed.
    funds, waiting = await _standing(session, horde, user, wanted, parked=is_parked(needs))
    _check_concurrency(user, wanted, waiting)
    wanted, quoted, heavy = _afford(horde, wanted, funds)
    standing = await sharing.reserve(session, requester, wanted, quoted, request_id)
    held = await _pay(session, request_id, user, quoted, funds, heavy=heavy)
    covered = held >= quoted.results or user.has(Role.TRUSTED)
    needs = replace(_needs(wanted, targeted), covered=covered)  # the request may be lighter by now
    lanes = await requests.enqueue(
        session,
        horde.lanes,
        _request(requester, wanted, quoted, needs, privileges.priority(user, funds, standing)),
        request_id=request_id,
        at=at,
        expires_at=at + horde.life,
        ageing_kudos_per_10s=horde.settings.ageing_kudos_per_10s,
        is_parked=is_parked,
    )
    horde.counts.is_stale = True
    warnings = [*_nobody(horde, needs), *kind.of(wanted.kind).advice(wanted)]
    return Accepted(request_id, lanes, quoted.price, warnings)


async def _before(session: Writing, user: User, wanted: RequestSpec[Any]) -> Accepted | None:
    """The same call as it was accepted before; None if it was not, or has no key to know it by."""
    if wanted.client_key is None:
        return None
    before = await repeats.before(session, user.id, wanted.client_key)
    if before is None:
        return None
    if before.body_digest != wanted.client_key.body:
        raise IdempotencyKeyConflict("This Idempotency-Key was sent with another request before.")
    return Accepted(before.id, Counter(), before.terms["price"], [], repeated=True)


async def _pay(
    session: Writing,
    request_id: UUID,
    user: User,
    quoted: Quote,
    funds: Funds | None,
    *,
    heavy: bool,
) -> int:
    """Pay the tax and hold the price: all of it for a heavy request, else as much as there is.

    Returns the amount held.
    """
    key = f"tax:{request_id}"
    if funds is None:
        await settlement.charge_tax(
            session, key=key, payer_account=user.account_id, amount=quoted.tax
        )
        return 0
    held = await settlement.accept(
        session,
        tax_key=key,
        hold_key=holding.key_of(request_id),
        payer_account=user.account_id,
        available=funds.available,
        tax=quoted.tax,
        price=quoted.results,
        partly=not heavy,
    )
    if held is None:
        raise KudosUpfront.asking(quoted)
    return held


async def announce(horde: Horde, asked: Accepted) -> None:
    """Wake workers that wait for jobs like these."""
    for lane_id, count in asked.lanes.items():
        await horde.jobs_wait(lane_id, count)


async def _targeted(session: Reading, wanted: RequestSpec[Any]) -> frozenset[str]:
    if not wanted.workers:
        return frozenset()
    ids = {}
    for text in wanted.workers:
        try:
            ids[UUID(text)] = text
        except ValueError:
            raise fleet.WorkerNotFound(f"Worker with ID '{text}' not found.") from None
    if lost := await fleet.missing(session, ids):
        raise fleet.WorkerNotFound(f"Worker with ID '{ids[lost.pop()]}' not found.")
    return frozenset(str(worker_id) for worker_id in list(ids)[:MAX_TARGETED_WORKERS])


async def _standing(
    session: Writing, horde: Horde, user: User, wanted: RequestSpec[Any], *, parked: bool
) -> tuple[Funds | None, int]:
    """The user's funds, locked until this transaction ends, and how many jobs wait.

    Popped jobs no longer count, except forms. The anonymous user, who is a crowd, has nothing to
    spend, and a queue for one model leaves room for another; parked jobs are counted together.
    """
    is_form_like = kind.of(wanted.kind).rules.jobs_for_one > 1
    if user.is_anonymous and not is_form_like:
        lanes = (
            [horde.lanes.parked.get(wanted.kind, NO_LANE)]
            if parked
            else horde.lanes_naming(wanted.kind, frozenset(wanted.models))
        )
        return None, await requests.waiting_of(session, user.id, lanes=lanes)
    unfinished = requests.unfinished_forms_of if is_form_like else requests.waiting_of
    funds = None if user.is_anonymous else await accounts.locked_funds(session, user.account_id)
    return funds, await unfinished(session, user.id)


def _check_concurrency(user: User, wanted: RequestSpec[Any], waiting: int) -> None:
    """Raise TooManyPrompts if the user may have no more jobs in progress."""
    limit = user.concurrency * kind.of(wanted.kind).rules.jobs_for_one
    if waiting + wanted.n > limit:
        raise TooManyPrompts(
            f"Parallel requests ({waiting} waiting, {wanted.n} more) would exceed the "
            f"{limit} that this account may have. Please wait for some to finish."
        )


def _afford(
    horde: Horde, wanted: RequestSpec[Any], funds: Funds | None
) -> tuple[RequestSpec[Any], Quote, bool]:
    """The request as the user can pay it (or a lighter one), its price, whether it is heavy."""
    its = kind.of(wanted.kind)
    quoted = its.quote(wanted)
    less = its.lighter(horde, wanted)
    if less is None:
        return wanted, quoted, False
    if funds is not None and funds.available >= quoted.total:
        return wanted, quoted, True
    if not wanted.allow_downgrade:
        raise KudosUpfront.asking(quoted, its.free(horde, wanted))
    return less, its.quote(less), False


def _needs(wanted: RequestSpec[Any], targeted: frozenset[str]) -> Needs:
    return replace(
        kind.of(wanted.kind).needs(wanted),
        models=frozenset(wanted.models),
        trusted=wanted.trusted_workers,
        slow=wanted.slow_workers,
        extra_slow=wanted.extra_slow_workers,
        workers=targeted,
        avoid=wanted.worker_blacklist,
    )


def _request(
    requester: Requester, wanted: RequestSpec[Any], quoted: Quote, needs: Needs, priority: int
) -> requests.NewRequest:
    terms: dict[str, Any] = {
        "version": prices.VERSION,
        "account": requester.user.account_id,
        "price": quoted.price,
        "tax": quoted.tax,
        "slow_workers": wanted.slow_workers,
        "worker_blacklist": wanted.worker_blacklist,
        **sharing.terms(requester),
        **styled.terms(requester.user, wanted),
    }
    return requests.NewRequest(
        kind=wanted.kind,
        user_id=requester.user.id,
        client_agent=wanted.client_agent,
        prompt=wanted.prompt,
        params=wanted.params.to_json(),
        needs=needs,
        terms=terms,
        jobs=kind.of(wanted.kind).jobs(wanted),
        priority=priority,
        proxied_account=wanted.proxied_account,
        webhook=wanted.webhook,
        shared=wanted.shared,
        address=requester.address if requester.user.is_anonymous else None,
        client_key=wanted.client_key,
    )


def _nobody(horde: Horde, needs: Needs) -> list[Advice]:
    if horde.serves(needs):
        return []
    if horde.modes.current.raid:  # attackers must not learn what is left of the fleet
        return []
    minutes = horde.settings.request_minutes
    return [Advice("NoAvailableWorker", NOBODY.format(minutes=minutes))]
