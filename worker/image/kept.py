"""Loaded models that are kept for the orders to come. In the engine process only: uses torch.

Checkpoints, and the control networks that go with them: as many as fit. What is free is measured,
not guessed, and a part of all memory stays free for what pictures take while they are made. On a
GPU a model that has to go is parked in the machine's own memory first, from which it is back in a
moment. What goes first is what is asked for least, for what it would cost to load it again and the
room that it takes.
"""

import gc
import math
import os
import time
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Protocol

import torch

from worker.image.order import Checkpoint, ControlNetwork
from worker.renderer import Held

RESERVED: Final = 0.3
"""Of all memory: for pictures in the making, other programs, and errors of estimation."""
HALF_LIFE_SECONDS: Final = 900.0
"""After which an order counts for half of what is asked for."""
MEGABYTE: Final = 2**20
MEMINFO: Final = Path("/proc/meminfo")


Keepable = Checkpoint | ControlNetwork
"""What something is loaded of."""


class InMemory(Protocol):
    """Something that is loaded."""

    @property
    def size(self) -> int:
        """Bytes of its weights."""

    def to(self, device: str) -> object:
        """Move it to another device."""


@dataclass
class _Kept:
    """One of them. asked: how often it was asked for, as it counts at `at`."""

    loaded: InMemory
    bytes: int
    seconds: float
    is_parked: bool = False
    asked: float = 0.0
    at: float = field(default_factory=time.monotonic)

    def ask(self) -> None:
        """It is asked for once more."""
        self.asked, self.at = self.demand + 1, time.monotonic()

    @property
    def demand(self) -> float:
        """How much it is asked for of late."""
        halvings = (time.monotonic() - self.at) / HALF_LIFE_SECONDS
        return self.asked * math.exp2(-halvings)

    @property
    def worth(self) -> float:
        """Seconds of loading that a byte for it saves."""
        return self.demand * self.seconds / max(1, self.bytes)


class KeptModels:
    """The models of one device."""

    def __init__(self, device: str) -> None:
        self._device = device
        self._is_cpu = device == "cpu"
        self._kept: dict[Keepable, _Kept] = {}

    def __contains__(self, model: Keepable) -> bool:
        """Whether it need not be loaded."""
        return model in self._kept

    def held(self) -> tuple[Held, ...]:
        """Name them."""
        return tuple(
            Held(_name(model), kept.bytes, kept.is_parked) for model, kept in self._kept.items()
        )

    def get(self, model: Keepable, *, beside: Keepable | None = None) -> InMemory | None:
        """Give a model on its device; None where it has to be loaded.

        beside: what it is to work with, which stays where it is.
        """
        kept = self._kept.get(model)
        if kept is None:
            return None
        kept.ask()
        if kept.is_parked:
            self._make_room_on_device(kept.bytes, keeping={model, beside})
            kept.loaded.to(self._device)
            kept.is_parked = False
        return kept.loaded

    def put(self, model: Keepable, loaded: InMemory, seconds: float) -> None:
        """Keep a model that was just loaded, which took so long."""
        kept = self._kept[model] = _Kept(loaded, loaded.size, seconds)
        kept.ask()

    def make_room(self, model: Keepable, *, beside: Keepable | None = None) -> None:
        """Let go of as much as a model needs that is about to be loaded; beside: see `get`."""
        needed = model.megabytes * MEGABYTE
        if not self._is_cpu:
            self._make_room_on_device(needed, keeping={model, beside})
        while memory("cpu").free < needed + memory("cpu").reserved:
            here = [one for one, kept in self._kept.items() if kept.is_parked or self._is_cpu]
            if not (least := self._least(one for one in here if one != beside)):
                return
            self.drop(least)

    def drop(self, model: Keepable) -> None:
        """Let go of a model."""
        if self._kept.pop(model, None) is not None:
            _collect(self._device)

    def drop_all(self, *, but: Keepable | None = None) -> None:
        """Let go of all of them, or of all others."""
        self._kept = {one: kept for one, kept in self._kept.items() if one == but}
        _collect(self._device)

    def _make_room_on_device(self, needed: int, *, keeping: Collection[Keepable | None]) -> None:
        while memory(self._device).free < needed + memory(self._device).reserved:
            there = (one for one, kept in self._kept.items() if not kept.is_parked)
            if not (least := self._least(one for one in there if one not in keeping)):
                return
            self._park(least)

    def _park(self, model: Keepable) -> None:
        """Move a model into the machine's memory, or let go of it where that is full, too."""
        kept = self._kept[model]
        if self._is_cpu or memory("cpu").free < kept.bytes + memory("cpu").reserved:
            self.drop(model)
            return
        kept.loaded.to("cpu")
        kept.is_parked = True
        _collect(self._device)

    def _least(self, of: Iterable[Keepable]) -> Keepable | None:
        return min(of, key=lambda one: self._kept[one].worth, default=None)


def _name(model: Keepable) -> str:
    return model.name if isinstance(model, Checkpoint) else model.place.stem


@dataclass(frozen=True)
class Memory:
    """Bytes of a device's memory."""

    free: int
    total: int

    @property
    def reserved(self) -> int:
        """What is to stay free."""
        return round(RESERVED * self.total)


def memory(device: str) -> Memory:
    """Measure a device's memory; none is free where that cannot be told."""
    if device == "cuda":
        free, total = torch.cuda.mem_get_info()
        unused = torch.cuda.memory_reserved() - torch.cuda.memory_allocated()
        return Memory(free + unused, total)
    if device == "mps":
        total = torch.mps.recommended_max_memory()
        return Memory(total - torch.mps.driver_allocated_memory(), total)
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    try:
        lines = dict(line.split(":", 1) for line in MEMINFO.read_text().splitlines())
        return Memory(int(lines["MemAvailable"].split()[0]) * 1024, total)
    except (OSError, KeyError, ValueError):
        return Memory(0, total)


def _collect(device: str) -> None:
    gc.collect()
    if device == "cuda":
        torch.cuda.empty_cache()
