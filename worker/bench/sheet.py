"""Draws a sheet: pictures in rows and columns, each row and column with a name."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from PIL import Image, ImageDraw, ImageFont

from worker.image.order import PictureOrder
from worker.renderer import Picture

SIDE: Final = 112
"""Pixels of a picture on a sheet."""
ASIDE, ABOVE, GAP = 118, 18, 4
"""Pixels for the names of rows and columns, and between pictures."""
LETTERS: Final = 11
SQUARE: Final = 8
"""Pixels of the squares that show through what is transparent."""

Cell = PictureOrder | Image.Image
"""What is made, or what it is made of."""


@dataclass(frozen=True)
class Sheet:
    """What is on a sheet. columns: their names. rows: by their names."""

    title: str
    columns: Sequence[str]
    rows: Mapping[str, Sequence[Cell]]

    def drawn(self, make: Callable[[PictureOrder], Picture]) -> Image.Image:
        """Make all that is on it."""
        wide = ASIDE + len(self.columns) * (SIDE + GAP)
        high = ABOVE + len(self.rows) * (SIDE + GAP)
        sheet = Image.new("RGB", (wide, high), "white")
        draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(LETTERS)
        for column, name in enumerate(self.columns):
            draw.text((ASIDE + column * (SIDE + GAP), 2), name, "black", font)
        for row, (name, cells) in enumerate(self.rows.items()):
            top = ABOVE + row * (SIDE + GAP)
            draw.multiline_text((2, top + 2), name, "black", font)
            for column, cell in enumerate(cells):
                image = cell if isinstance(cell, Image.Image) else _seen(make(cell))
                sheet.paste(_small(image), (ASIDE + column * (SIDE + GAP), top))
        return sheet


def _seen(picture: Picture) -> Image.Image:
    """Give a picture, before a chequered ground where it is transparent."""
    image = Image.frombytes("RGB", (picture.width, picture.height), picture.rgb)
    if picture.alpha is None:
        return image
    ground = Image.new("RGB", image.size, "#e0e0e0")
    draw = ImageDraw.Draw(ground)
    for top in range(0, image.height, SQUARE):
        for left in range(top % (2 * SQUARE), image.width, 2 * SQUARE):
            draw.rectangle((left, top, left + SQUARE - 1, top + SQUARE - 1), "#a8a8a8")
    return Image.composite(image, ground, Image.frombytes("L", image.size, picture.alpha))


def _small(image: Image.Image) -> Image.Image:
    """Fit a picture into its place, in its own shape."""
    small = image.convert("RGB")
    small.thumbnail((SIDE, SIDE), Image.Resampling.LANCZOS)
    if small.size == (SIDE, SIDE):
        return small
    place = Image.new("RGB", (SIDE, SIDE), "#f4f4f4")
    place.paste(small, ((SIDE - small.width) // 2, (SIDE - small.height) // 2))
    return place
