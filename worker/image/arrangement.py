"""Where the things of a scene stand in a picture: their sizes, and what is before what.

Lengths are shares of the shorter side. The first picture's place is a square in the middle of the
frame, so what stands on its ground keeps its height in frames of other shapes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from worker.image.layering import Table
from worker.image.scene import Scene

SIDE_BY_SIDE: Final = (0.52, 0.46, 0.32, 0.28, 0.24, 0.21)
"""The size of one of so many things beside one another."""
MIDDLE: Final = 0.78
"""Of a thing that has plain ground or the air to itself, with what is on it."""
SMALL: Final = 0.7
LARGE: Final = 1.25
HEAVENLY: Final = 0.3
ALOFT: Final = 0.42
ABOVE: Final = 0.28
"""How high the middle of what flies is."""
HIGH: Final = 0.42
"""The same of what is said to fly, and has the picture to itself."""
RIDER: Final = 0.62
"""Of what it is on, at least."""
FREE: Final = 0.03
"""What stays free around everything."""
LARGEST: Final = 0.8
SHARED: Final = 0.5
"""The longest side of something, at most, and of one of two above one another."""
SKY: Final = (0.8, 0.2, 0.5, 0.65, 0.35, 0.9)
"""Where the sun and clouds are, from left to right."""


@dataclass(frozen=True)
class Shape:
    """The outline of a thing, as shares of the square in which the model draws any thing.

    below: what is free between it and the square's lower edge. aside: how far it is to the right of
    the square's middle.
    """

    width: float
    height: float
    below: float
    aside: float = 0.0


@dataclass(frozen=True)
class Placed:
    """A thing in its place.

    thing: its index in the scene. number: which one of several.
    x: its middle. bottom: its lower edge. width, height. depth: what is deeper is behind.
    stands: whether it has a shadow.
    """

    thing: int
    number: int
    x: float
    bottom: float
    width: float
    height: float
    depth: float
    stands: bool

    @property
    def top(self) -> float:
        """Its upper edge."""
        return self.bottom - self.height


def arranged(
    scene: Scene, table: Table, shapes: Sequence[Shape], *, width: float, height: float
) -> list[Placed]:
    """Place everything in a frame of this width and height; the first is what is deepest.

    shapes: of each thing as it was drawn.
    """
    return _Arrangement(scene, table, shapes, width, height).placed()


def held(scene: Scene, table: Table) -> dict[int, tuple[int, str]]:
    """Which things have their place by another one, and how: "on", "in", "worn" ….

    No thing has its place by itself, however many are between.
    """
    found: dict[int, tuple[int, str]] = {}
    for index, thing in enumerate(scene.things):
        if thing.to is None:
            continue
        first, how = thing.to, thing.how
        if how == "with" and thing.name in table.worn:
            by = index, first, "worn"
        elif how in {"breathing", "of"}:
            by = index, first, "breathing" if how == "breathing" else "in"
        elif how == "before" or (how == "on" and thing.name in table.swallowing):
            by = index, first, "behind"
        elif how in {"on", "in", "behind"} and first not in found:
            by = first, index, how
        else:
            continue
        held_one, base, where = by
        if held_one not in _chain(found, base):
            found[held_one] = base, where
    return found


def _chain(found: Mapping[int, tuple[int, str]], base: int) -> list[int]:
    """Give a thing, the one by which it has its place, and so on."""
    chain = [base]
    while chain[-1] in found:
        chain.append(found[chain[-1]][0])
    return chain


@dataclass
class _Arrangement:
    scene: Scene
    table: Table
    shapes: Sequence[Shape]
    width: float
    height: float
    held: Mapping[int, tuple[int, str]] = field(init=False)

    def __post_init__(self) -> None:
        self.held = held(self.scene, self.table)

    def placed(self) -> list[Placed]:
        free = [index for index in range(len(self.scene.things)) if index not in self.held]
        aloft = [index for index in free if self._is_aloft(index)]
        bases = {base for base, _ in self.held.values()}  # what others are by is among them
        heavenly = [
            index for index in free if index not in {*aloft, *bases} and self._is_heavenly(index)
        ]
        standing = [index for index in free if index not in aloft and index not in heavenly]
        floats = self.scene.place is None or self.table.setting(self.scene.place).floats
        if not standing:  # what is above anything has all of the air
            standing, aloft, heavenly = (aloft, [], heavenly) if aloft else (heavenly, [], [])
            floats = True
        made = self._row(standing, floats=floats, shared=bool(aloft))
        made += self._above(aloft)
        waiting = dict(self.held)
        while waiting:
            done = {one.thing for one in made}
            index = next(each for each, (base, _) in waiting.items() if base in done)
            base, how = waiting.pop(index)
            made += self._by(index, how, next(one for one in made if one.thing == base))
        made = self._fitting(made, in_the_middle=self.scene.place is None)
        made += self._in_the_sky(heavenly)
        return sorted(made, key=lambda one: -one.depth)

    def _is_aloft(self, index: int) -> bool:
        thing = self.scene.things[index]
        is_over = any(each.to == index and each.how == "over" for each in self.scene.things)
        flies = self.scene.place is not None and thing.name in self.table.flying
        return thing.aloft or is_over or thing.how == "under" or flies

    def _is_heavenly(self, index: int) -> bool:
        thing = self.scene.things[index]
        is_told = self.scene.place is not None or thing.how is not None
        return is_told and thing.name in self.table.heavenly

    def _size(self, index: int, usual: float) -> float:
        """How large it is drawn: by what it is, among others of another size."""
        thing, names = self.scene.things[index], {one.name for one in self.scene.things}
        if thing.name in self.table.small and not names <= self.table.small:
            return usual * thing.size * SMALL
        if thing.name in self.table.large and not names <= self.table.large:
            return usual * thing.size * LARGE
        return usual * thing.size

    def _each(self, indices: Sequence[int]) -> list[tuple[int, int]]:
        """All of them, as many as there are of each."""
        return [(index, n) for index in indices for n in range(self.scene.things[index].count)]

    def _row(self, standing: Sequence[int], *, floats: bool, shared: bool) -> list[Placed]:
        """Things beside one another. shared: whether something is above them."""
        columns = self._each(sorted(standing, key=self._side))
        many = len(columns)
        usual = SIDE_BY_SIDE[min(many, len(SIDE_BY_SIDE)) - 1] * min(1.3, self.width)
        is_plain = self.scene.place is None
        if is_plain and many == 1:
            usual = MIDDLE
        most = min(0.94 * self.width / max(many, 1), SHARED if shared else LARGEST)
        feet = (self.height - 1) / 2 + self.table.setting(self.scene.place).feet
        row = []
        for column, (index, number) in enumerate(columns):
            x = self.width * (0.5 + ((column + 0.5) / many - 0.5) * 0.94)
            side = self.scene.things[index].side
            if many == 1 and side is not None:
                x = self.width * (0.27 if side == "left" else 0.73)
            size = min(self._size(index, usual), most)
            foot = self.height / 2 + size / 2 if is_plain else feet
            if self.scene.things[index].aloft:
                foot = (self.height - 1) / 2 + HIGH + size / 2
            foot -= size * self.shapes[index].below
            x += size * self.shapes[index].aside
            row.append(replace(self._box(index, number, x, foot, size), stands=not floats))
        return row

    def _side(self, index: int) -> int:
        thing = self.scene.things[index]
        if thing.side is not None:
            return -1 if thing.side == "left" else 1
        return int(any(each.to == index and each.how == "right" for each in self.scene.things))

    def _box(self, index: int, number: int, x: float, bottom: float, size: float) -> Placed:
        shape = self.shapes[index]
        width, height = size * shape.width, size * shape.height
        return Placed(index, number, x, bottom, width, height, depth=0.0, stands=False)

    def _above(self, aloft: Sequence[int]) -> list[Placed]:
        columns = self._each(aloft)
        made = []
        for column, (index, number) in enumerate(columns):
            x = self.width * (column + 0.5) / len(columns)
            size = min(self._size(index, ALOFT), SHARED, 0.94 * self.width / len(columns))
            one = self._box(index, number, x, 0.0, size)
            middle = (self.height - 1) / 2 + ABOVE
            made.append(replace(one, bottom=middle + one.height / 2, depth=1.0))
        return made

    def _in_the_sky(self, heavenly: Sequence[int]) -> list[Placed]:
        made = []
        for (index, number), x in zip(self._each(heavenly), SKY, strict=False):
            is_wide = self.scene.things[index].name == "rainbow"
            one = self._box(index, number, 0.0, 0.0, 0.8 if is_wide else HEAVENLY)
            at = 0.5 if is_wide else x
            made.append(replace(one, x=at * self.width, bottom=0.06 + one.height, depth=9.0))
        return made

    def _by(self, index: int, how: str, base: Placed) -> list[Placed]:
        """Put a thing on another one, into it, before it, behind it."""
        thing, name = self.scene.things[index], self.scene.things[base.thing].name
        longest = max(base.width, base.height)
        longest /= max(self.shapes[index].width, self.shapes[index].height)
        x, bottom, depth = base.x, base.bottom, base.depth - 1
        share = RIDER * thing.size * (SMALL if thing.name in self.table.small else 1.0)
        if how == "on":
            bottom = base.top + self.table.seats.get(name, 0.1) * base.height
        elif how == "worn":
            share = 0.62 * base.width / longest
            bottom = base.top + self.table.worn[thing.name] * base.height
        elif how == "breathing":
            share, x = 0.55, base.x - base.width / 2 - 0.2 * longest
            bottom = base.top + 0.62 * base.height
        elif how == "behind":
            share, depth, bottom = 1.35, base.depth + 1, base.bottom + 0.02
            if thing.name not in self.table.swallowing:
                x, bottom = x + 0.2 * base.width, bottom - 0.08
        elif name in self.table.large:
            share, bottom = 0.5 * thing.size, base.bottom + 0.03
        else:
            share, bottom = 0.75 * thing.size, base.top + 0.3 * base.height
            depth = base.depth + 1
        spread = 0.5 * base.width
        made = []
        for number in range(thing.count):
            aside = (number + 0.5) / thing.count - 0.5
            one = self._box(index, number, x + aside * spread, bottom, share * longest)
            made.append(replace(one, depth=depth))
        return made

    def _fitting(self, made: list[Placed], *, in_the_middle: bool) -> list[Placed]:
        """Shrink it all to what the frame has room for."""
        left, right = (
            min(one.x - one.width / 2 for one in made),
            max(one.x + one.width / 2 for one in made),
        )
        top, bottom = min(one.top for one in made), max(one.bottom for one in made)
        room = bottom - FREE if not in_the_middle else self.height - 2 * FREE
        scale = min(1.0, room / (bottom - top), (self.width - 2 * FREE) / (right - left))
        across = self.width / 2 if scale < 1 else (left + right) / 2
        moved = across - (left + right) / 2
        if scale == 1 and not FREE <= left <= right <= self.width - FREE:
            moved = max(FREE - left, 0) + min(self.width - FREE - right, 0)
        down = (self.height / 2 - (top + bottom) / 2) if in_the_middle else 0.0
        middle = (left + right) / 2
        foot = bottom if not in_the_middle else (top + bottom) / 2
        return [
            replace(
                one,
                x=middle + (one.x - middle) * scale + moved,
                bottom=foot + (one.bottom - foot) * scale + down,
                width=one.width * scale,
                height=one.height * scale,
            )
            for one in made
        ]
