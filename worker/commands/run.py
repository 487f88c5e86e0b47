"""`horde-worker run`: serves a horde until told to stop.

The first SIGINT or SIGTERM lets the jobs in hand be finished and submitted; the second gives them
back at once.
"""

import argparse
import asyncio
import contextlib
import signal
import sys
from collections.abc import AsyncIterator, Callable
from functools import partial
from pathlib import Path
from typing import Any, Final

from rich.console import Console

from core.client import HordeClient, HordeError, NotFound, Retries, Unauthenticated
from worker import logs, status_page
from worker.commands import told
from worker.commands.once import UntilOneIsDone
from worker.configuration import files
from worker.configuration.files import Loaded
from worker.configuration.reload import Reloader
from worker.crew import Crew
from worker.engine import Engine, Limits
from worker.engine_process import renderers
from worker.environment import prepare_environment
from worker.live import LiveView
from worker.loop import NothingToServe, Unwelcome
from worker.memory import return_large_blocks
from worker.offers import AGENT
from worker.owner import NoKey, key_of
from worker.progress import Display, Lines, Unfailing
from worker.proxy.renderers import making
from worker.served import NoModel
from worker.settings import Settings
from worker.tally import Tally

PATIENT: Final = Retries(attempts=10)
"""About a minute for what may be repeated, submitting above all: a server may be restarting."""
KEY_SECONDS: Final = 5.0
"""For the server to say whether it knows the key; where it does not answer, pops will find out."""


def add_to(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Describe the command."""
    made = commands.add_parser("run", help="serve until told to stop (the default)")
    add_options(made, default=argparse.SUPPRESS)
    made.set_defaults(do=run)


def add_options(made: argparse.ArgumentParser, *, default: object = False) -> None:
    """Describe the options, which the program takes without a command, too."""
    made.add_argument(
        "--once", action="store_true", default=default, help="stop when one job is done"
    )


def run(arguments: argparse.Namespace) -> int:
    """Serve; gives the exit status. Raises WrongSettings."""
    notes = first_start(arguments.config)
    loaded = files.load(arguments.config)
    settings = loaded.settings
    try:
        key = key_of(settings)
    except NoKey as error:
        raise files.WrongSettings(str(error)) from None
    if not key:
        raise files.WrongSettings(
            f"set WORKER_API_KEY, WORKER_API_KEY_FILE, or api_key in {loaded.path}, to the key of "
            "the worker's owner"
        )
    logs.configure(settings.log_format, settings.log_level)
    prepare_environment()
    return_large_blocks()
    view = view_of(settings.progress)
    display = Tally(Unfailing(view))
    if isinstance(view, LiveView):
        view.counts = display.counts
    for note in (*notes, *loaded.notes):
        display.say(note)
    try:
        return asyncio.run(serve(loaded, key, display, once=arguments.once))
    except NoModel as error:
        told.error(str(error))
        return told.WRONG
    except asyncio.CancelledError:
        return _end(display, "stopped; the jobs in hand were given back")
    except (Unwelcome, NothingToServe, HordeError) as error:
        return _end(display, str(error))
    finally:
        display.close()


def view_of(wanted: str) -> Display:
    """Choose how to show things: `bar`, `lines`, or `auto` for what standard output can."""
    if wanted == "lines":
        return Lines()
    if wanted == "bar":
        return LiveView(Console(highlight=False, markup=False))
    return LiveView.on_terminal() or Lines()


def first_start(config: Path | None) -> list[str]:
    """Make the settings file where there is none; gives what is to be said about it."""
    path = files.place(config)
    if config is not None or path.exists():
        return []
    try:
        return files.make(path, files.former(Path.cwd()))
    except OSError as error:
        return [f"{path} cannot be made: {error.strerror}"]


async def serve(loaded: Loaded, key: str, display: Tally, *, once: bool = False) -> int:
    """Serve a horde until told to stop, or until one job is done."""
    settings = loaded.settings
    stop = asyncio.Event()
    shown = UntilOneIsDone(display, stop) if once else display
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
        Engine(making(settings.text_server_key.get_secret_value()), limits) as proxy,
    ):
        display.engine = lambda: engine.pid
        display.held = lambda: engine.held
        crew = Crew(settings, client, engine, shown, proxy)
        crew.begin()
        await _ask_for_the_key(client)
        reloading = asyncio.create_task(
            Reloader(loaded.path, settings, crew.change, display.say).run()
        )
        try:
            async with _page(settings, display):
                await _run_until_signalled(crew, stop, display)
        finally:
            reloading.cancel()
    return told.FINE


@contextlib.asynccontextmanager
async def _page(settings: Settings, display: Tally) -> AsyncIterator[None]:
    """Have a status page meanwhile, where one is wanted."""
    async with contextlib.AsyncExitStack() as closing:
        if settings.status_port:
            page = status_page.serving(settings.status_port, display.counts, settings.name)
            try:
                port = await closing.enter_async_context(page)
            except OSError as error:
                display.say(f"there is no status page: {error.strerror}")
            else:
                display.say(f"status page: http://{status_page.ADDRESS}:{port}/")
        yield


async def _ask_for_the_key(client: HordeClient) -> None:
    """See that the server knows the key before models are loaded for it. Raises Unwelcome."""
    try:
        async with asyncio.timeout(KEY_SECONDS):
            await client.users.me()
    except (Unauthenticated, NotFound) as error:
        if error.rc is not None:  # of a horde, not of another program
            raise Unwelcome(error.message) from None
    except (HordeError, TimeoutError):
        return


async def _run_until_signalled(crew: Crew, stop: asyncio.Event, display: Display) -> None:
    running = asyncio.ensure_future(crew.run(stop))
    signalled = False

    def on_signal() -> None:
        nonlocal signalled
        if signalled:
            running.cancel()
        else:
            signalled = True
            stop.set()
            display.say("stopping: the jobs in hand are finished first; once more gives them back")

    on_signals(on_signal)
    await running


def on_signals(act: Callable[[], None]) -> None:
    """Call this in the event loop at each SIGINT or SIGTERM."""
    loop = asyncio.get_running_loop()

    def elsewhere(*_: Any) -> None:  # noqa: ANN401 - a number and a frame, neither looked at
        loop.call_soon_threadsafe(act)

    for number in (signal.SIGINT, signal.SIGTERM):
        if sys.platform == "win32":
            signal.signal(number, elsewhere)
        else:
            loop.add_signal_handler(number, act)


def _end(display: Display, reason: str) -> int:
    display.say(reason)
    return told.FAILED
