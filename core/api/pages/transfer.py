"""`/transfer`: giving somebody kudos."""

from uuid import uuid4

from pydantic import BaseModel, Field
from quart import Blueprint, Response, request

from core.api import context
from core.api.errors import status_of
from core.api.limits import Limit
from core.api.operation import by_address
from core.api.pages import page, visit
from core.api.pages.visit import Visit
from core.db import Reading, now
from core.errors import Refusal
from core.kudos import transfers
from core.ledger import accounts
from core.users import directory
from core.users.tables import User
from core.wire.kudos import HUNDREDTHS, to_wire

blueprint = Blueprint("transfer", __name__)

GIVING = by_address(Limit(1, 1), Limit(90, 3600))


class TransferForm(BaseModel):
    """Who gets how much. Users who are not logged in give by their key."""

    username: str = Field(min_length=1, max_length=255)
    amount: int = Field(ge=1)
    src_api_key: str = Field(default="", max_length=100)
    once: str = Field(min_length=1, max_length=100)
    """Made with the form, so that sending it twice gives kudos only once."""


@blueprint.get("/transfer")
async def form() -> Response:
    """Show the form; `?username=` fills in the receiver."""
    return await _form({"username": request.args.get("username", ""), "amount": ""})


@blueprint.post("/transfer")
async def submit() -> Response:
    """Give the kudos, or show on the form why not."""
    await visit.limited(GIVING())
    sent = await visit.form(TransferForm)
    visitor = await visit.current()
    server = context.server()
    try:
        async with server.database.reading() as session:  # a made-up key must not write
            await _giver(session, visitor, sent.src_api_key)
        async with server.database.writing() as session:
            await transfers.give(
                session,
                await _giver(session, visitor, sent.src_api_key),
                target=sent.username.strip(),
                amount=sent.amount * HUNDREDTHS,
                client_key=sent.once,
                at=now(),
            )
    except Refusal as refusal:
        typed = {"username": sent.username, "amount": sent.amount}
        return await _form(typed, error=refusal.message, status=status_of(type(refusal)))
    return await page.show("given.html", username=sent.username.strip(), amount=sent.amount)


async def _giver(session: Reading, visitor: Visit, key: str) -> User:
    if visitor.user is not None:
        return visitor.user
    return await directory.by_key(session, context.server().keyring, key.strip())


async def _form(typed: dict[str, object], *, error: str = "", status: int = 200) -> Response:
    user = (await visit.current()).user
    spare = None
    if user is not None:
        async with context.server().database.reading() as session:
            spare = to_wire((await accounts.funds(session, user.account_id)).available)
    return await page.show(
        "transfer.html", status, typed=typed, error=error, spare=spare, once=uuid4().hex
    )
