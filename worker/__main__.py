"""`python -m worker`: serves a horde until told to stop.

The first SIGINT or SIGTERM lets the jobs in hand be finished and submitted; the second gives them
back at once. Exit status: 0 after finishing, 1 after giving back or if the server or the models
leave nothing to do, 2 if the settings are wrong.
"""

import asyncio
import signal
import sys
from functools import partial
from typing import Final

from pydantic import ValidationError

from core.client import HordeClient, HordeError, Retries
from worker import logs, progress
from worker.crew import AGENT, Crew, NoModel
from worker.engine import Engine, Limits
from worker.engine_process import renderers
from worker.loop import NothingToServe, Unwelcome
from worker.progress import Display, Unfailing
from worker.settings import Settings, prepare_environment

PATIENT: Final = Retries(attempts=10)
"""About a minute for calls that may be repeated, above all submitting."""


def main() -> int:
    """Run the worker. Returns the exit status."""
    try:
        settings = Settings()
        key = settings.key()
    except (ValidationError, OSError) as error:
        return _wrong(str(error))
    if not key:
        return _wrong("set WORKER_API_KEY or WORKER_API_KEY_FILE to the key of the worker's owner")
    logs.configure(settings.log_format, settings.log_level)
    prepare_environment()
    display = Unfailing(progress.display(settings.progress))
    try:
        return asyncio.run(_serve(settings, key, display))
    except NoModel as error:
        return _wrong(str(error))
    except asyncio.CancelledError:
        return _end(display, "stopped; the jobs in hand were given back")
    except (Unwelcome, NothingToServe, HordeError) as error:
        return _end(display, str(error))
    finally:
        display.close()


async def _serve(settings: Settings, key: str, display: Display) -> int:
    make = partial(renderers, device=settings.device, threads=settings.threads)
    limits = Limits(settings.start_timeout, settings.load_timeout, settings.step_timeout)
    async with (
        HordeClient(
            settings.url,
            key,
            client_agent=AGENT,
            retries=PATIENT,
            private=settings.private_networks,
        ) as client,
        Engine(make, limits) as engine,
    ):
        await _run_until_signalled(Crew(settings, client, engine, display), display)
    return 0


async def _run_until_signalled(crew: Crew, display: Display) -> None:
    stop = asyncio.Event()
    running = asyncio.ensure_future(crew.run(stop))

    def on_signal() -> None:
        if stop.is_set():
            running.cancel()
        else:
            stop.set()
            display.say("stopping: the jobs in hand are finished first; once more gives them back")

    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, on_signal)
    await running


def _wrong(reason: str) -> int:
    sys.stderr.write(f"worker: {reason}\n")
    return 2


def _end(display: Display, reason: str) -> int:
    display.say(reason)
    return 1


if __name__ == "__main__":
    sys.exit(main())
