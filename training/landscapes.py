"""The places of landscapes.toml, and how their grounds are painted.

A place at a time, in a season and in one of a few variants is always the same picture: a small
model learns a few pictures of a forest well, and endless ones not at all.
"""

import math
import random
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from training.concepts import plural_of

TABLE = Path(__file__).with_name("landscapes.toml")
VARIANTS = 3
FINE = 2  # times the side at which grounds are painted, for smooth edges
GREEN_LEAD = 8  # by which green exceeds the other two in what seasons recolour

Rgb = tuple[int, int, int]

SKIES: dict[str, tuple[Rgb, Rgb]] = {
    "day": ((92, 178, 240), (214, 239, 252)),
    "sunset": ((236, 96, 74), (255, 214, 130)),
    "night": ((12, 18, 48), (44, 58, 104)),
    "storm": ((52, 58, 70), (120, 128, 140)),
    "mist": ((158, 172, 184), (214, 221, 226)),
    "space": ((5, 6, 16), (18, 14, 40)),
    "sea": ((54, 168, 222), (12, 66, 120)),
    "room": ((232, 217, 192), (232, 217, 192)),
}
"""The sky's colour at the upper edge and where it ends."""

LIGHT: dict[str, tuple[float, float, float]] = {
    "sunset": (0.92, 0.66, 0.62),
    "night": (0.3, 0.38, 0.6),
}
"""What the colours of the land are multiplied by."""


@dataclass(frozen=True)
class Prop:
    """Things that stand in a place: so many of a concept, in a row of `ROWS`."""

    concept: str
    count: int
    row: str


@dataclass(frozen=True)
class Landscape:
    """One kind of place.

    noun, also: words for it. inside: whether it is a room. sky: its own; fixed: it has no other.
    land: shape, colour and top of what is painted over the sky, from the back to the front.
    """

    key: str
    noun: str
    also: tuple[str, ...]
    inside: bool
    sky: str
    fixed: bool
    land: tuple[tuple[str, Rgb, float], ...]
    props: tuple[Prop, ...]

    @property
    def plural(self) -> str:
        """The plural of the noun."""
        return self.noun if self.noun.endswith("s") else plural_of(self.noun)


@dataclass(frozen=True)
class Place:
    """A landscape as it is in a picture. season: "summer", "autumn" or "winter"."""

    landscape: str
    sky: str
    season: str
    variant: int


@cache
def shipped() -> dict[str, Landscape]:
    """The landscapes the shipped model is trained on, by key."""
    found = {}
    for table, rows in tomllib.loads(TABLE.read_text()).items():
        for key, row in rows.items():
            found[key] = Landscape(
                key,
                row.get("called", key),
                tuple(row.get("also", ())),
                table == "inside",
                row["sky"],
                row.get("fixed", table == "inside"),
                tuple(_layer(line) for line in row["land"]),
                tuple(_prop(line) for line in row.get("props", ())),
            )
    return found


def _layer(line: str) -> tuple[str, Rgb, float]:
    shape, colour, top = line.split()
    red, green, blue = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
    return shape, (red, green, blue), float(top)


def _prop(line: str) -> Prop:
    concept, count, row = line.split()
    return Prop(concept, int(count), row)


@cache
def ground(place: Place, side: int) -> np.ndarray:
    """The place without its props: (side, side, 3), uint8."""
    landscape = shipped()[place.landscape]
    fine = side * FINE
    brush = _Brush(fine, random.Random(f"{place.landscape} {place.variant}"))
    brush.sky(*SKIES[place.sky])
    if place.sky == "night" and not landscape.fixed:
        brush.stars((255, 255, 255), 0.4)
    for shape, colour, top in landscape.land:
        if place.sky != landscape.sky and shape == "sun":
            continue
        getattr(brush, shape)(_lit(colour, place, shape), top)
    return np.asarray(brush.image.resize((side, side), Image.Resampling.BOX))


def _lit(colour: Rgb, place: Place, shape: str) -> Rgb:
    """A colour of the land in the season and the light of the place."""
    landscape = shipped()[place.landscape]
    red, green, blue = colour
    if green > max(red, blue) + GREEN_LEAD and shape not in ("aurora", "sparks", "board"):
        if place.season == "winter":
            red, green, blue = 232, 240, 246
        elif place.season == "autumn":
            red, green, blue = min(255, green + 60), int(green * 0.72), blue // 2
    if landscape.fixed or landscape.inside or place.sky == landscape.sky:
        return red, green, blue
    by = LIGHT.get(place.sky, (1.0, 1.0, 1.0))
    return int(red * by[0]), int(green * by[1]), int(blue * by[2])


class _Brush:
    """Paints the shapes of landscapes. Each method takes a colour and a place, 0 to 1."""

    def __init__(self, side: int, dice: random.Random) -> None:
        self.side, self.dice = side, dice
        self.image = Image.new("RGB", (side, side))
        self.pen = ImageDraw.Draw(self.image)

    def sky(self, upper: Rgb, lower: Rgb) -> None:
        for row in range(self.side):
            share = min(1.0, row / self.side / 0.75)
            self.pen.line([(0, row), (self.side, row)], _mixed(upper, lower, share))

    def ridge(self, colour: Rgb, top: float, *, snow: bool = False) -> None:
        """Mountains; the light comes from the left."""
        side, peaks = self.side, 2 if snow else 3
        for number in range(peaks):
            middle = (number + 0.5 + self.dice.uniform(-0.2, 0.2)) / peaks * side
            high = (top + self.dice.uniform(0, 0.1)) * side
            wide = side / peaks * self.dice.uniform(0.85, 1.1)
            foot = high + wide * 1.15
            self.pen.polygon([(middle - wide, foot), (middle, high), (middle + wide, foot)], colour)
            shade = _mixed(colour, (20, 24, 40), 0.22)
            self.pen.polygon(
                [(middle, high), (middle + wide, foot), (middle + wide * 0.2, foot)], shade
            )
            if snow:
                cap = [(-0.3, 0.3), (0, 0), (0.3, 0.3), (0.14, 0.24), (0, 0.34), (-0.14, 0.24)]
                points = [(middle + x * wide, high + y * (foot - high)) for x, y in cap]
                self.pen.polygon(points, _mixed(colour, (255, 255, 255), 0.85))
        self.pen.rectangle([0, min(1, top + 0.5) * side, side, side], colour)

    def snowridge(self, colour: Rgb, top: float) -> None:
        self.ridge(colour, top, snow=True)

    def hills(self, colour: Rgb, top: float) -> None:
        self._wave(colour, top, 0.05, self.dice.uniform(0, 6), self.dice.uniform(1.0, 1.8))

    def mound(self, colour: Rgb, top: float) -> None:
        side = self.side
        self.pen.ellipse([side * 0.06, top * side, side * 0.94, side * (top + 0.9)], colour)

    def slope(self, colour: Rgb, top: float) -> None:
        side, foot = self.side, self.side * 0.62
        points = [(0, top * side), (foot * 0.7, top * side + 8), (foot, side), (0, side)]
        self.pen.polygon(points, colour)
        self.pen.rectangle([0, top * side - 4, foot * 0.7, top * side + 10], (96, 150, 80))

    def plain(self, colour: Rgb, top: float) -> None:
        self._fade(colour, _mixed(colour, (0, 0, 0), 0.16), top)

    def floor(self, colour: Rgb, top: float) -> None:
        self.plain(colour, top)
        self.pen.rectangle([0, top * self.side, self.side, top * self.side + 5], (245, 240, 230))

    def wall(self, colour: Rgb, top: float) -> None:
        self.pen.rectangle([0, top * self.side, self.side, self.side], colour)

    def bricks(self, colour: Rgb, top: float) -> None:
        self.wall(colour, top)
        line, high = _mixed(colour, (0, 0, 0), 0.3), self.side // 8
        for row in range(9):
            self.pen.line([(0, row * high), (self.side, row * high)], line, 4)
            for column in range(5):
                x = (column + row % 2 / 2) * self.side / 4
                self.pen.line([(x, row * high), (x, row * high + high)], line, 4)

    def window(self, colour: Rgb, top: float) -> None:
        side = self.side
        left, upper = side * (0.56 + self.dice.uniform(0, 0.08)), (top - 0.06) * side
        box = [left, upper, left + side * 0.26, upper + side * 0.3]
        self.pen.rectangle(box, colour, (255, 255, 255), 6)
        self.pen.line([(left + side * 0.13, box[1]), (left + side * 0.13, box[3])], "white", 5)
        self.pen.line([(box[0], upper + side * 0.15), (box[2], upper + side * 0.15)], "white", 5)

    def board(self, colour: Rgb, top: float) -> None:
        side = self.side
        box = [side * 0.14, top * side, side * 0.86, (top + 0.34) * side]
        self.pen.rectangle(box, colour, (150, 110, 70), 8)

    def water(self, colour: Rgb, top: float) -> None:
        self._fade(_mixed(colour, (255, 255, 255), 0.18), _mixed(colour, (0, 20, 60), 0.25), top)
        light = _mixed(colour, (255, 255, 255), 0.5)
        for number in range(7):
            y = (top + (1 - top) * (number + 0.6) / 7) * self.side
            x, wide = (
                self.dice.uniform(0, 0.75) * self.side,
                self.side * self.dice.uniform(0.12, 0.3),
            )
            self.pen.line([(x, y), (x + wide, y)], light, 4)

    def river(self, colour: Rgb, top: float) -> None:
        side, bend = self.side, self.dice.choice((-1, 1)) * 0.16
        left, right = [], []
        for number in range(13):
            down = number / 12
            middle = 0.5 + bend * math.sin(down * 3.4)
            half = 0.03 + 0.2 * down
            y = (top + (1 - top) * down) * side
            left.append(((middle - half) * side, y))
            right.append(((middle + half) * side, y))
        self.pen.polygon([*left, *reversed(right)], colour)

    def road(self, colour: Rgb, top: float) -> None:
        side, upper = self.side, top * self.side
        self.pen.polygon(
            [(side * 0.45, upper), (side * 0.55, upper), (side * 0.86, side), (side * 0.14, side)],
            colour,
        )
        for number in range(3):
            y = upper + (side - upper) * (0.18 + number * 0.3)
            half = 1 + 2 * number
            self.pen.rectangle(
                [side / 2 - half, y, side / 2 + half, y + side * 0.06], (245, 235, 190)
            )

    def fall(self, colour: Rgb, top: float) -> None:
        side = self.side
        self.pen.rectangle([side * 0.38, top * side + 20, side * 0.62, side * 0.8], colour)
        for x in (0.43, 0.5, 0.56):
            self.pen.line([(side * x, top * side + 24), (side * x, side * 0.8)], (176, 214, 236), 5)

    def stripes(self, colour: Rgb, top: float) -> None:
        side, upper = self.side, top * self.side
        for number in range(-4, 5):
            x = side * (0.5 + number * 0.16)
            self.pen.line(
                [(side * (0.5 + number * 0.05), upper), (x + number * 22, side)], colour, 6
            )

    def tents(self, colour: Rgb, top: float) -> None:
        """Pyramids."""
        side = self.side
        for middle, half, shift in ((0.3, 0.3, 0.0), (0.74, 0.24, 0.09)):
            apex, foot = (middle * side, (top - 0.12 + shift) * side), side * 0.72
            left, right = (middle - half) * side, (middle + half) * side
            self.pen.polygon([(left, foot), apex, (right, foot)], colour)
            shade = _mixed(colour, (60, 40, 20), 0.35)
            self.pen.polygon([apex, (right, foot), ((middle + half * 0.25) * side, foot)], shade)

    def mesa(self, colour: Rgb, top: float) -> None:
        side = self.side
        for number in range(3):
            left = (number / 3 + self.dice.uniform(-0.06, 0.06)) * side
            wide, high = (
                side * self.dice.uniform(0.2, 0.3),
                (top + self.dice.uniform(0, 0.1)) * side,
            )
            points = [
                (left, high),
                (left + wide, high),
                (left + wide * 1.2, side),
                (left - wide * 0.2, side),
            ]
            self.pen.polygon(points, colour)
            stripe = _mixed(colour, (255, 220, 180), 0.25)
            self.pen.rectangle([left - 6, high + 22, left + wide + 6, high + 32], stripe)

    def cave(self, colour: Rgb, top: float) -> None:
        side = self.side
        mouth = (top - 0.28) * side
        self.pen.rectangle([0, 0, side, side], colour)
        self.pen.ellipse([side * 0.2, mouth, side * 0.8, side * 1.1], (150, 196, 214))
        self.pen.rectangle([0, side * 0.84, side, side], _mixed(colour, (0, 0, 0), 0.2))
        for number in range(6):
            x, low = (number + 0.5) * side / 6, side * self.dice.uniform(0.16, 0.34)
            self.pen.polygon([(x - 16, 0), (x + 16, 0), (x, low)], _mixed(colour, (0, 0, 0), 0.25))

    def city(
        self, colour: Rgb, top: float, *, window: Rgb = (226, 238, 246), lit: float = 0.7
    ) -> None:
        side, number = self.side, 7
        for place in range(number):
            left, wide = place * side / number, side / number
            high = (top + self.dice.uniform(0, 0.22)) * side
            shade = _mixed(colour, (20, 26, 46), self.dice.choice((0.0, 0.12, 0.22)))
            self.pen.rectangle([left, high, left + wide - 3, side], shade)
            for row in range(int((side * 0.9 - high) // 22)):
                for column in (0.2, 0.6):
                    if self.dice.random() < lit:
                        x, y = left + column * wide, high + 10 + row * 22
                        self.pen.rectangle([x, y, x + wide * 0.2, y + 9], window)

    def lights(self, colour: Rgb, top: float) -> None:
        self.city(colour, top, window=(255, 216, 110), lit=0.6)

    def neon(self, colour: Rgb, top: float) -> None:
        for window in ((255, 60, 190), (60, 230, 255)):
            self.city(colour, top, window=window, lit=0.5)
            top += 0.14

    def domes(self, colour: Rgb, top: float) -> None:
        side = self.side
        for middle, half, high in ((0.2, 0.17, 0.1), (0.78, 0.2, 0.04), (0.48, 0.05, -0.22)):
            upper = (top + high) * side
            box = [(middle - half) * side, upper, (middle + half) * side, upper + half * 2 * side]
            self.pen.ellipse(box, colour, (255, 255, 255), 4)
            self.pen.rectangle([box[0], upper + half * side, box[2], side], colour)

    def clouds(self, colour: Rgb, top: float) -> None:
        side = self.side
        for _ in range(2):
            x, y = (
                self.dice.uniform(0.05, 0.7) * side,
                (top + self.dice.uniform(-0.06, 0.06)) * side,
            )
            for shift, rise, radius in ((0, 0, 0.07), (0.09, -0.04, 0.1), (0.19, 0, 0.075)):
                middle, down, half = x + shift * side, y + rise * side, radius * side
                self.pen.ellipse([middle - half, down - half, middle + half, down + half], colour)
            self.pen.rectangle([x, y, x + 0.19 * side, y + 0.07 * side], colour)

    def sun(self, colour: Rgb, place: float) -> None:
        self._disc(colour, place, 0.44, 0.12)

    def moon(self, colour: Rgb, place: float) -> None:
        self._disc(colour, place, 0.24, 0.1)

    def stars(self, colour: Rgb, place: float) -> None:
        for _ in range(int(70 * place)):
            x, y = self.dice.uniform(0, self.side), self.dice.uniform(0, self.side * 0.7)
            half = self.dice.choice((1.5, 2, 3))
            self.pen.ellipse([x - half, y - half, x + half, y + half], colour)

    def rain(self, colour: Rgb, place: float) -> None:
        for _ in range(int(80 * place)):
            x, y = self.dice.uniform(0, self.side), self.dice.uniform(0, self.side)
            self.pen.line([(x, y), (x - 8, y + 28)], colour, 3)

    def snow(self, colour: Rgb, place: float) -> None:
        for _ in range(int(90 * place)):
            x, y = self.dice.uniform(0, self.side), self.dice.uniform(0, self.side)
            self.pen.ellipse([x - 4, y - 4, x + 4, y + 4], colour)

    def mist(self, colour: Rgb, top: float) -> None:
        layer = Image.new("L", self.image.size, 0)
        box = [-20, (top - 0.1) * self.side, self.side + 20, (top + 0.14) * self.side]
        ImageDraw.Draw(layer).rectangle(box, 150)
        soft = layer.filter(ImageFilter.GaussianBlur(self.side // 14))
        self.image.paste(colour, (0, 0), soft)

    def aurora(self, colour: Rgb, place: float) -> None:
        layer = Image.new("L", self.image.size, 0)
        pen, side = ImageDraw.Draw(layer), self.side
        points = [(x * side / 8, (place + 0.12 * math.sin(x * 0.9 + 1)) * side) for x in range(9)]
        pen.line(points, 220, side // 7)
        self.image.paste(colour, (0, 0), layer.filter(ImageFilter.GaussianBlur(side // 14)))

    def rays(self, colour: Rgb, place: float) -> None:
        layer, side = Image.new("L", self.image.size, 0), self.side
        pen = ImageDraw.Draw(layer)
        for x in (0.2, place, 0.8):
            pen.polygon(
                [
                    (x * side - 8, 0),
                    (x * side + 8, 0),
                    (x * side + 50, side),
                    (x * side - 50, side),
                ],
                90,
            )
        self.image.paste(colour, (0, 0), layer)

    def sparks(self, colour: Rgb, place: float) -> None:
        side, y = self.side, self.dice.uniform(0.22, 0.4) * self.side
        for number in range(14):
            angle = number * math.tau / 14
            for inner, outer in ((0.05, 0.1), (0.13, 0.18)):
                ends = [
                    (place * side + math.cos(angle) * side * far, y + math.sin(angle) * side * far)
                    for far in (inner, outer)
                ]
                self.pen.line(ends, colour, 5)

    def _disc(self, colour: Rgb, x: float, y: float, radius: float) -> None:
        x, y, half = x * self.side, y * self.side, radius * self.side
        self.pen.ellipse([x - half, y - half, x + half, y + half], colour)

    def _fade(self, upper: Rgb, lower: Rgb, top: float) -> None:
        first = int(top * self.side)
        for row in range(first, self.side):
            share = (row - first) / max(1, self.side - first)
            self.pen.line([(0, row), (self.side, row)], _mixed(upper, lower, share))

    def _wave(self, colour: Rgb, top: float, height: float, start: float, waves: float) -> None:
        side = self.side
        edge = [
            (x * side / 32, (top + height * math.sin(start + x / 32 * waves * math.tau)) * side)
            for x in range(33)
        ]
        self.pen.polygon([*edge, (side, side), (0, side)], colour)


def _mixed(first: Rgb, second: Rgb, share: float) -> Rgb:
    """The first colour with so large a share of the second."""
    red, green, blue = (
        round(one * (1 - share) + other * share) for one, other in zip(first, second, strict=True)
    )
    return red, green, blue
