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
"""Names the server's secret that users' keys are derived from."""


@blueprint.get("/webhooks/key")
@operation(answers={200: WebhookKey}, limit=by_address(), key_required=True, errors=(401, 403))
async def get_key() -> WebhookKey:
    """See what the webhooks of your requests are signed with; it is secret as your API key is."""
    server = context.server()
    async with server.database.reading() as session:
        user = await context.user(session)
    if user.is_anonymous:
        raise AnonForbidden("Everybody has the anonymous key, so it can prove nothing.")
    secret = server.keyring.subkey(PURPOSE)
    return WebhookKey(key=signing.key_of(secret, user.id))
