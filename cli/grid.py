"""Many pictures in one: a contact sheet, or a sheet of sprites."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from PIL import Image

from cli import pictures
from cli.exits import Exit, Failure

MAX_SIDE: Final = 16_000
"""WebP ends at 16,383 pixels."""


def write(path: Path, files: Sequence[Path], *, columns: int | None = None) -> None:
    """Write pictures side by side, all in cells of the first one's size; what is clear stays clear.

    columns: as many as rows, roughly, if it is None. Cells are made smaller if there are many.
    """
    pictures.check(path)
    across = min(columns or math.ceil(math.sqrt(len(files))), len(files))
    down = math.ceil(len(files) / across)
    with Image.open(files[0]) as first:
        width, height = first.size
    scale = min(1.0, MAX_SIDE / (across * width), MAX_SIDE / (down * height))
    width, height = max(1, int(width * scale)), max(1, int(height * scale))
    sheet = Image.new("RGBA", (across * width, down * height), (0, 0, 0, 0))
    for place, file in enumerate(files):
        try:
            with Image.open(file) as picture:
                cell = picture.convert("RGBA")
        except OSError as error:
            raise Failure(Exit.FAILED, f"{file} cannot be put into {path}: {error}") from None
        if cell.size != (width, height):
            cell.thumbnail((width, height))
        left = place % across * width + (width - cell.width) // 2
        top = place // across * height + (height - cell.height) // 2
        sheet.paste(cell, (left, top))
    pictures.save(path, sheet)
