"""What all requests have in common on their way in: who asks, source pictures, the answer."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from core.api import context
from core.api.context import Server
from core.community import styles
from core.db import now
from core.errors import Invalid, Unavailable
from core.generation import ask, gates
from core.generation.ask import Accepted
from core.generation.specs import Requester, RequestSpec
from core.images import checks, fetched
from core.moderation.prompts import CorruptPrompt
from core.moderation.scores import Verdict
from core.users import directory, shared_keys
from core.users.shared_keys import Standing
from core.users.tables import ANONYMOUS_ID, Role, SharedKey, User
from core.wire.generate import DryRun, RequestAsync, RequestSingleWarning
from core.wire.kudos import to_whole, to_wire

TAKE_SHARED_KEYS = ("image", "text")
"""The kinds of requests that may be asked for with a shared key."""


class NobodyServes(Unavailable):
    """No worker that is online could make it, and the client would not wait for one."""

    code = "NobodyServes"


async def price(wanted: RequestSpec[Any]) -> DryRun:
    """What the request would cost, if it may be asked at all."""
    await check(wanted)
    total = ask.quote(wanted).total
    return DryRun(kudos=to_whole(total), kudos_exact=to_wire(total))


async def check(wanted: RequestSpec[Any]) -> None:
    """Refuse what is refused without a look-up, before any picture is decoded."""
    server = context.server()
    verdict = await _verdict(server)
    async with _punishing(server, wanted), server.database.reading() as session:
        await _admitted(session, wanted, verdict)


async def accept(
    wanted: RequestSpec[Any],
    pictures: Mapping[str, bytes] | None = None,
    *,
    must_be_possible: bool = False,
) -> Accepted:
    """Queue the request and wake workers.

    pictures: its sources, by their names in the store.
    must_be_possible: raise NobodyServes where no worker that is online could make it.
    """
    server = context.server()
    verdict, kept = await _verdict(server), _kept(server, pictures or {})
    async with _punishing(server, wanted), kept, server.database.writing() as session:
        requester, wanted = await _admitted(session, wanted, verdict, renew=True)
        asked = await ask.ask(session, server.horde, requester, wanted)
        if must_be_possible and (message := _nobody(asked)):
            raise NobodyServes(message)  # and nothing of it is written
    await ask.announce(server.horde, asked)
    return asked


def answer(asked: Accepted) -> RequestAsync:
    """What is told to who asked for pictures or texts."""
    warnings = [RequestSingleWarning(code=w.code, message=w.message) for w in asked.warnings]
    return RequestAsync(
        id=str(asked.request_id),
        kudos=to_whole(asked.price),
        kudos_exact=to_wire(asked.price),
        message=_nobody(asked),
        warnings=warnings or None,
    )


def _nobody(asked: Accepted) -> str | None:
    """What is said where no worker that is online could make it."""
    return next((w.message for w in asked.warnings if w.code == "NoAvailableWorker"), None)


def check_webhook(webhook: str | None) -> None:
    """Refuse a webhook that is not https."""
    if webhook is not None and not webhook.startswith("https://"):
        raise Invalid("The webhook has to be an https URL.")


async def decoded(source: str) -> bytes:
    """The source picture as it is kept. source: base64, or a URL that starts with `http`.

    Raises what `checks.decode_source` and `fetched.fetch_source` do.
    """
    if source.startswith("http"):
        return await fetched.fetch_source(context.server().outside, source)
    return await checks.decode_source(source)


async def _requester(
    session: AsyncSession, wanted: RequestSpec[Any], *, renew: bool = False
) -> Requester:
    """Who asks. Pictures and texts may be asked for with a shared key, as its owner."""
    shared_key = None
    try:
        user = await context.user(session, renew=renew)
    except directory.UnknownKey:
        found = await shared_keys.by_key(session, context.api_key())
        if found is None or wanted.kind not in TAKE_SHARED_KEYS:
            raise
        user, shared_key = await _as_owner(session, found, wanted)
    if shared_key is None and (styles_key := await _styles_key(session, user, wanted)) is not None:
        user, shared_key = await directory.by_id(session, styles_key.user_id), styles_key
    return Requester(user=user, address=context.address(), shared_key=shared_key)


async def _styles_key(
    session: AsyncSession, user: User, wanted: RequestSpec[Any]
) -> SharedKey | None:
    """The shared key by which the request's style pays for it, if it is good and the user may.

    What holds for some users in particular must hold with it, too: they pay themselves.
    """
    if wanted.style is None or wanted.style.shared_key_id is None:
        return None
    if user.roles & (Role.DELETED | Role.FLAGGED | Role.EDUCATION):
        return None
    key = await shared_keys.by_id(session, wanted.style.shared_key_id)
    try:
        is_good = key is not None and shared_keys.check_usable(key, at=now(), allow_downgrade=False)
    except (shared_keys.SharedKeyExpired, shared_keys.SharedKeyEmpty):
        return None
    return key if is_good else None


async def _as_owner(
    session: AsyncSession, key: SharedKey, wanted: RequestSpec[Any]
) -> tuple[User, SharedKey | None]:
    """The key's owner; nobody, and no key, where it is empty and the request may be downgraded."""
    downgraded = wanted.allow_downgrade
    standing = shared_keys.check_usable(key, at=now(), allow_downgrade=downgraded)
    await styles.refuse_assigned(session, key.id)
    if standing is Standing.ANONYMOUS:
        return await directory.by_id(session, ANONYMOUS_ID), None
    return await directory.by_id(session, key.user_id), key


async def _verdict(server: Server) -> Verdict:
    """What is known of the client's address, where that matters. It may ask a service."""
    if server.horde.scorer is None or not server.horde.modes.current.raid:
        return Verdict.SAFE
    return await server.horde.scorer.judge(context.address())


async def _admitted(
    session: AsyncSession, wanted: RequestSpec[Any], verdict: Verdict, *, renew: bool = False
) -> tuple[Requester, RequestSpec[Any]]:
    """Who asks, and the request as it may be asked."""
    horde, at = context.server().horde, now()
    requester = replace(await _requester(session, wanted, renew=renew), verdict=verdict)
    await gates.admit(session, horde, requester, wanted, at=at)
    ask.check(requester, wanted)
    return requester, await gates.screened(session, horde, requester.user, wanted, at=at)


@asynccontextmanager
async def _punishing(server: Server, wanted: RequestSpec[Any]) -> AsyncIterator[None]:
    """Let what follows from a refused prompt stand, though the transaction that asked is undone."""
    try:
        yield
    except CorruptPrompt:
        async with server.database.writing() as session:
            await gates.punish(session, await _requester(session, wanted), at=now())
        raise


@asynccontextmanager
async def _kept(server: Server, pictures: Mapping[str, bytes]) -> AsyncIterator[None]:
    """Put pictures into the store; they are removed again where the block raises."""
    store = server.horde.store
    try:
        for name, picture in pictures.items():
            await store.put(name, picture)
        yield
    except BaseException:
        for name in pictures:
            await store.delete(name)
        raise
