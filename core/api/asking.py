"""What all requests have in common on their way in: who asks, source pictures, the answer."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from core.api import context
from core.api.context import Server
from core.errors import Invalid
from core.generation import ask
from core.generation.ask import Asked
from core.generation.asks import Ask, Asker
from core.images import checks, fetched
from core.wire.generate import DryRun, RequestAsync, RequestSingleWarning
from core.wire.kudos import to_wire


async def price(wanted: Ask[Any]) -> DryRun:
    """What the request would cost, if it may be asked at all."""
    await check(wanted)
    return DryRun(kudos=to_wire(ask.quote(wanted).total))


async def check(wanted: Ask[Any]) -> None:
    """Refuse what is refused without a look-up, before any picture is decoded."""
    async with context.server().database.reading() as session:
        ask.check(await _asker(session), wanted)


async def accept(wanted: Ask[Any], pictures: Mapping[str, bytes] | None = None) -> Asked:
    """Queue the request and wake workers. pictures: its sources, by their names in the store."""
    server = context.server()
    async with _kept(server, pictures or {}), server.database.writing() as session:
        asker = await _asker(session, renew=True)
        ask.check(asker, wanted)
        asked = await ask.ask(session, server.horde, asker, wanted)
    await ask.announce(server.horde, asked)
    return asked


def answer(asked: Asked) -> RequestAsync:
    """What is told to who asked for pictures or texts."""
    warnings = [RequestSingleWarning(code=w.code, message=w.message) for w in asked.warnings]
    nobody = next((w.message for w in asked.warnings if w.code == "NoAvailableWorker"), None)
    return RequestAsync(
        id=str(asked.request_id),
        kudos=to_wire(asked.price),
        message=nobody,
        warnings=warnings or None,
    )


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


async def _asker(session: AsyncSession, *, renew: bool = False) -> Asker:
    return Asker(user=await context.user(session, renew=renew), address=context.address())


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
