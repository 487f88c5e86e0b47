"""Names the programs that can be asked, and the models that they have."""

from dataclasses import dataclass
from typing import Final, Literal, get_args
from urllib.parse import urlsplit

from worker.image.order import Checkpoint
from worker.text.order import LanguageModel

ImageServer = Literal["a1111", "comfyui"]
TextServer = Literal["koboldcpp", "openai"]

NATIVE: Final = 512
MULTIPLE: Final = 8
"""Pixels: what each of them makes sides of."""


class NoServer(Exception):
    """The setting names no program that is known."""


class NotAnswering(Exception):
    """The program is not there, or is another."""


@dataclass(frozen=True)
class Server:
    """A program of somebody's, and where it listens. url: without a slash at the end."""

    kind: str
    url: str

    def __str__(self) -> str:
        return f"{self.kind} at {self.url}"


@dataclass(frozen=True, kw_only=True)
class ServedPainter(Checkpoint):
    """A model of a program that makes pictures. theirs: what that calls it."""

    server: Server
    theirs: str


@dataclass(frozen=True, kw_only=True)
class ServedWriter(LanguageModel):
    """A model of a program that writes texts. theirs: what that calls it."""

    server: Server
    theirs: str


def image_server(setting: str) -> Server:
    """Read `a1111=URL` or `comfyui=URL`. Raises NoServer."""
    return _server(setting, get_args(ImageServer))


def text_server(setting: str) -> Server:
    """Read `koboldcpp=URL` or `openai=URL`. Raises NoServer."""
    return _server(setting, get_args(TextServer))


def _server(setting: str, kinds: tuple[str, ...]) -> Server:
    kind, _, url = setting.partition("=")
    parts = urlsplit(url)
    if kind not in kinds or parts.scheme not in {"http", "https"} or not parts.hostname:
        raise NoServer(f"{setting!r} is no server: {' or '.join(f'{one}=URL' for one in kinds)}")
    return Server(kind, url.rstrip("/"))


def named(wanted: list[str] | None, theirs: list[str]) -> dict[str, str]:
    """Say under which names a program's models are offered: the horde's name to theirs.

    wanted: `NAME=THEIRS` or `THEIRS` each; None: all of them, under their names.
    A model's file ending and what stands before a slash may be left out.
    """
    if wanted is None:
        return {_short(one): one for one in theirs}
    short = {_short(one).casefold(): one for one in reversed(theirs)}
    found = {}
    for one in wanted:
        name, _, place = one.rpartition("=")
        match = next((their for their in theirs if their == place), None)
        match = match or short.get(_short(place).casefold())
        if match is not None:
            found[name or place] = match
    return found


def _short(name: str) -> str:
    last = name.replace("\\", "/").rpartition("/")[2].partition(" [")[0]
    return last.removesuffix(".safetensors").removesuffix(".ckpt")
