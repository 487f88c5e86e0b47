"""`sharedkeys`: keys that let others ask at their owner's expense."""

from typing import Any

from quart import Blueprint

from core.accounts import shared_keys
from core.api import callers, context
from core.api.limits import Limit
from core.api.operation import by_address, by_path, operation
from core.db import Reading, now
from core.users import directory
from core.users.tables import SharedKey
from core.wire.sharedkeys import UNLIMITED, SharedKeyDetails, SharedKeyInput
from core.wire.simple import SimpleResponse

blueprint = Blueprint("sharedkeys", __name__)


@blueprint.put("/sharedkeys")
@operation(
    body=SharedKeyInput,
    answers={200: SharedKeyDetails},
    limit=by_path(Limit(5, 60)),
    omit_nulls=True,
    key_required=True,
    errors=(400, 401, 403),
)
async def create_shared_key(body: SharedKeyInput) -> SharedKeyDetails:
    """Make a shared key."""
    async with callers.writing() as session:
        owner = await context.user(session)
        wanted = _columns(body.model_dump())
        made = await shared_keys.create(session, owner, wanted, at=now())
        return await _details(session, made)


@blueprint.get("/sharedkeys/<sharedkey_id>")
@operation(answers={200: SharedKeyDetails}, limit=by_address(), omit_nulls=True, errors=(401,))
async def get_shared_key(sharedkey_id: str) -> SharedKeyDetails:
    """See a shared key, and what is left of its budget."""
    async with context.server().database.reading() as session:
        return await _details(session, await shared_keys.by_id(session, sharedkey_id))


@blueprint.patch("/sharedkeys/<sharedkey_id>")
@operation(
    body=SharedKeyInput,
    answers={200: SharedKeyDetails},
    limit=by_address(),
    omit_nulls=True,
    key_required=True,
    errors=(400, 401, 403),
)
async def change_shared_key(body: SharedKeyInput, sharedkey_id: str) -> SharedKeyDetails:
    """Change a shared key of one's own; absent fields stay."""
    async with callers.writing() as session:
        by = await context.user(session)
        wanted = _columns(body.model_dump(exclude_unset=True))
        changed = await shared_keys.change(session, by, sharedkey_id, wanted, at=now())
        return await _details(session, changed)


@blueprint.delete("/sharedkeys/<sharedkey_id>")
@operation(answers={200: SimpleResponse}, limit=by_address(), key_required=True, errors=(401, 403))
async def delete_shared_key(sharedkey_id: str) -> SimpleResponse:
    """Delete a shared key of one's own."""
    async with callers.writing() as session:
        await shared_keys.remove(session, await context.user(session), sharedkey_id)
    return SimpleResponse()


def _columns(given: dict[str, Any]) -> dict[str, Any]:
    """The settings for the domain: kudos in hundredths, None for no limit and no expiry."""
    if "kudos" in given:
        kudos = given.pop("kudos")
        given["budget"] = None if kudos == UNLIMITED else kudos * 100
    if "expiry" in given:
        days = given.pop("expiry")
        given["days"] = None if days == UNLIMITED else days
    return given


async def _details(session: Reading, key: SharedKey) -> SharedKeyDetails:
    return to_wire(key, (await directory.by_id(session, key.user_id)).alias)


def to_wire(key: SharedKey, owner: str) -> SharedKeyDetails:
    """A shared key as clients see it. owner: the alias."""
    return SharedKeyDetails(
        id=str(key.id),
        username=owner,
        name=key.name,
        kudos=UNLIMITED if key.budget is None else key.budget // 100,
        expiry=key.expires_at,
        utilized=round(key.utilized / 100),
        max_image_pixels=key.max_image_pixels,
        max_image_steps=key.max_image_steps,
        max_text_tokens=key.max_text_tokens,
    )
