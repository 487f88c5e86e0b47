"""The command `horde-bot`, or `python -m bot`: runs the bot until it is told to stop.

Exit status: 0 when it was stopped; 1 where Discord refuses it or the database cannot be used; 2
where the settings are wrong.
"""

import asyncio
import contextlib
import os
import signal
import sys

import discord
import yarl
from pydantic import ValidationError
from sqlalchemy.exc import SQLAlchemyError

from bot import logs
from bot.app import HordeBot
from bot.keyring import Keyring, WrongSecret, of_folder
from bot.settings import ENV_PREFIX, Settings
from bot.store.database import Database, WrongDatabase, prepare

FAILED, WRONG = 1, 2
PRIVATE_UMASK = 0o077


def main() -> int:
    """Run the bot; gives the exit status."""
    try:
        settings = Settings.model_validate({})
    except ValidationError as error:
        for one in error.errors(include_input=False, include_url=False):
            name = f"{ENV_PREFIX}{'.'.join(str(part) for part in one['loc'])}".upper()
            print(f"{name}: {one['msg']}", file=sys.stderr)  # noqa: T201 - a command's output
        return WRONG
    os.umask(PRIVATE_UMASK)
    logs.configure(settings.log_format, settings.log_level)
    point_at(settings)
    try:
        settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        asyncio.run(_run(settings))
    except (WrongSecret, WrongDatabase) as error:
        return _failed(str(error), WRONG)
    except discord.LoginFailure:
        return _failed("Discord does not know this token: see BOT_TOKEN.")
    except SQLAlchemyError as error:
        return _failed(f"the database cannot be used: {error}")
    except OSError as error:
        return _failed(f"{error.strerror}: {error.filename}" if error.filename else str(error))
    return 0


def point_at(settings: Settings) -> None:
    """Let discord.py call another Discord: three attributes of classes have the addresses."""
    if settings.discord_api:
        discord.http.Route.BASE = settings.discord_api
    if settings.discord_gateway:
        discord.gateway.DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(settings.discord_gateway)
    if settings.discord_cdn:
        discord.asset.Asset.BASE = settings.discord_cdn


async def _run(settings: Settings) -> None:
    await prepare(settings.database)
    keyring = Keyring(settings.secret.get_secret_value() or of_folder(settings.data_dir))
    bot = HordeBot(settings, Database(settings.database), keyring)
    running = asyncio.current_task()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, running.cancel)  # type: ignore[union-attr]
    async with bot:
        with contextlib.suppress(asyncio.CancelledError):
            await bot.start(settings.token.get_secret_value())


def _failed(sentence: str, status: int = FAILED) -> int:
    print(sentence, file=sys.stderr)  # noqa: T201 - a command's output
    return status


if __name__ == "__main__":
    sys.exit(main())
