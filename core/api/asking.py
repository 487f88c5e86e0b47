"""The common part of all requests: who asks, source pictures, the answer."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final, cast

from quart import request

from core.api import callers, context, limits
from core.api.context import Server
from core.db import Reading
from core.errors import Invalid, Unauthenticated, Unavailable
from core.generation import admission, ask
from core.generation.admission import Admitted, Caller
from core.generation.ask import Accepted
from core.generation.specs import RequestSpec
from core.images import checks, fetched
from core.kinds.params import is_url
from core.moderation.prompts import CorruptPrompt
from core.moderation.scores import Verdict
from core.outside import NotAllowed
from core.queue.repeats import ClientKey
from core.users.directory import UnknownKey
from core.users.tables import User
from core.wire.generate import DryRun, RequestAsync, RequestSingleWarning
from core.wire.kudos import to_whole, to_wire

KEY_HEADER: Final = "Idempotency-Key"
KEY_DESCRIPTION: Final = "repeat it to mean the same request, as long as that lives"
MIN_KEY_CHARS: Final = 16
"""All anonymous clients are one user, so what they think of must be as good as never the same."""
MAX_KEY_CHARS: Final = 255


class NobodyServes(Unavailable):
    """No online worker could make it, and the client does not want to wait for one."""

    code = "NobodyServes"


async def price(wanted: RequestSpec[Any]) -> DryRun:
    """The cost of the request, if it may be asked at all."""
    total = ask.quote((await admitted(wanted)).wanted).total
    return DryRun(kudos=to_whole(total), kudos_exact=to_wire(total))


async def admitted(wanted: RequestSpec[Any]) -> Admitted:
    """Refuse a request before any of its pictures is decoded, or admit it; then `queue` it."""
    server = context.server()
    verdict = await _verdict(server)
    async with _punishing(server, wanted), server.database.reading() as session:
        return await admission.admit(session, server.horde, await _caller(session, verdict), wanted)


async def queue(found: Admitted, pictures: Mapping[str, bytes]) -> Accepted:
    """Queue an admitted request and wake workers.

    pictures: its sources, by their names in the store.
    """
    server = context.server()
    async with _kept(server, pictures) as sources, server.database.writing() as session:
        asked = await ask.ask(session, server.horde, found.requester, found.wanted)
        # As the block ends, the transaction is committed.
        sources.may_be_needed = not asked.repeated
    await ask.announce(server.horde, asked)
    return asked


async def accept(wanted: RequestSpec[Any], *, must_be_possible: bool = False) -> Accepted:
    """Admit and queue a request without pictures, in one transaction, and wake workers.

    must_be_possible: raise NobodyServes if no worker that is online could make it.
    """
    server = context.server()
    await _recognise(server, wanted)
    verdict = await _verdict(server)
    async with _punishing(server, wanted), server.database.writing() as session:
        caller = await _caller(session, verdict)
        found = await admission.admit(session, server.horde, caller, wanted)
        asked = await ask.ask(session, server.horde, found.requester, found.wanted)
        if must_be_possible and (message := _nobody(asked)):
            raise NobodyServes(message)  # and nothing is written
    await ask.announce(server.horde, asked)
    return asked


def answer(asked: Accepted) -> RequestAsync:
    """The answer to a request for pictures or texts."""
    warnings = [RequestSingleWarning(code=w.code, message=w.message) for w in asked.warnings]
    return RequestAsync(
        id=str(asked.request_id),
        kudos=to_whole(asked.price),
        kudos_exact=to_wire(asked.price),
        message=_nobody(asked),
        warnings=warnings or None,
        repeated=asked.repeated if KEY_HEADER in request.headers else None,
    )


async def client_key() -> ClientKey | None:
    """What tells a repeated call from another request; None if the client sent no such key."""
    key = request.headers.get(KEY_HEADER)
    if key is None:
        return None
    if not MIN_KEY_CHARS <= len(key) <= MAX_KEY_CHARS:
        raise Invalid(
            f"An {KEY_HEADER} has {MIN_KEY_CHARS} to {MAX_KEY_CHARS} characters that nobody else "
            "would think of, such as a UUID."
        )
    return ClientKey.of(key, cast("bytes", await request.get_data()))


def _nobody(asked: Accepted) -> str | None:
    """The message if no online worker could make it."""
    return next((w.message for w in asked.warnings if w.code == "NoAvailableWorker"), None)


def check_webhook(webhook: str | None) -> None:
    """Refuse a webhook that could never be called: not an https URL, or not a public one."""
    if webhook is None:
        return
    try:
        context.server().outside.check(webhook)
    except NotAllowed as refused:
        raise Invalid(f"The webhook has to be an https URL, but {refused}.") from None


async def decoded(source: str) -> bytes:
    """The source picture as it is stored. source: base64, or a URL.

    Raises what `checks.decode_source` and `fetched.fetch_source` do.
    """
    server, caller = context.server(), limits.network(context.address())
    if is_url(source):
        return await fetched.fetch_source(server.outside, server.decoders, source, caller=caller)
    return await checks.decode_source(server.decoders, source, caller=caller)


async def _recognise(server: Server, wanted: RequestSpec[Any]) -> None:
    """Refuse a key that nobody has, before it takes the writer's turn."""
    try:
        await callers.recognise()
    except Unauthenticated:
        async with server.database.reading() as session:
            await admission.requester_of(session, await _caller(session), wanted)


async def _caller(session: Reading, verdict: Verdict = Verdict.SAFE) -> Caller:
    """The caller: a user, or somebody whose key belongs to no user."""
    try:
        user: User | UnknownKey = await context.user(session)
    except UnknownKey as unknown:
        user = unknown
    return Caller(user=user, key=context.api_key(), address=context.address(), verdict=verdict)


async def _verdict(server: Server) -> Verdict:
    """What is known about the client's address, if that matters. It may ask a service."""
    if server.horde.scorer is None or not server.horde.modes.current.raid:
        return Verdict.SAFE
    return await server.horde.scorer.judge(context.address())


@asynccontextmanager
async def _punishing(server: Server, wanted: RequestSpec[Any]) -> AsyncIterator[None]:
    """Commit the consequences of a refused prompt, although the request itself is rolled back."""
    try:
        yield
    except CorruptPrompt:
        async with server.database.writing() as session:
            await admission.punish(session, await _caller(session), wanted)
        raise


@dataclass(slots=True)
class _Sources:
    """Source pictures in the store."""

    may_be_needed: bool = False
    """Whether a request that names them may have been committed, even if the block raised."""


@asynccontextmanager
async def _kept(server: Server, pictures: Mapping[str, bytes]) -> AsyncIterator[_Sources]:
    """Put pictures into the store; they are removed again unless the block says that they may stay.

    If the commit itself fails or is cancelled, nobody knows whether it went through. Then they
    stay, and upkeep removes them when they are old, like all pictures.
    """
    store, sources = server.horde.store, _Sources()
    try:
        for name, picture in pictures.items():
            await store.put(name, picture)
        yield sources
    finally:
        if not sources.may_be_needed:
            for name in pictures:
                await store.delete(name)
