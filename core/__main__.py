"""`python -m core serve | upkeep | migrate | user`: the server and its tools."""

import argparse
import asyncio
import os
import sys
from pathlib import Path
from uuid import uuid4

from pydantic import ValidationError

from core import logs
from core.db import Database, DatabaseInUse, migrate
from core.errors import Refusal
from core.settings import NoSecret, Settings
from core.users import directory
from core.users.keys import Keyring
from core.users.tables import Role


def main() -> int:
    """Run the command that was asked for."""
    parser = argparse.ArgumentParser(prog="python -m core", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("serve", help="serve the API and the web page")
    commands.add_parser("upkeep", help="do the periodic work, without serving")
    commands.add_parser("migrate", help="bring the database to the newest schema")
    user = commands.add_parser("user", help="manage users").add_subparsers(
        dest="action", required=True
    )
    create = user.add_parser("create", help="register a user and print the API key")
    create.add_argument("--name", required=True)
    create.add_argument("--admin", action="store_true", help="admin, moderator and customizer")
    create.add_argument("--trusted", action="store_true")
    create.add_argument(
        "--key-file",
        type=Path,
        help="keep the key in this file (mode 0600); one that is there and valid is left alone",
    )
    arguments = parser.parse_args()
    try:
        settings = Settings()
        logs.configure(form=settings.log_format, level=settings.log_level)
        return _run(arguments, settings)
    except (Refusal, ValidationError, NoSecret, DatabaseInUse) as error:
        print(error, file=sys.stderr)
        return 1


def _run(arguments: argparse.Namespace, settings: Settings) -> int:
    if arguments.command == "serve":
        from core import serving  # noqa: PLC0415 - the other commands need no web server

        serving.serve(settings)
    elif arguments.command == "upkeep":
        asyncio.run(_upkeep(settings))
    else:
        settings.data_dir.mkdir(parents=True, exist_ok=True)
        migrate(settings.database)
        if arguments.command == "user":
            asyncio.run(_create(arguments, settings))
    return 0


async def _upkeep(settings: Settings) -> None:
    from core.app import create_app  # noqa: PLC0415

    app = create_app(settings)
    await app.startup()
    try:
        await asyncio.Event().wait()
    finally:
        await app.shutdown()


async def _create(arguments: argparse.Namespace, settings: Settings) -> None:
    keyring = Keyring(settings.secret())
    database = Database(settings.database)
    try:
        if arguments.key_file and await _is_valid(database, keyring, _kept(arguments.key_file)):
            return
        roles = Role.TRUSTED if arguments.trusted else Role(0)
        if arguments.admin:
            roles |= Role.ADMIN | Role.MODERATOR | Role.TRUSTED | Role.CUSTOMIZER
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
    finally:
        await database.close()


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
    unfinished = path.with_suffix(".new")
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(key + "\n")
    unfinished.replace(path)


if __name__ == "__main__":
    sys.exit(main())
