"""Adaptations (LoRAs) and learned words for orders: found on this machine, or fetched from CivitAI.

Without torch. What people bring lies in the folders `loras` and `embeddings` below the model
folders, under the names by which it is asked for; what is fetched is kept in the data folder, up to
a size. What was not to be had is not asked for again for a while.
"""

import asyncio
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal, Protocol

import structlog

from core.wire.image import ModelPayloadStable
from core.wire.submit import GenerationMetadataStable
from worker.image.order import Adaptation, Word

FOLDERS: Final = {"lora": "loras", "ti": "embeddings"}
ENDINGS: Final = (".safetensors", ".pt")
"""An adaptation is read of safetensors alone; learned words of either."""
FETCH_SECONDS: Final = 45.0
"""For all that one order needs; what takes longer comes in for the next one."""
FORGOTTEN_SECONDS: Final = 60 * 60.0
"""Until what is not to be had is looked for again."""
MAX_FORGOTTEN: Final = 10_000
NUMBER: Final = re.compile(r"\d{1,12}")

Kind = Literal["lora", "ti"]

log = structlog.get_logger(__name__)


class NotHad(Exception):
    """Something is neither here nor to be fetched."""


class Fetch(Protocol):
    """Fetches a file of CivitAI."""

    async def __call__(self, model: int | None, version: int | None, target: Path) -> None:
        """Have it in its place. Raises NotHad."""


@dataclass(frozen=True)
class Needed:
    """What an order needs of the library, and notes about what is not to be had."""

    adaptations: tuple[Adaptation, ...] = ()
    words: tuple[Word, ...] = ()
    notes: tuple[GenerationMetadataStable, ...] = ()
    prompt: tuple[str, str] = ("", "")
    """What is to be added to the prompt and the negative prompt."""


@dataclass
class Library:
    """Everything of this kind that the worker can serve.

    folders: where models are. kept: the folder for what is fetched, at most `max_bytes` of it.
    fetch: None where nothing is fetched.
    """

    folders: Sequence[Path]
    kept: Path
    max_bytes: int
    fetch: Fetch | None = None
    _missing: dict[tuple[Kind, str, bool], float] = field(default_factory=dict)
    _coming: dict[Path, asyncio.Task[None]] = field(default_factory=dict)

    @property
    def is_open(self) -> bool:
        """Whether there is anything that it can serve."""
        return self.fetch is not None or any(
            any((folder / name).glob("*")) for folder in self.folders for name in FOLDERS.values()
        )

    async def needed(self, payload: ModelPayloadStable) -> Needed:
        """Have ready what an order asks for. What is not to be had is left out, and noted."""
        loras, tis = payload.loras or (), payload.tis or ()
        found = await asyncio.gather(
            *(self._noted("lora", lora.name, is_version=lora.is_version) for lora in loras),
            *(self._noted("ti", ti.name, is_version=False) for ti in tis),
        )
        files, words = found[: len(loras)], found[len(loras) :]
        added = {"prompt": list[str](), "negprompt": list[str]()}
        for lora, file in zip(loras, files, strict=True):
            if isinstance(file, Path) and lora.inject_trigger and lora.inject_trigger != "any":
                added["prompt"].append(lora.inject_trigger)
        for ti, file in zip(tis, words, strict=True):
            if isinstance(file, Path) and ti.inject_ti:
                added[ti.inject_ti].append(f"(embedding:{ti.name}:{ti.strength:g})")
        return Needed(
            tuple(
                Adaptation(lora.name, file, lora.model, lora.clip)
                for lora, file in zip(loras, files, strict=True)
                if isinstance(file, Path)
            ),
            tuple(
                Word(ti.name, file)
                for ti, file in zip(tis, words, strict=True)
                if isinstance(file, Path)
            ),
            tuple(note for note in found if isinstance(note, GenerationMetadataStable)),
            (", ".join(added["prompt"]), ", ".join(added["negprompt"])),
        )

    async def _noted(
        self, kind: Kind, name: str, *, is_version: bool
    ) -> Path | GenerationMetadataStable:
        """Give a file, or the note that it is not to be had."""
        try:
            async with asyncio.timeout(FETCH_SECONDS):
                return await self._file(kind, name, is_version=is_version)
        except (NotHad, TimeoutError) as error:
            reason = str(error) or "it takes too long"
            log.info("not to be had", kind=kind, name=name, reason=reason)
            return GenerationMetadataStable(type=kind, value="download_failed", ref=name[:255])

    async def _file(self, kind: Kind, name: str, *, is_version: bool) -> Path:
        here = self._here(kind, name)
        if here is not None:
            return here
        known = (kind, name.lower(), is_version)
        if self._missing.get(known, 0) > time.monotonic():
            raise NotHad("it was not to be had a while ago")
        if self.fetch is None or not NUMBER.fullmatch(name):
            raise NotHad("it is not here")
        target = (
            self.kept / FOLDERS[kind] / f"{'version' if is_version else 'model'}-{name}.safetensors"
        )
        if target.is_file():
            target.touch()  # what was used last goes last
            return target
        try:
            await self._fetched(target, int(name), is_version=is_version)
        except NotHad:
            self._forget(known)
            raise
        return target

    def _here(self, kind: Kind, name: str) -> Path | None:
        """Find a file that people brought, by its name without the ending, in any letters."""
        wanted = name.casefold()
        for folder in self.folders:
            for path in sorted((folder / FOLDERS[kind]).glob("*")):
                if path.suffix in ENDINGS and wanted in {
                    path.stem.casefold(),
                    path.name.casefold(),
                }:
                    return path
        return None

    async def _fetched(self, target: Path, number: int, *, is_version: bool) -> None:
        """Fetch it once for all orders that want it; it goes on coming where one gives up."""
        if target not in self._coming:
            numbers = (None, number) if is_version else (number, None)
            self._coming[target] = asyncio.create_task(self._into(target, *numbers))
            self._coming[target].add_done_callback(lambda _: self._coming.pop(target, None))
        await asyncio.shield(self._coming[target])

    async def _into(self, target: Path, model: int | None, version: int | None) -> None:
        assert self.fetch is not None  # noqa: S101 - asked for above
        await asyncio.to_thread(target.parent.mkdir, parents=True, exist_ok=True)
        await self.fetch(model, version, target)
        await asyncio.to_thread(self._make_room, target)

    def _make_room(self, newest: Path) -> None:
        """Delete what was fetched and not used for longest, where all takes too much."""
        files = sorted(self.kept.glob("*/*.safetensors"), key=lambda path: path.stat().st_mtime)
        size = sum(path.stat().st_size for path in files)
        for path in files:
            if size <= self.max_bytes or path == newest:
                return
            size -= path.stat().st_size
            path.unlink(missing_ok=True)

    def _forget(self, known: tuple[Kind, str, bool]) -> None:
        if len(self._missing) >= MAX_FORGOTTEN:
            self._missing.clear()
        self._missing[known] = time.monotonic() + FORGOTTEN_SECONDS


def with_added(prompt: str, added: str) -> str:
    """Add words to a prompt."""
    return ", ".join(part for part in (prompt, added) if part)
