"""`POST dev/test-user`: accounts for tests, for a peer on this machine only.

Mounted if development endpoints are switched on, and then answering only if the server listens on a
loopback address and has a public one on loopback too, the peer is on loopback, nothing was
forwarded, no page asks (there is no Origin, and nothing cross-site) and the Host names this
machine. Otherwise the answer is 404.
"""

import re
from typing import Final

from quart import Blueprint, abort, request

from core.api import context, perimeter
from core.api.operation import operation
from core.kudos import settlement
from core.ledger import accounts
from core.users import directory
from core.users.tables import Role
from core.wire.kudos import from_wire, to_wire
from core.wire.register import DevUser, DevUserInput

blueprint = Blueprint("dev", __name__)

FORWARDING: Final = re.compile(
    r"forward|prox|client-ip|real-ip|user-ip|^via$|^x-(?:host|scheme|original|arr|cache|varnish)"
    r"|^(?:cdn|cf|fastly|fly|akamai|ngrok|surrogate|tailscale)-|^x-(?:akamai|amzn?|appengine|azure"
    r"|cloud|cluster|envoy|fastly|google|sucuri|vercel)-|^front-end-https$",
    re.IGNORECASE,
)
"""Names of headers that show that the call was forwarded."""


@blueprint.before_request
async def _local_only() -> None:
    settings = context.server().settings
    is_local = (
        perimeter.is_loopback(settings.host)
        and perimeter.is_private(settings)
        and perimeter.is_loopback(request.remote_addr or "")
        and perimeter.is_loopback(perimeter.hostname(request.host))
        and "Origin" not in request.headers
        and request.headers.get("Sec-Fetch-Site", "none") in ("none", "same-origin")
        and request.http_version not in ("1", "1.0")  # nginx's, if nothing else is set up
        and not any(FORWARDING.search(name) for name, _ in request.headers)
    )
    if not is_local:
        abort(404)


@blueprint.post("/dev/test-user")
@operation(body=DevUserInput, answers={201: DevUser, 200: DevUser}, errors=(400, 404))
async def test_user(body: DevUserInput) -> tuple[DevUser, int]:
    """Make an account with kudos and roles; repeating an oauth_id gives it a new key."""
    server = context.server()
    roles = Role.MODERATOR if body.moderator else Role(0)
    roles |= Role.TRUSTED if body.trusted else Role(0)
    async with server.database.writing() as session:
        user = await directory.by_oauth_id(session, body.oauth_id)
        is_new = user is None
        if user is not None:
            key = await directory.rotate_key(session, server.keyring, user)
        else:
            user, key = await directory.create(
                session,
                server.keyring,
                username=body.username,
                oauth_id=body.oauth_id,
                roles=int(roles),
            )
            if body.kudos:
                await settlement.grant(
                    session,
                    key=f"dev:{user.id}",
                    account=user.account_id,
                    amount=from_wire(body.kudos),
                )
        balance = await accounts.balance(session, user.account_id)
    made = DevUser(
        api_key=key,
        user_id=str(user.id),
        username=user.username,
        alias=user.alias,
        created=is_new,
        kudos=to_wire(balance),
        moderator=user.has(Role.MODERATOR),
        trusted=user.has(Role.TRUSTED),
    )
    return made, 201 if is_new else 200
