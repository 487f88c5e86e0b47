"""Runs a batch: asks, follows, saves, and starts again what a failing network interrupts."""

import asyncio
import contextlib
import random
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import uuid4

from cli.asking import standing, why
from cli.batch.items import Item
from cli.batch.journal import Journal
from cli.batch.keeping import Keeper
from cli.batch.pace import Pace
from cli.batch.watching import Watcher
from core.client import (
    HordeClient,
    HordeError,
    Invalid,
    NotFound,
    TooMany,
    Unavailable,
    UnexpectedAnswer,
    Unreachable,
)
from core.wire.events import EndEvent, GenerationEvent, StatusEvent

PASSING: Final = (Unreachable, Unavailable, UnexpectedAnswer)
"""A horde that is away for a moment: a proxy before it may answer meanwhile."""
FIRST_PAUSE_SECONDS: Final = 1.0
MAX_PAUSE_SECONDS: Final = 20.0
MAX_ASKS: Final = 3
"""How often an item is asked whose request expires in the queue."""
CANCEL_SECONDS: Final = 15.0
STOPPING: Final = frozenset({"MaintenanceMode", "TimeoutIP", "CorruptPrompt"})
"""Refusals that the next item would get, too, or that must not be provoked again."""


@dataclass
class Outcome:
    """What has become of a batch so far. stopped: why nothing more is asked."""

    saved: int = 0
    failures: dict[str, str] = field(default_factory=dict)
    refused: bool = False
    stopped: HordeError | None = None


class Runner:
    """One run of a batch.

    say: shows a message. on_saved: is called for each picture, with its line of the manifest.
    on_change: is called when anything has changed.
    """

    def __init__(
        self,
        client: HordeClient,
        journal: Journal,
        keeper: Keeper,
        pace: Pace,
        *,
        say: Callable[[str], None],
        on_saved: Callable[[dict[str, Any]], None],
        on_change: Callable[[], None],
    ) -> None:
        self.outcome = Outcome()
        self._client = client
        self._journal = journal
        self._keeper = keeper
        self._watcher = Watcher(client)
        self._pace = pace
        self._say, self._on_saved, self._on_change = say, on_saved, on_change
        self._waiting = deque[Item]()
        self._asks: dict[str, int] = {}
        self._is_away = False
        self._is_stuck = False

    async def run(self, items: Sequence[Item]) -> None:
        """Make all that is not made yet. Raises what stops all of it, such as a wrong key.

        If this is cancelled, what has been asked is cancelled, too, and what of it is finished is
        saved.
        """
        todo = [item for item in items if not self._journal.of(item.key).is_done]
        # What the horde may have comes first: its results do not live for long.
        self._waiting.extend(sorted(todo, key=lambda item: not self._is_asked(item)))
        following = set[asyncio.Task[None]]()
        try:
            async with asyncio.TaskGroup() as group:
                while self._waiting or following:
                    if not self._waiting or self.outcome.stopped:
                        if not following:
                            break
                        await asyncio.wait(following, return_when=asyncio.FIRST_COMPLETED)
                        continue
                    item = self._waiting.popleft()
                    await self._pace.enter(item.pictures)
                    request = await self._asked(item)
                    if request is not None:
                        task = group.create_task(self._made(item, request))
                        following.add(task)
                        task.add_done_callback(following.discard)
        except BaseExceptionGroup as errors:
            await self._take_back(items)
            raise errors.exceptions[0] from None
        except BaseException:
            await self._take_back(items)
            raise

    def _is_asked(self, item: Item) -> bool:
        state = self._journal.of(item.key)
        return bool(state.request or state.in_doubt)

    # Asking

    async def _asked(self, item: Item) -> str | None:
        """Ask for an item. Gives the request's id; None if it has none, now or for good."""
        state = self._journal.of(item.key)
        if state.request is not None:
            return state.request
        if state.in_doubt and state.seed is not None and not self._journal.keys_are_read:
            found = await self._adopted(state.seed)
            if found is not None:
                self._journal.asked(item.key, found)
                return found
        seed = state.seed or item.seed()
        key = state.asking_key or str(uuid4())
        self._journal.asking(item.key, seed, key)
        try:
            request = await self._client.generate(item.request(seed), key)
        except PASSING as error:
            await self._hold_on(error)
            self._waiting.appendleft(item)  # in doubt: the horde may have it
        except TooMany as error:
            self._journal.unasked(item.key)
            self._waiting.appendleft(item)
            if error.rc == "TooManyPrompts":
                await self._pace.refused(item.pictures)
                return None
            await asyncio.sleep(error.retry_after_seconds or FIRST_PAUSE_SECONDS)
        except HordeError as error:
            self._refused(item, error)
        else:
            self._is_away = False
            self._journal.asked(item.key, request.id, key_is_read=request.repeated is not None)
            return request.id
        await self._pace.leave(item.pictures)
        return None

    def _refused(self, item: Item, error: HordeError) -> None:
        self._journal.ended(item.key, str(error))
        self.outcome.failures[item.key] = str(error)
        self.outcome.refused = True
        if error.rc in STOPPING or not isinstance(error, Invalid):
            self.outcome.stopped = error
        self._on_change()

    async def _adopted(self, seed: str) -> str | None:
        """The request that was being asked when everything ended, if the horde has it."""
        while True:
            try:
                return await self._watcher.adopted(seed, self._journal.requests)
            except PASSING as error:
                await self._hold_on(error)

    # Following

    async def _made(self, item: Item, request: str) -> None:
        """Follow a request until it ends, whatever happens to the connection."""
        try:
            while True:
                try:
                    await self._follow(item, request)
                except PASSING as error:
                    await self._hold_on(error)
                except TooMany as error:
                    await asyncio.sleep(error.retry_after_seconds or FIRST_PAUSE_SECONDS)
                except NotFound:
                    self._lost(item)  # it has expired, or somebody cancelled it long ago
                    return
                else:
                    self._is_away = False
                    return
        finally:
            await self._pace.leave(item.pictures)
            self._on_change()

    async def _follow(self, item: Item, request: str) -> None:
        async with aclosing(self._watcher.events(request)) as events:
            async for event in events:
                if isinstance(event, GenerationEvent):
                    await self._save(item, request, event)
                elif isinstance(event, EndEvent):
                    self._end(item, event)
                elif isinstance(event, StatusEvent) and event.waiting and not event.is_possible:
                    self._tell_stuck(item, event)
                self._on_change()

    def _tell_stuck(self, item: Item, status: StatusEvent) -> None:
        """Say once that something is wanted that nobody offers: it may never be made."""
        if not self._is_stuck:
            self._is_stuck = True
            self._say(f"Prompt {item.number}: {standing(status)}.")

    def _end(self, item: Item, event: EndEvent) -> None:
        made = len(self._journal.of(item.key).entries)
        if made >= item.pictures:
            self._journal.ended(item.key)
        elif event.faults or event.faulted:
            reasons = " ".join(why(fault) for fault in event.faults or ())
            failure = reasons or "Workers could not make it."
            self._journal.ended(item.key, failure)
            self.outcome.failures[item.key] = failure
        else:
            self._lost(item)

    def _lost(self, item: Item) -> None:
        """The request has ended before it was made: it waited too long. It is asked again."""
        self._asks[item.key] = self._asks.get(item.key, 0) + 1
        self._journal.unasked(item.key)
        if self._asks[item.key] < MAX_ASKS:
            self._waiting.append(item)
            return
        failure = f"It expired in the queue {MAX_ASKS} times: nobody could make it."
        self._journal.ended(item.key, failure)
        self.outcome.failures[item.key] = failure

    async def _save(self, item: Item, request: str, made: GenerationEvent) -> None:
        entry = await self._keeper.keep(item, request, made)
        if entry is not None:
            self.outcome.saved += 1
            self._on_saved(entry)

    async def _hold_on(self, error: HordeError) -> None:
        """Wait a moment, and say once that the horde is away."""
        if not self._is_away:
            self._is_away = True
            self._say(f"The horde does not answer ({error}). Nothing is lost; it is tried again.")
        pause = error.retry_after_seconds or FIRST_PAUSE_SECONDS
        pause *= random.uniform(1.0, 3.0)  # noqa: S311 - spreads load, keeps no secret
        await asyncio.sleep(min(pause, MAX_PAUSE_SECONDS))

    # Taking back

    async def _take_back(self, items: Sequence[Item]) -> None:
        """Cancel what was asked, and save what of it is finished; as far as that takes no time."""
        asked = [item for item in items if self._journal.of(item.key).request]
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(CANCEL_SECONDS):
                await asyncio.gather(*map(self._cancelled, asked), return_exceptions=True)

    async def _cancelled(self, item: Item) -> None:
        request = self._journal.of(item.key).request
        if request is None:
            return
        left = await self._client.cancel(request)
        for index, made in enumerate(left.generations):
            await self._save(item, request, GenerationEvent(**made.model_dump(), index=index))
        if len(self._journal.of(item.key).entries) >= item.pictures:
            self._journal.ended(item.key)
        else:
            self._journal.unasked(item.key)
