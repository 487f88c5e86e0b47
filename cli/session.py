"""One run of a command: which horde it calls, as whom, and how it answers.

`command` turns a function into a command that has the options which all of them share. Nothing
heavy is imported before the function runs: help and completion start at once.
"""

import contextlib
import inspect
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from cli import exits
from cli.exits import Exit, Failure

if TYPE_CHECKING:
    from cli.profiles import Profile
    from core.client import HordeClient

SHARED: Final[dict[str, Any]] = {
    "url": Annotated[
        str | None, typer.Option("--url", metavar="URL", help="The horde's address (HORDE_URL).")
    ],
    "key": Annotated[
        str | None,
        typer.Option(
            "--key", "--api-key", metavar="KEY", help="The key to call with (HORDE_API_KEY)."
        ),
    ],
    "profile": Annotated[
        str | None,
        typer.Option("--profile", metavar="NAME", help="A profile of the settings file."),
    ],
    "as_json": Annotated[bool, typer.Option("--json", help="Print JSON.")],
    "plain": Annotated[bool, typer.Option("--no-colour", "--no-color", help="Use no colours.")],
}
"""The options of every command that calls a horde."""


class Session:
    """What a command gets to work with.

    profile: the horde's address, and the key. as_json: whether it answers with JSON.
    """

    def __init__(self, profile: "Profile", *, as_json: bool) -> None:
        self.profile = profile
        self.as_json = as_json
        self._client: HordeClient | None = None

    @property
    def client(self) -> "HordeClient":
        """The client of the horde; closed when the command ends."""
        if self._client is None:
            from core.client import HordeClient  # noqa: PLC0415 - half a second for who needs it

            self._client = HordeClient(self.profile.url, self.profile.key)
        return self._client

    def use_url(self, url: str) -> None:
        """Call this horde, unless another one was named by an option."""
        if self.profile.sources["url"] != "--url" and self.profile.url != url:
            # A key that was kept for one horde is not for another.
            key = self.profile.key if self.profile.sources["key"] == "--key" else None
            from cli import profiles  # noqa: PLC0415

            self.profile = replace(self.profile, url=url, key=key or profiles.key_of(url))

    def use_key(self, key: str) -> None:
        """Call with this key, unless another one was given."""
        if self.profile.is_anonymous:
            self.profile = replace(self.profile, key=key)

    @contextlib.asynccontextmanager
    async def opened(self) -> AsyncIterator[None]:
        """Close the client in the end."""
        try:
            yield
        finally:
            if self._client is not None:
                await self._client.aclose()

    def say(self, words: str) -> None:
        """Print for people; nothing if JSON is wanted."""
        if not self.as_json:
            from cli import terminal  # noqa: PLC0415

            terminal.output.print(words)

    def show(self, answer: object, people: object) -> None:
        """Print an answer: as JSON, or as `people`, which is text or one of rich's tables."""
        from cli import terminal  # noqa: PLC0415

        if self.as_json:
            print(json.dumps(jsonable(answer), indent=2))
        else:
            terminal.show(people)


def jsonable(answer: object) -> Any:  # noqa: ANN401 - any JSON
    """An answer as it is written in JSON."""
    from pydantic_core import to_jsonable_python  # noqa: PLC0415

    return to_jsonable_python(answer, exclude_none=True, fallback=str)


def command(
    work: Callable[..., Awaitable[None] | None], options: Mapping[str, Any] | None = None
) -> Callable[..., None]:
    """Make a command of a function, which may be asynchronous.

    work: its first argument is the Session; the others are the command's own.
    options: more of them, as annotations for typer; their values come as the argument `given`.
    """

    def run(**given: Any) -> None:  # noqa: ANN401 - what the options are

        from cli import profiles, terminal  # noqa: PLC0415

        shared = {name: given.pop(name) for name in SHARED}
        if options is not None:
            given["given"] = {name: given.pop(name) for name in options}
        if shared["plain"]:
            terminal.without_colours()
        profile = profiles.resolve(shared["url"], shared["key"], shared["profile"])
        session = Session(profile, as_json=shared["as_json"])
        with exits.explained(profile.url):
            ended = work(session, **given)
            if inspect.isawaitable(ended):
                _wait_for(session, ended)

    own = [
        one for one in list(inspect.signature(work).parameters.values())[1:] if one.name != "given"
    ]
    more = [_option(name, annotation) for name, annotation in {**(options or {}), **SHARED}.items()]
    run.__name__, run.__doc__ = work.__name__.strip("_"), work.__doc__
    signature = inspect.Signature([*own, *more])
    setattr(run, "__signature__", signature)  # noqa: B010 - mypy knows no such attribute
    run.__annotations__ = {one.name: one.annotation for one in (*own, *more)}
    return run


def _option(name: str, annotation: Any) -> inspect.Parameter:  # noqa: ANN401 - a type
    default = False if name in {"as_json", "plain"} else None
    return inspect.Parameter(
        name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation
    )


def _wait_for(session: Session, work: Awaitable[None]) -> None:
    import asyncio  # noqa: PLC0415

    from cli.interrupts import interruptible  # noqa: PLC0415

    async def until_done() -> None:
        with interruptible() as hurry:
            task, leaving = asyncio.current_task(), asyncio.ensure_future(hurry.wait())
            # The second Ctrl-C does not wait for what the first one has begun to put in order.
            leaving.add_done_callback(
                lambda done: done.cancelled() or task is None or task.cancel()
            )
            try:
                async with session.opened():
                    await work
            finally:
                leaving.cancel()

    try:
        asyncio.run(until_done())
    except asyncio.CancelledError:
        raise Failure(Exit.CANCELLED, "Cancelled.") from None
