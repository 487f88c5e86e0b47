"""The workers of one process: one for each kind of work, with one engine among them.

For a horde they are separate workers, since a name there belongs to one kind of work.
"""

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, TypeVar

import structlog

from core.client import HordeClient
from worker import lookup, models, post_processing, safety, served
from worker.alchemy import offered
from worker.alchemy.kind import Forms
from worker.engine import Engine
from worker.escrow import Escrow
from worker.idling import Habits
from worker.image.kind import Pictures
from worker.image.order import Checkpoint
from worker.journal import Journal
from worker.kind import AnyChannel
from worker.loop import NothingToServe, Unwelcome, Worker
from worker.offers import alchemy_offer, image_offer, library, text_offer
from worker.progress import Display
from worker.renderer import Model
from worker.safety import Policy
from worker.served import NoModel
from worker.settings import Settings, WorkKind
from worker.text import fetching
from worker.text.kind import Texts
from worker.text.order import LanguageModel

ASK_SECONDS: Final = 3600.0
NOT_TRUSTED: Final = "your user is not trusted yet: half of each reward waits in escrow until then"

NO_MODEL: Final = (
    "no model to serve: `horde-worker models add NAME` fetches one; `models` and `text_models` in "
    "the settings say which are served"
)

M = TypeVar("M", bound=Model)

log = structlog.get_logger("worker")


class Crew:
    """Runs a worker of each kind in the settings.

    client: with the key of the workers' owner.
    proxy: an engine of `worker.proxy`, where the settings name another program.
    """

    def __init__(
        self,
        settings: Settings,
        client: HordeClient,
        engine: Engine,
        display: Display,
        proxy: Engine | None = None,
    ) -> None:
        self._settings = settings
        self._proxy = proxy
        self._client = client
        self._engine = engine
        self._display = display
        self._folders = lookup.folders(settings)
        self._processors = post_processing.find(self._folders)
        self._escrow = Escrow()
        self._journal = Journal(settings.data_dir, settings.url)
        self._changing: list[Callable[[Settings], Coroutine[Any, Any, None]]] = []
        self._changes = set[asyncio.Task[None]]()

    def begin(self) -> None:
        """Start the engine, if it is needed, while the rest is being prepared."""
        by_others = {"image": self._settings.image_server, "text": self._settings.text_server}
        if any(not by_others.get(kind) for kind in self._settings.kinds):
            self._engine.begin()

    def change(self, settings: Settings) -> None:
        """Go on with other settings, as far as they are of `configuration.reload.AT_ONCE`."""
        changing = asyncio.create_task(self._change(settings))
        self._changes.add(changing)
        changing.add_done_callback(self._changes.discard)

    async def _change(self, settings: Settings) -> None:
        for change in self._changing:
            try:
                await change(settings)
            except NoModel as error:
                self._display.say(f"the models stay as they were: {error}")

    async def run(self, stop: asyncio.Event) -> None:
        """Serve until told to stop; a kind that cannot be served leaves the others alone.

        When cancelled, all of them give back what they have in hand. If none is left, or
        pictures are not where nothing was said of kinds, raises the reason: Unwelcome or
        NothingToServe.
        """
        workers: dict[WorkKind, Callable[[asyncio.Event], Coroutine[Any, Any, None]]] = {
            "image": self._pictures,
            "text": self._texts,
            "alchemy": self._forms,
        }
        ends: dict[WorkKind, Exception] = {}
        chosen = "kinds" in self._settings.model_fields_set

        async def serve(kind: WorkKind) -> None:
            try:
                await workers[kind](stop)
            except (Unwelcome, NothingToServe) as reason:
                ends[kind] = reason
                self._display.say(f"{kind} is not served: {reason}")
                if kind == "image" and not chosen:
                    stop.set()  # nobody asked for a worker of alchemy alone

        kinds = dict.fromkeys(self._settings.kinds)
        asking = asyncio.ensure_future(self._ask_whether_trusted())
        try:
            with self._journal:
                async with asyncio.TaskGroup() as group:
                    for kind in kinds:
                        group.create_task(serve(kind))
        finally:
            asking.cancel()
        if len(ends) == len(kinds) or ("image" in ends and not chosen):
            raise ends.get("image") or next(iter(ends.values()))

    async def _ask_whether_trusted(self) -> None:
        """Find out, now and then, whether rewards are credited at once."""
        while True:
            try:
                trusted = (await self._client.users.me()).trusted
            except Exception as error:  # noqa: BLE001 - it is for information only
                log.debug("owner not asked for", reason=type(error).__name__)
            else:
                if trusted is False and self._escrow.trusted is None:
                    self._display.say(NOT_TRUSTED)
                self._escrow.trusted = trusted
            await asyncio.sleep(ASK_SECONDS)

    async def _pictures(self, stop: asyncio.Event) -> None:
        settings = self._settings
        offer = image_offer(settings)
        engine = self._proxy if settings.image_server else None
        policy = self._safety(settings)
        self._display.say(safety.told(policy))
        kind = Pictures(
            self._client,
            offer,
            batch=settings.batch,
            processors={} if engine else self._processors,
            safety=policy,
            library=None if engine else library(settings, self._folders),
            controls=None if engine else lookup.controls(settings),
        )

        def found(settings: Settings) -> Mapping[str, Checkpoint]:
            if engine is not None:
                return served.painters(settings)
            return self._find(lookup.wanted(settings, "image"), models.find)

        def change(new: Settings) -> None:
            kind.change(image_offer(new), new.batch, self._safety(new))

        await self._work(kind, offer.name, found, change, stop, engine)

    def _safety(self, settings: Settings) -> Policy:
        """What is done about unsafe pictures; those of other programs are not looked at."""
        found = lookup.safety_policy(settings)
        return replace(found, checker=None) if settings.image_server else found

    async def _texts(self, stop: asyncio.Event) -> None:
        engine = self._proxy if self._settings.text_server else None
        if engine is None and not await fetching.default_is_there(
            self._settings, self._display.say, stop
        ):
            return

        def found(settings: Settings) -> Mapping[str, LanguageModel]:
            if engine is not None:
                return served.writers(settings)
            return self._find(lookup.wanted(settings, "text"), models.find_text)

        offer = text_offer(self._settings)
        kind = Texts(self._client, offer, self._settings.batch)
        await self._work(
            kind,
            offer.name,
            found,
            lambda new: kind.change(text_offer(new), new.batch),
            stop,
            engine,
        )

    async def _forms(self, stop: asyncio.Event) -> None:
        offer = alchemy_offer(self._settings)
        kind = Forms(self._client, offer)

        await self._work(
            kind, offer.name, offered.forms, lambda new: kind.change(alchemy_offer(new)), stop
        )

    async def _work(
        self,
        kind: AnyChannel,
        name: str,
        found: Callable[[Settings], Mapping[str, Model]],
        change: Callable[[Settings], None],
        stop: asyncio.Event,
        engine: Engine | None = None,
    ) -> None:
        """Be a worker of this kind. Raises what `Worker.run` raises.

        found: gives the models that are to be served. change: lets the kind offer something else.
        engine: None for that of most kinds.
        """
        settings = self._settings
        here = await asyncio.to_thread(found, settings)
        self._display.say(f"{name} serves {post_processing.named(here)} on {settings.url}")
        worker: Worker[Any, Any] = Worker(
            kind,
            engine or self._engine,
            self._display,
            models=here,
            habits=_habits(settings),
            escrow=self._escrow,
            journal=self._journal,
        )

        async def change_all(new: Settings) -> None:
            change(new)
            worker.change(await asyncio.to_thread(found, new), _habits(new))

        self._changing.append(change_all)
        await worker.run(stop)

    def _find(
        self, wanted: Iterable[str], find: Callable[[str, Iterable[Path]], M]
    ) -> dict[str, M]:
        """Find the models that can be served, and say why others cannot. Raises NoModel."""
        found: dict[str, M] = {}
        for one in wanted:
            try:
                model = find(one, self._folders)
            except models.NotUsable as error:
                log.warning("model not offered", model=one, reason=str(error))
            else:
                found[model.name] = model
        if not found:
            raise NoModel(NO_MODEL)
        return found


def _habits(settings: Settings) -> Habits:
    return Habits(settings.idle_seconds, settings.ahead_seconds, settings.max_deaths)
