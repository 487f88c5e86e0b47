"""`python -m worker`: serves a horde until told to stop.

The first SIGINT or SIGTERM lets the jobs in hand be finished and submitted; the second gives them
back at once. Exit status: 0 after finishing, 1 after giving back or where the server or the models
leave nothing to do, 2 where the settings are wrong.
"""

import asyncio
import signal
import sys
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import Final

import structlog
from pydantic import ValidationError

from core.client import HordeClient, HordeError, Retries
from core.wire.pop import PopInputStable
from worker import logs, models, progress
from worker.engine import Engine, Limits
from worker.engine_process import diffusers_renderer
from worker.loop import AGENT, Habits, NothingToServe, Unwelcome, Worker
from worker.progress import Display
from worker.renderer import Checkpoint
from worker.settings import Settings, prepare_environment

PATIENT: Final = Retries(attempts=10)
"""About a minute for what may be repeated, submitting above all: a server may be restarting."""

log = structlog.get_logger("worker")


def main() -> int:
    """Run the worker; gives the exit status."""
    try:
        settings = Settings()
        key = settings.key()
    except (ValidationError, OSError) as error:
        return _wrong(str(error))
    if not key:
        return _wrong("set WORKER_API_KEY or WORKER_API_KEY_FILE to the key of the worker's owner")
    logs.configure(settings.log_format, settings.log_level)
    prepare_environment()
    found = _models(settings.models, settings.model_dirs)
    if not found:
        return _wrong("no model to serve: set WORKER_MODELS")
    display = progress.display(settings.progress)
    try:
        return asyncio.run(_serve(settings, key, found, display))
    except asyncio.CancelledError:
        return _end(display, "stopped; the jobs in hand were given back")
    except (Unwelcome, NothingToServe, HordeError) as error:
        return _end(display, str(error))
    finally:
        display.close()


async def _serve(
    settings: Settings, key: str, found: dict[str, Checkpoint], display: Display
) -> int:
    make = partial(diffusers_renderer, device=settings.device, threads=settings.threads)
    limits = Limits(settings.start_timeout, settings.load_timeout, settings.step_timeout)
    display.say(f"{settings.name} serves {', '.join(found)} on {settings.url}")
    async with (
        HordeClient(settings.url, key, client_agent=AGENT, retries=PATIENT) as client,
        Engine(make, limits) as engine,
    ):
        worker = Worker(
            client,
            engine,
            display,
            offer=offer(settings),
            models=found,
            habits=Habits(
                settings.idle_seconds, settings.ahead_seconds, settings.max_deaths, settings.batch
            ),
        )
        await _run_until_signalled(worker, display)
    return 0


async def _run_until_signalled(worker: Worker, display: Display) -> None:
    stop = asyncio.Event()
    running = asyncio.ensure_future(worker.run(stop))

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


def offer(settings: Settings) -> PopInputStable:
    """What each pop says this worker can do, but for its models and the size of batches."""
    return PopInputStable(
        name=settings.name,
        bridge_agent=AGENT,
        threads=1,
        max_pixels=settings.max_pixels,
        nsfw=settings.nsfw,
        blacklist=settings.blacklist,
        priority_usernames=settings.priority_usernames,
        require_upfront_kudos=settings.require_upfront_kudos,
        extra_slow_worker=settings.extra_slow,
        wait=settings.wait_seconds,
        allow_img2img=True,
        allow_painting=True,
        allow_unsafe_ipaddr=True,
        allow_post_processing=False,
        allow_controlnet=False,
        allow_sdxl_controlnet=False,
        allow_lora=False,
    )


def _models(wanted: Iterable[str], folders: Iterable[Path]) -> dict[str, Checkpoint]:
    """Find the models that can be served, and say why others cannot."""
    found: dict[str, Checkpoint] = {}
    for one in wanted:
        try:
            checkpoint = models.find(one, folders)
        except models.NotUsable as error:
            log.warning("model not offered", model=one, reason=str(error))
        else:
            found[checkpoint.name] = checkpoint
    return found


def _wrong(reason: str) -> int:
    sys.stderr.write(f"worker: {reason}\n")
    return 2


def _end(display: Display, reason: str) -> int:
    display.say(reason)
    return 1


if __name__ == "__main__":
    sys.exit(main())
