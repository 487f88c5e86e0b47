"""The common part of all submissions: the job is looked up, then settled."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from pydantic import BaseModel

from core.api import context, shared
from core.community.ratings import pictures
from core.db import now
from core.errors import Invalid
from core.generation import submit
from core.generation.delivery import Delivery, Open
from core.images import checks
from core.wire.kudos import to_wire
from core.wire.submit import GenerationSubmitted


def metadata(entries: Sequence[BaseModel]) -> list[dict[str, Any]]:
    """The worker's notes about the result, as they are stored. Raises Invalid above 50 entries."""
    if len(entries) > submit.MAX_METADATA:
        raise Invalid(f"At most {submit.MAX_METADATA} gen_metadata entries.")
    return [entry.model_dump(exclude_none=True) for entry in entries]


async def found(delivery: Delivery, kind: str) -> Open:
    """The job, if the caller may deliver it. Raises what `submit.look_up` does."""
    async with context.server().database.reading() as session:
        owner = await context.user(session)
        return await submit.look_up(session, owner, delivery.job_id, kind_name=kind)


async def receive(job: Open, base64_text: str) -> None:
    """Store the picture that came with the submission, until the job is settled.

    Raises what `checks.to_webp_from_base64` and the store do.
    """
    server = context.server()
    picture = await checks.to_webp_from_base64(
        server.decoders, base64_text, caller=f"user {job.owner.id}"
    )
    await server.horde.store.receive(job.picture, picture)


async def with_picture(job: Open, delivery: Delivery) -> Delivery:
    """The delivery with the size of its picture. Raises MissingPicture."""
    size = await submit.check_uploaded(context.server().horde, job)
    return replace(delivery, size=size)


async def settled(job: Open, delivery: Delivery) -> GenerationSubmitted:
    """Settle the job and tell everybody who waits. Raises if it is over meanwhile."""
    server = context.server()
    async with shared.copied(job, delivery) as copy, server.database.writing() as session:
        done = await submit.submit(session, server.horde, job, delivery)
        if copy.gift is not None:
            await pictures.add(session, copy.gift, at=now())
            copy.may_be_needed = True
    await submit.announce(server.horde, done)
    return GenerationSubmitted(reward=to_wire(done.reward))
