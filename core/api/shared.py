"""Delivered pictures of shared requests: copied to the data set before the job is settled."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from core.api import context
from core.community.ratings import pictures
from core.community.ratings.pictures import Shared
from core.generation.delivery import Delivery, Open
from core.kinds import registry
from core.queue.matching import Needs
from core.queue.tables import Outcome


@dataclass(slots=True)
class Copy:
    """A copy of a picture to be shared."""

    gift: Shared | None = None
    """The picture that the block adds to the data set; None if nothing is shared."""
    may_be_needed: bool = False
    """Whether the data set may include it, although the block raised: its commit has begun."""


@asynccontextmanager
async def copied(job: Open, delivery: Delivery) -> AsyncIterator[Copy]:
    """Copy the picture, if it is to be shared; only the block adds it to the data set.

    A copy that the block did not add is removed again, unless the end of its commit is unknown. Two
    submissions of one picture at once make the same copy, and the refused one leaves the other's
    alone.
    """
    gift = _gift(job, delivery)
    if gift is None:
        yield Copy()
        return
    server, name = context.server(), pictures.name_of(gift.id)
    content = await server.horde.store.get_received(job.picture)
    if content is not None:
        await server.shared.put(name, content)
    copy = Copy(None if content is None else gift)
    try:
        yield copy
    finally:
        if not copy.may_be_needed:
            async with server.database.reading() as session:
                is_kept = gift.id in await pictures.of_request(session, gift.request_id)
            if not is_kept:
                await server.shared.delete(name)


def _gift(job: Open, delivery: Delivery) -> Shared | None:
    attempt = job.attempt
    is_asked = attempt.shared and attempt.outcome != Outcome.DECOY
    is_good = delivery.state == "ok" and not delivery.is_censored
    rules = registry.of(attempt.kind)
    if not (is_asked and is_good and rules.may_be_shared(rules.params_from(attempt.params))):
        return None
    return Shared(
        id=attempt.id,
        request_id=attempt.request_id,
        user_id=attempt.user_id,
        model=attempt.model,
        prompt=attempt.prompt,
        params=attempt.params,
        seed=delivery.seed,
        nsfw=Needs.from_json(attempt.needs).nsfw,
    )
