"""What moderators do, and what they see of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cli import fleet, listings, terminal, words
from cli.exits import Exit, Failure
from cli.session import Session
from cli.terminal import Column
from core.wire.messages import ResponseModelMessage__Input
from core.wire.modes import HordeModesInput
from core.wire.reports import ModifyReport
from core.wire.users import ModifyUserInput
from core.wire.workers import ModifyWorkerInput


@dataclass(frozen=True)
class Order:
    """What is to become of a worker. block: for how many days its address is kept out."""

    changes: Mapping[str, Any]
    message: str | None
    block: int | None
    unblock: bool
    delete: bool


async def modes(session: Session, changes: Mapping[str, Any]) -> None:
    """Switch modes, and show them."""
    if given := _given(changes):
        await session.client.set_modes(HordeModesInput.model_validate(given))
    now = await session.client.modes()
    rows = [
        (name.removesuffix("_mode").replace("_", " "), "on" if value else "off")
        for name, value in vars(now).items()
        if value is not None
    ]
    session.show(now, terminal.facts(rows))


async def user(session: Session, who: int, changes: Mapping[str, Any]) -> None:
    """Change a user, and show them."""
    if given := _given(changes):
        await session.client.users.edit(who, ModifyUserInput.model_validate(given))
    found = await session.client.users.get(who)
    session.show(found, listings.user(found))


async def worker(session: Session, which: str, order: Order) -> None:
    """Change a worker, and show it."""
    client = session.client
    found = await fleet.find(client, which)
    if order.message:
        body = {"worker_id": found.id, "message": order.message}
        await client.messages.send(ResponseModelMessage__Input.model_validate(body))
    if order.block is not None:
        await client.addresses.block_worker(found.id, order.block)
    if order.unblock:
        await client.addresses.unblock_worker(found.id)
    if given := _given(order.changes):
        await client.workers.edit(found.id, ModifyWorkerInput.model_validate(given))
    if order.delete:
        await client.workers.delete(found.id)
        session.show({"deleted": found.id}, f"{found.name} is deleted.")
        return
    found = await client.workers.get(found.id)
    session.show(found, listings.worker(found))


async def blocked(session: Session) -> None:
    """List addresses that are kept out."""
    found = await session.client.addresses.blocked()
    shown = terminal.table(
        found,
        Column("ADDRESS", lambda one: one.ipaddr),
        Column("FOR", lambda one: words.duration(one.seconds), right=True),
        nothing="No address is kept out.",
    )
    session.show(found, shown)


async def filters(session: Session) -> None:
    """List filters."""
    found = await session.client.filters.all()
    shown = terminal.table(
        found,
        Column("ID", lambda one: one.id),
        Column("TYPE", lambda one: str(one.filter_type), right=True),
        Column("BY", lambda one: one.user),
        Column("EXPRESSION", lambda one: one.regex, wraps=True),
        nothing="There are no filters.",
    )
    session.show(found, shown)


async def reports(session: Session, which: int | None, comment: str | None) -> None:
    """List open reports, or close one."""
    if which is not None:
        body = {"closed": True} | ({"comment": comment} if comment else {})
        closed = await session.client.reports.decide(which, ModifyReport.model_validate(body))
        session.show(closed, f"Report {which} is closed.")
        return
    found = await session.client.reports.all()
    shown = terminal.table(
        found,
        Column("ID", lambda one: str(one.id), right=True),
        Column("KIND", lambda one: one.kind),
        Column("OF", lambda one: one.subject),
        Column("BY", lambda one: one.reporter),
        Column("WHY", lambda one: one.reason, wraps=True),
        nothing="No report is open.",
    )
    session.show(found, shown)


async def audit(session: Session) -> None:
    """Show the audit. Raises Failure if something is wrong with the books."""
    found = await session.client.kudos.audit()
    rows = [
        ("balanced", "yes" if found.balanced else "NO"),
        ("accounts", words.amount(found.accounts)),
        ("events", words.amount(found.events)),
        ("kudos of users", words.amount(found.supply)),
        ("held", words.amount(found.held)),
        *((name, words.amount(value)) for name, value in found.system.items()),
    ]
    session.show(found, terminal.facts(rows))
    if not found.balanced:
        raise Failure(Exit.FAILED, "The books are not balanced.")


def _given(changes: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in changes.items() if value is not None}
