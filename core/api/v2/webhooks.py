"""`webhooks/key` (ours): how a receiver can tell that a webhook is genuine."""

from typing import Final

from quart import Blueprint

from core.api import context
from core.api.operation import by_address, operation
from core.outbox import signing
from core.users.roles import AnonForbidden
from core.wire.webhooks import WebhookKey

blueprint = Blueprint("webhooks", __name__)

PURPOSE: Final = "webhooks"
"""The purpose of the secret from which users' keys are derived."""


@blueprint.get("/webhooks/key")
@operation(answers={200: WebhookKey}, limit=by_address(), key_required=True, errors=(401, 403))
async def get_key() -> WebhookKey:
    """See the key that signs the webhooks of your requests; it is as secret as your API key."""
    server = context.server()
    async with server.database.reading() as session:
        user = await context.user(session)
    if user.is_anonymous:
        raise AnonForbidden("Everybody has the anonymous key, so it proves nothing.")
    secret = server.keyring.subkey(PURPOSE)
    return WebhookKey(key=signing.key_of(secret, user.id))
