"""`python -m core serve | upkeep | migrate | user | filters | ratings`: server and tools."""

import argparse
import asyncio
import signal
import sys
from pathlib import Path

from pydantic import ValidationError

from core import failures, files, logs, user_commands
from core.db import Database, DatabaseInUse
from core.errors import Refusal
from core.failures import CannotStart
from core.moderation import shipped
from core.schema import migrate
from core.settings import BadSecret, NoSecret, Settings


def main() -> int:
    """Run the requested command."""
    parser = argparse.ArgumentParser(prog="python -m core", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("serve", help="serve the API and the web page")
    commands.add_parser("upkeep", help="do the periodic work, without serving")
    commands.add_parser("migrate", help="bring the database to the newest schema")
    user_commands.add(commands)
    filters = commands.add_parser("filters", help="the prompt filters").add_subparsers(
        dest="action", required=True
    )
    filters.add_parser("load", help="add the shipped filters that are missing")
    ratings = commands.add_parser("ratings", help="the data set of shared pictures").add_subparsers(
        dest="action", required=True
    )
    exported = ratings.add_parser("export", help="write it as JSON Lines, a picture a line")
    exported.add_argument("--to", type=Path, default=Path("ratings.jsonl"), help="the file")
    arguments = parser.parse_args()
    files.keep_private()
    try:
        settings = Settings()
        logs.configure(form=settings.log_format, level=settings.log_level)
        return _run(arguments, settings)
    except ValidationError as error:
        print(_told(error), file=sys.stderr)
    except (Refusal, NoSecret, BadSecret, DatabaseInUse, CannotStart) as error:
        print(error, file=sys.stderr)
    except Exception as error:
        if (why := failures.of_start(error)) is None:
            raise
        print(f"This cannot go on: {why}.", file=sys.stderr)
    return 1


def _told(error: ValidationError) -> str:
    """Describe what is wrong with the settings, in one line and without their values."""
    wrong = ((".".join(map(str, one["loc"])).upper(), one["msg"]) for one in error.errors())
    return "; ".join(f"HORDE_{name}: {message}" for name, message in wrong)


def _run(arguments: argparse.Namespace, settings: Settings) -> int:
    files.make_private_folder(settings.data_dir)
    files.close_to_others(settings.private_paths())
    if arguments.command == "serve":
        from core import serving  # noqa: PLC0415 - the other commands need no web server

        serving.serve(settings)
    elif arguments.command == "upkeep":
        asyncio.run(_upkeep(settings))
    else:
        migrate(settings.database)
        if arguments.command == "user":
            user_commands.run(arguments, settings)
        elif arguments.command == "filters":
            print(f"{asyncio.run(_load_filters(settings))} filters added")
        elif arguments.command == "ratings":
            from core import export  # noqa: PLC0415

            count = asyncio.run(export.ratings(settings, arguments.to))
            print(f"{count} pictures in {arguments.to}; their files in {settings.shared_pictures}")
    return 0


async def _load_filters(settings: Settings) -> int:
    database = Database(settings.database)
    try:
        async with database.writing() as session:
            return await shipped.load(session)
    finally:
        await database.close()


async def _upkeep(settings: Settings) -> None:
    from core.app import create_app  # noqa: PLC0415

    app = create_app(settings)
    stopping, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopping.set)
    await app.startup()
    try:
        await stopping.wait()
    finally:
        await app.shutdown()


if __name__ == "__main__":
    # As SIGTERM does, Ctrl-C ends a start or a migration at once; a server that runs handles both.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    sys.exit(main())
