"""`horde login`, `horde account`, `horde kudos`."""

from pathlib import Path
from typing import Annotated

import typer

from cli.groups import confirm, group
from cli.session import Session, command

kudos = group("Give kudos, and see how many there are.")


async def _login(
    session: Session,
    *,
    code: Annotated[
        str | None, typer.Option(metavar="CODE", help="A code of the page, instead of a key.")
    ] = None,
    register: Annotated[
        str | None, typer.Option(metavar="NAME", help="Make a new account of this name.")
    ] = None,
    name: Annotated[
        str | None, typer.Option("--as", metavar="PROFILE", help="Keep it as this profile.")
    ] = None,
    forget: Annotated[bool, typer.Option("--forget", help="Forget the key that is kept.")] = False,
) -> None:
    """Keep a key in the settings file, after checking it.

    The key is asked for, or read from standard input.
    """
    from cli import logins

    if forget:
        logins.forget(session, name)
    else:
        await logins.log_in(session, code=code, register=register, name=name)


async def _account(
    session: Session,
    who: Annotated[
        int | None, typer.Argument(metavar="USER", help="Somebody else, by their number.")
    ] = None,
    *,
    name: Annotated[str | None, typer.Option(metavar="NAME", help="Be called so.")] = None,
    contact: Annotated[
        str | None, typer.Option(metavar="TEXT", help="How moderators can reach you.")
    ] = None,
    public: Annotated[
        bool | None, typer.Option("--public-workers/--private-workers", help="Who sees yours.")
    ] = None,
    export: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write all that is kept of you to a file.")
    ] = None,
    delete: Annotated[bool, typer.Option("--delete", help="Delete the account.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Without asking again.")] = False,
) -> None:
    """Show your account, and change it."""
    from cli import listings, logins

    if who is not None:
        found = await session.client.users.get(who)
        session.show(found, listings.user(found))
        return
    me = await session.client.users.me()
    if export is not None:
        await logins.export(session, me.id, export)
        return
    if delete:
        confirm(f"{me.username} would be deleted, with {me.kudos:g} kudos.", yes=yes)
        await session.client.users.delete(me.id)
        session.show({"deleted": me.id}, f"{me.username} is deleted.")
        return
    changes = {"username": name, "contact": contact, "public_workers": public}
    given = {key: value for key, value in changes.items() if value is not None}
    if given:
        await logins.change(session, me.id, given)
        me = await session.client.users.me()
    session.show(me, listings.user(me))


async def _show(session: Session) -> None:
    """Say how many kudos you have, and where they came from."""
    from cli import terminal
    from cli.words import amount

    me = await session.client.users.me()
    parts = [(name, amount(value)) for name, value in vars(me.kudos_details).items() if value]
    session.show(
        {"kudos": me.kudos, "details": me.kudos_details},
        [f"{me.username} has {amount(me.kudos)} kudos", terminal.facts(parts)],
    )


async def _send(
    session: Session,
    to: Annotated[str, typer.Argument(metavar="USER", help="Such as alice#12, or a shared key.")],
    how_many: Annotated[int, typer.Argument(metavar="AMOUNT", min=1, help="Whole kudos.")],
    *,
    once: Annotated[
        str | None,
        typer.Option("--once", metavar="KEY", help="Again with this key gives them only once."),
    ] = None,
) -> None:
    """Give kudos to somebody."""
    from cli.words import amount

    given = await session.client.kudos.transfer(to, how_many, once)
    session.show(given, f"{amount(given.transferred)} kudos are given to {to}.")


login = command(_login)
account = command(_account)
kudos.command("list")(command(_show))
kudos.command("send")(command(_send))
