"""`python -m core user …`: changes of users by an operator, without the API."""

import argparse
import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import Final
from uuid import uuid4

from core import files
from core.accounts import deletion, registering, trust
from core.db import Database, Reading, Writing, now
from core.kudos import grants, monthly
from core.ledger import accounts
from core.settings import Settings
from core.users import directory
from core.users.keys import Keyring
from core.users.tables import Role, User

ADMIN: Final = Role.ADMIN | Role.MODERATOR | Role.TRUSTED | Role.CUSTOMIZER
ROLES: Final = [str(role.name).lower() for role in Role if role is not Role.DELETED]

Commands = argparse._SubParsersAction  # noqa: SLF001 - argparse names its type nowhere else


def add(commands: "Commands[argparse.ArgumentParser]") -> None:
    """Define `user` and its actions. Each parser's `run` performs its action."""
    actions = commands.add_parser("user", help="manage users").add_subparsers(
        dest="action", required=True
    )
    create = actions.add_parser("create", help="register a user and print the API key")
    create.add_argument("--name", required=True)
    create.add_argument("--admin", action="store_true", help="admin, moderator and customizer")
    create.add_argument("--trusted", action="store_true")
    create.add_argument(
        "--key-file",
        type=Path,
        help="keep the key in this file (mode 0600); a valid one that is there is left alone",
    )
    create.set_defaults(run=_create)
    show = _of_user(actions, "show", "show a user", _show)
    show.description = "Name, roles, kudos and when the user was last active."
    roles = _of_user(actions, "roles", "give a user roles, or take them", _change_roles)
    roles.add_argument("--grant", nargs="+", choices=ROLES, default=[], metavar="ROLE")
    roles.add_argument("--revoke", nargs="+", choices=ROLES, default=[], metavar="ROLE")
    roles.epilog = f"Roles: {', '.join(ROLES)}."
    kudos = _of_user(actions, "kudos", "give a user kudos, or take them", _change_kudos)
    kudos.add_argument("amount", type=int, help="whole kudos; negative to take what there is")
    _of_user(actions, "rotate-key", "print a new API key; the old one stops working", _rotate_key)
    disable = _of_user(actions, "disable", "disable an account, or enable it", _disable)
    disable.add_argument("--undo", action="store_true", help="enable it again")


def _of_user(
    actions: "Commands[argparse.ArgumentParser]",
    name: str,
    text: str,
    do: Callable[..., Awaitable[None]],
) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = actions.add_parser(name, help=text)
    parser.add_argument("user", help="an id, or an alias such as alice#1")
    parser.set_defaults(run=partial(_to_user, do))
    return parser


def run(arguments: argparse.Namespace, settings: Settings) -> None:
    """Do what was asked for. The database must be migrated. Raises the domain's refusals."""
    asyncio.run(_with_database(arguments, settings))


async def _with_database(arguments: argparse.Namespace, settings: Settings) -> None:
    old = [secret.get_secret_value().encode() for secret in settings.old_secret_keys]
    database = Database(settings.database)
    try:
        await arguments.run(database, Keyring(settings.secret(), old), arguments)
    finally:
        await database.close()


async def _create(database: Database, keyring: Keyring, arguments: argparse.Namespace) -> None:
    if arguments.key_file and await _is_valid(database, keyring, _kept(arguments.key_file)):
        return
    roles = Role.TRUSTED if arguments.trusted else Role(0)
    roles |= ADMIN if arguments.admin else Role(0)
    async with database.writing() as session:
        user, key = await directory.create(
            session,
            keyring,
            username=arguments.name,
            oauth_id=str(uuid4()),
            roles=int(roles),
        )
    if arguments.key_file:
        _keep(arguments.key_file, key)
    else:
        print(f"{user.alias} {key}")


async def _is_valid(database: Database, keyring: Keyring, key: str) -> bool:
    async with database.reading() as session:
        try:
            await directory.by_key(session, keyring, key)
        except directory.UnknownKey:
            return False
    return True


def _kept(path: Path) -> str:
    return path.read_text().strip() if path.exists() else ""


def _keep(path: Path, key: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    files.write(path, f"{key}\n".encode())


async def _to_user(
    do: Callable[..., Awaitable[None]],
    database: Database,
    keyring: Keyring,
    arguments: argparse.Namespace,
) -> None:
    """Do it to the named user, whose row is locked, in a single transaction."""
    async with database.writing() as session:
        named = arguments.user
        user_id = int(named) if named.isascii() and named.isdecimal() else None
        if user_id is None:
            user_id = (await directory.by_alias(session, named)).id
        user = await directory.locked(session, user_id)
        await do(session, user, keyring=keyring, arguments=arguments)


async def _show(session: Reading, user: User, **_: object) -> None:
    given = Role(user.roles) & ~Role.DELETED
    roles = [str(role.name).lower() for role in given]
    told = [("roles", " ".join(roles) or "none"), ("kudos", await _kudos(session, user))]
    if user.escrow_id is not None:
        escrow = await accounts.balance(session, user.escrow_id)
        if escrow or not user.has(Role.TRUSTED):
            told.append(("held back", f"{escrow / 100:.2f} until they are trusted"))
    if user.has(Role.DELETED):
        told.append(("account", "disabled"))
    told.append(("registered", f"{user.created_at:%Y-%m-%d}"))
    told.append(("last active", f"{user.last_active_at:%Y-%m-%d}"))
    print(user.alias, *(f"{name:<13}{what}" for name, what in told), sep="\n")


async def _kudos(session: Reading, user: User) -> str:
    """What a user has, and how much of it they can spend: what they began with stays."""
    if user.escrow_id is None:  # the anonymous user's are counted, and never spent
        return f"{await accounts.balance(session, user.account_id) / 100:.2f}"
    funds = await accounts.funds(session, user.account_id)
    return f"{funds.balance / 100:.2f}, of which {funds.available / 100:.2f} can be spent"


async def _change_roles(
    session: Writing, user: User, *, arguments: argparse.Namespace, **_: object
) -> None:
    at = now()
    grant, revoke = _roles(arguments.grant), _roles(arguments.revoke)
    if Role.MODERATOR in grant:
        user = await monthly.entitle(session, user, at=at)
    user = await directory.set_roles(session, user, grant=grant, revoke=revoke)
    if Role.TRUSTED in grant:
        user = await trust.promote(session, user, at=at)
    await _show(session, user)


def _roles(names: list[str]) -> Role:
    found = Role(0)
    for name in names:
        found |= Role[name.upper()]
    return found


async def _change_kudos(
    session: Writing, user: User, *, arguments: argparse.Namespace, **_: object
) -> None:
    await grants.adjust(session, user, arguments.amount * 100, key=uuid4().hex)
    await _show(session, user)


async def _rotate_key(session: Writing, user: User, *, keyring: Keyring, **_: object) -> None:
    print(f"{user.alias} {await registering.renew_key(session, keyring, user)}")


async def _disable(
    session: Writing, user: User, *, arguments: argparse.Namespace, **_: object
) -> None:
    if arguments.undo:
        user = await deletion.undelete(session, user)
    else:
        user = await directory.set_roles(session, user, grant=Role.DELETED)
    await _show(session, user)
