"""Shows pictures in the terminal: as kitty or iTerm do where it can, else in half blocks."""

import base64
import io
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from PIL import Image
from rich.color import Color
from rich.segment import Segment, Segments
from rich.style import Style

from cli import terminal
from cli.settings import TerminalSettings

MAX_CELLS: Final = 64
CHUNK: Final = 4096
"""Bytes of base64 that one command of kitty's protocol may have."""
MAX_PIXELS: Final = 768
KITTIES: Final = ("kitty", "ghostty", "wezterm", "konsole")
ITERMS: Final = ("iterm", "mintty")


def show(files: Sequence[Path]) -> None:
    """Show pictures in files."""
    for file in files:
        with Image.open(file) as picture:
            show_one(picture)


def show_one(picture: Image.Image) -> None:
    """Show a picture; nothing where the output is no terminal or has no colours."""
    if not terminal.output.is_terminal or terminal.output.no_color:
        return
    if _is_one_of(KITTIES):
        _by_kitty(_png(picture))
    elif _is_one_of(ITERMS):
        _by_iterm(_png(picture))
    else:
        terminal.output.print(Segments(list(half_blocks(picture))))


def half_blocks(picture: Image.Image) -> Iterator[Segment]:
    """The picture as characters, each of two pixels, one above the other."""
    shown = picture.convert("RGB")
    cells = min(MAX_CELLS, terminal.output.width)
    shown.thumbnail((cells, cells))
    for top in range(0, shown.height - 1, 2):
        for left in range(shown.width):
            style = Style(color=_colour(shown, left, top), bgcolor=_colour(shown, left, top + 1))
            yield Segment("▀", style)
        yield Segment.line()


def _colour(picture: Image.Image, left: int, top: int) -> Color:
    pixel = picture.getpixel((left, top))
    if not isinstance(pixel, tuple):
        raise TypeError("the picture is not in colour")
    return Color.from_rgb(*pixel[:3])


def _png(picture: Image.Image) -> str:
    """The picture as PNG, in base64."""
    written = io.BytesIO()
    shown = picture.copy()
    shown.thumbnail((MAX_PIXELS, MAX_PIXELS))
    shown.save(written, "PNG")
    return base64.b64encode(written.getvalue()).decode()


def _by_kitty(text: str) -> None:
    """Kitty's graphics protocol: a PNG in chunks, shown where the cursor is."""
    pieces = [text[at : at + CHUNK] for at in range(0, len(text), CHUNK)]
    out = terminal.output.file
    for place, piece in enumerate(pieces):
        keys = "a=T,f=100," if not place else ""
        out.write(f"\x1b_G{keys}m={int(place < len(pieces) - 1)};{piece}\x1b\\")
    out.write("\n")


def _by_iterm(text: str) -> None:
    """ITerm's inline images: one command."""
    terminal.output.file.write(f"\x1b]1337;File=inline=1;preserveAspectRatio=1:{text}\x07\n")


def _is_one_of(names: Sequence[str]) -> bool:
    settings = TerminalSettings()
    return any(one in f"{settings.term} {settings.term_program}".lower() for one in names)
