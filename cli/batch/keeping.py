"""Keeps the pictures of a batch: each in a file of its own, with its line in the manifest."""

import asyncio
from pathlib import Path
from typing import Any

from cli import metadata, pictures, saving
from cli.batch.items import Item
from cli.batch.journal import Journal
from core.client import HordeClient
from core.wire.events import GenerationEvent
from core.wire.generate import RequestStatusCheck


class Keeper:
    """Keeps pictures as a pattern says.

    with_metadata: whether files say how they were made.
    """

    def __init__(
        self,
        client: HordeClient,
        journal: Journal,
        pattern: saving.Pattern,
        *,
        with_metadata: bool,
    ) -> None:
        self._client = client
        self._journal = journal
        self._pattern = pattern
        self._with_metadata = with_metadata
        self._files = {name.lower() for name in journal.files}

    async def keep(self, item: Item, request: str, made: GenerationEvent) -> dict[str, Any] | None:
        """Keep a picture; gives its line of the manifest, None if it is kept already."""
        state = self._journal.of(item.key)
        if any(made.id == one["id"] or made.seed == one["seed"] for one in state.entries.values()):
            return None
        index = made.index
        while index in state.entries:  # a horde that is polled numbers pictures as they come
            index += 1
        if index >= item.pictures:
            return None
        cost = _cost(made, await self._client.check(request), item.pictures)
        made = made.model_copy(update={"kudos": cost})
        content = await self._client.download(made.img)
        body = item.request(state.seed or made.seed).model_dump(exclude_unset=True)
        entry = _entry(item, request, made, index)
        told = metadata.text(body, entry) if self._with_metadata else None
        path = self._free(self._pattern.path(made, index, item=item.number, name=item.wanted.name))
        await asyncio.to_thread(pictures.write, path, content, told)
        entry |= {"file": path.name, "sha256": await asyncio.to_thread(saving.checksum, path)}
        self._journal.saved(item.key, entry)
        return entry

    def _free(self, path: Path) -> Path:
        """A name that no other picture of the batch has."""
        found, number = path, 2
        while found.name.lower() in self._files:
            found, number = path.with_stem(f"{path.stem}-{number}"), number + 1
        self._files.add(found.name.lower())
        return found


def _cost(made: GenerationEvent, now: RequestStatusCheck, pictures: int) -> float:
    """What a picture has cost, with its part of what the request itself has.

    pictures: how many were asked for.
    """
    # Of a picture that was polled for, the price is not known; but then all of them are finished.
    each = now.cost / max(1, now.finished) if made.kudos is None else made.kudos
    return round(each + (now.cost - each * now.finished) / pictures, 2)


def _entry(item: Item, request: str, made: GenerationEvent, index: int) -> dict[str, Any]:
    return {
        "item": item.number,
        "index": index,
        "name": item.wanted.name,
        "prompt": item.wanted.prompt,
        "negative": item.given.get("negative", ""),
        "seed": made.seed,
        "model": made.model,
        "worker": made.worker_name,
        "kudos": made.kudos,
        "state": made.state,
        "request": request,
        "id": made.id,
        "row": dict(item.wanted.row),
    }
