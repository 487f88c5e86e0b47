"""What stands where in a picture: scenes planned from a number alone, before anything is painted.

The same index always gives the same scene, on any machine. One sixth of all pairs of a concept
and a background colour is held out: `plan` never makes one for training, so that evaluation can
ask for combinations the model has not seen.
"""

import hashlib
import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from training import landscapes
from training.landscapes import Landscape, Place

COLOURS = {
    "white": (255, 255, 255),
    "black": (18, 18, 22),
    "red": (214, 48, 49),
    "orange": (240, 147, 43),
    "yellow": (250, 215, 70),
    "green": (46, 160, 80),
    "blue": (45, 100, 220),
    "purple": (130, 70, 190),
    "pink": (250, 160, 200),
    "gray": (140, 145, 150),
    "brown": (120, 80, 50),
    "turquoise": (60, 190, 190),
}
"""Colour words, and sRGB values 0 to 255, for backgrounds and recoloured things."""

NEVER_RECOLOURED = frozenset({"person", "creature", "body", "face"})

SEASONAL = frozenset({"tree", "pine"})  # concepts that the seasons recolour
PLAIN_STYLE = "flat"  # of a picture without a thing

HELD_OUT_SHARE = 6  # one pair in so many

TINTED_SHARE = 0.16  # of things, recoloured
WHITE_SHARE = 0.15  # of backgrounds, beside white's part of the rest
GRADIENT_SHARE = 0.12  # of backgrounds
BESIDE_SHARE = 0.7  # of pairs; the others stand above one another
ARRANGEMENTS = {
    "centred": 0.36,
    "placed": 0.05,
    "counted": 0.1,
    "paired": 0.12,
    "empty": 0.02,
    "landscape": 0.15,
    "amid": 0.2,
}
OWN_SKY_SHARE = 0.7  # of landscapes that have others: as they are by day; the rest: night, sunset
SUMMER_SHARE = 0.7  # of landscapes outside; the rest: winter, autumn

JUDGED_OUTDOORS = 0.4  # of the classifier's scenes, where it is shown landscapes
JUDGED_COUNTED = 0.25  # of the others, two or three of the thing

FRAMES: Final = {"square": (1.0, 1.0), "tall": (0.6, 1.0), "wide": (1.0, 0.6)}
"""Width and height of a picture, of the longer side."""
LONG: Final = 1.25
"""The longer side of a picture that is not square, of a square one's: about as many pixels."""

ROWS: Final = {
    "far": (0.57, 0.2),
    "back": (0.6, 0.34),
    "front": (0.8, 0.4),
    "up": (0.25, 0.3),
    "middle": (0.55, 0.6),
}
"""Height in the picture, and size, of the rows in which the props of a landscape stand."""
AMID: Final = (0.66, 0.52)
"""The same for a thing in a landscape."""


@dataclass(frozen=True)
class Icon:
    """One picture of the data: its place in the pack, what it shows, in which style."""

    index: int
    concept: str
    kind: str
    style: str


@dataclass(frozen=True)
class Item:
    """An icon in a scene. x, y: centre, 0 to 1 of the side; size: side, 0 to 1 of the scene's."""

    icon: Icon
    x: float
    y: float
    size: float
    tint: str | None = None


@dataclass(frozen=True)
class Scene:
    """A picture before it is painted.

    layout: "centre", "small", "large", "left", "right", "top", "bottom", "two", "three" (of one
        thing), "beside", "above" (of two things, the first left of or above the second), "empty"
        and "landscape" (without any), "amid" (of one thing in a landscape).
    ground: colour of the background; ground_to: colour it fades into at the lower edge, or None.
    place: the landscape instead of such a background. props: what stands in it.
    frame: one of `FRAMES`; positions and sizes are those of a square around it.
    """

    items: tuple[Item, ...]
    layout: str
    ground: str
    ground_to: str | None
    place: Place | None = None
    props: tuple[Item, ...] = ()
    frame: str = "square"

    @property
    def style(self) -> str:
        """The style all items share."""
        return self.items[0].icon.style if self.items else PLAIN_STYLE


def held_out(concept: str, colour: str) -> bool:
    """Whether this concept on this background colour is kept from training. Never for white."""
    if colour == "white":
        return False
    digest = hashlib.sha256(f"{concept} on {colour}".encode()).digest()
    return digest[0] % HELD_OUT_SHARE == 0


def held_apart(concept: str, landscape: str) -> bool:
    """Whether this concept is never shown in that landscape in training."""
    digest = hashlib.sha256(f"{concept} amid {landscape}".encode()).digest()
    return digest[0] % HELD_OUT_SHARE == 0


class Planner:
    """Plans scenes of the icons given. seed: another seed gives another series of scenes."""

    def __init__(self, icons: Sequence[Icon], *, seed: int = 0) -> None:
        self.icons = list(icons)
        self.seed = seed
        self.styles = sorted({icon.style for icon in icons})
        self._by_style: dict[str, list[Icon]] = {style: [] for style in self.styles}
        by_concept: dict[str, list[Icon]] = {}
        for icon in self.icons:
            self._by_style[icon.style].append(icon)
            by_concept.setdefault(icon.concept, []).append(icon)
        self._by_concept = list(by_concept.values())

    def plan(self, index: int, *, unseen: bool = False, frame: str = "square") -> Scene:
        """The scene of this number.

        unseen: make a held-out pair (one thing in the middle of a plain background) instead of
            a scene for training.
        frame: the shape of the picture.
        """
        dice = random.Random(f"{self.seed}:{'unseen' if unseen else 'train'}:{index}")
        icon = self._any(dice)
        if unseen:
            grounds = [name for name in COLOURS if held_out(icon.concept, name)]
            while not grounds:
                icon = self._any(dice)
                grounds = [name for name in COLOURS if held_out(icon.concept, name)]
            return Scene(_centre(dice, icon, None), "centre", dice.choice(grounds), None)
        arrangement = dice.choices(list(ARRANGEMENTS), list(ARRANGEMENTS.values()))[0]
        if arrangement == "empty":
            return Scene((), "empty", "white", None, frame=frame)
        if arrangement in ("landscape", "amid"):
            return self._outdoors(dice, icon if arrangement == "amid" else None, frame)
        layout, items = self._arrange(dice, icon, arrangement)
        grounds = [
            name
            for name in COLOURS
            if not any(held_out(item.icon.concept, name) or item.tint == name for item in items)
        ]
        ground = dice.choice(grounds)
        if "white" in grounds and chance(dice, WHITE_SHARE):
            ground = "white"
        ground_to = dice.choice(grounds) if chance(dice, GRADIENT_SHARE) else None
        ground_to = None if ground_to == ground else ground_to
        framed = tuple(_framed(item, frame) for item in items)
        return Scene(framed, layout, ground, ground_to, frame=frame)

    def judged(self, index: int, *, places: bool = False) -> Scene:
        """A scene for the classifier, held out or not.

        One thing on a plain background, or two or three of it; of places, also landscapes, with a
        thing and without.
        """
        dice = random.Random(f"{self.seed}:judged:{index}")
        icon = self._any(dice)
        if places and chance(dice, JUDGED_OUTDOORS):
            landscape = dice.choice(list(landscapes.shipped().values()))
            place = _at_some_time(dice, landscape)
            return self.outdoors(icon if chance(dice, 0.5) else None, place)
        tint = _tint(dice, icon)
        layout, items = "centre", _centre(dice, icon, tint)
        if chance(dice, JUDGED_COUNTED):
            layout, items = _counted(dice, icon, tint)
        grounds = [name for name in COLOURS if name != tint]
        return Scene(items, layout, dice.choice(grounds), None)

    def _any(self, dice: random.Random) -> Icon:
        """Any concept, each as often as another, in any of its styles."""
        return dice.choice(dice.choice(self._by_concept))

    def outdoors(self, icon: Icon | None, place: Place, frame: str = "square") -> Scene:
        """A landscape with its props, and a thing in it, if any."""
        landscape = landscapes.shipped()[place.landscape]
        style = icon.style if icon is not None else PLAIN_STYLE
        props = self._props(landscape, place, style, clear=icon is not None, frame=frame)
        if icon is None:
            return Scene((), "landscape", "white", None, place, props, frame)
        item = _framed(Item(icon, 0.5, *AMID), frame)
        return Scene((item,), "amid", "white", None, place, props, frame)

    def _outdoors(self, dice: random.Random, icon: Icon | None, frame: str) -> Scene:
        places = list(landscapes.shipped().values())
        landscape = dice.choice(places)
        while icon is not None and held_apart(icon.concept, landscape.key):
            landscape = dice.choice(places)
        return self.outdoors(icon, _at_some_time(dice, landscape), frame)

    def _props(
        self, landscape: Landscape, place: Place, style: str, *, clear: bool, frame: str
    ) -> tuple[Item, ...]:
        """The things of a landscape. clear: leave out those in the way of another."""
        dice = random.Random(f"props {landscape.key} {place.variant}")
        found = []
        for prop in landscape.props:
            icons = [icon for icon in self.icons if icon.concept == prop.concept]
            icon = next(
                (each for each in icons if each.style == style), icons[0] if icons else None
            )
            height, size = ROWS[prop.row]
            shifts = [_jitter(dice, 0.03) for _ in range(prop.count)]
            if icon is None or (clear and prop.row in ("front", "middle")):
                continue
            for number, shift in enumerate(shifts):
                x = (number + 0.5) / prop.count + shift
                tint = _season_tint(icon, place.season)
                found.append(_framed(Item(icon, x, height + shift, size, tint=tint), frame))
        return tuple(found)

    def _arrange(
        self, dice: random.Random, icon: Icon, arrangement: str
    ) -> tuple[str, tuple[Item, ...]]:
        """A layout and its items for a first icon."""
        tint = _tint(dice, icon)
        if arrangement == "centred":
            return "centre", _centre(dice, icon, tint)
        if arrangement == "placed":
            return _placed(dice, icon, tint)
        if arrangement == "counted":
            return _counted(dice, icon, tint)
        others = [other for other in self._by_style[icon.style] if other.concept != icon.concept]
        return _paired(dice, icon, dice.choice(others or [icon]), tint)


def chance(dice: random.Random, share: float) -> bool:
    """True in so large a share of throws, 0 to 1."""
    return dice.random() < share


def _tint(dice: random.Random, icon: Icon) -> str | None:
    """A colour to recolour the icon in, mostly none; never for people."""
    if icon.kind in NEVER_RECOLOURED or not chance(dice, TINTED_SHARE):
        return None
    return dice.choice(list(COLOURS))


def _jitter(dice: random.Random, amount: float) -> float:
    return dice.uniform(-amount, amount)


def _at_some_time(dice: random.Random, landscape: Landscape) -> Place:
    """The landscape by day or night, in some season, as far as it has these."""
    sky, season = landscape.sky, "summer"
    if not landscape.fixed:
        if not chance(dice, OWN_SKY_SHARE):
            sky = dice.choice(("night", "night", "sunset"))
        if not chance(dice, SUMMER_SHARE):
            season = dice.choice(("autumn", "winter"))
    return Place(landscape.key, sky, season, dice.randrange(landscapes.VARIANTS))


def _framed(item: Item, frame: str) -> Item:
    """The item where it stands in a picture of that shape: nearer to the middle, and smaller."""
    if frame == "square":
        return item
    wide, high = FRAMES[frame]
    x, y = 0.5 + (item.x - 0.5) * wide, 0.5 + (item.y - 0.5) * high
    return Item(item.icon, x, y, item.size * min(wide, high), tint=item.tint)


def _season_tint(icon: Icon, season: str) -> str | None:
    """Trees are orange in autumn and white in winter."""
    if icon.concept not in SEASONAL:
        return None
    return {"autumn": "orange", "winter": "white"}.get(season)


def _centre(dice: random.Random, icon: Icon, tint: str | None) -> tuple[Item, ...]:
    x, y = 0.5 + _jitter(dice, 0.02), 0.5 + _jitter(dice, 0.02)
    return (Item(icon, x, y, dice.uniform(0.8, 0.92), tint=tint),)


def _placed(dice: random.Random, icon: Icon, tint: str | None) -> tuple[str, tuple[Item, ...]]:
    places = {
        "small": (0.5, 0.5, 0.42),
        "large": (0.5, 0.5, 1.1),
        "left": (0.27, 0.5, 0.48),
        "right": (0.73, 0.5, 0.48),
        "top": (0.5, 0.27, 0.48),
        "bottom": (0.5, 0.73, 0.48),
    }
    layout = dice.choice(list(places))
    x, y, size = places[layout]
    item = Item(icon, x + _jitter(dice, 0.02), y + _jitter(dice, 0.02), size, tint=tint)
    return layout, (item,)


def _counted(dice: random.Random, icon: Icon, tint: str | None) -> tuple[str, tuple[Item, ...]]:
    layout = dice.choice(["two", "three"])
    centres = (0.27, 0.73) if layout == "two" else (0.19, 0.5, 0.81)
    size = 0.46 if layout == "two" else 0.32
    y = 0.5 + _jitter(dice, 0.03)
    return layout, tuple(Item(icon, x, y, size, tint=tint) for x in centres)


def _paired(
    dice: random.Random, icon: Icon, other: Icon, tint: str | None
) -> tuple[str, tuple[Item, ...]]:
    layout = "beside" if chance(dice, BESIDE_SHARE) else "above"
    shift = _jitter(dice, 0.02)
    if layout == "beside":
        first, second = (0.27, 0.5 + shift), (0.73, 0.5 + shift)
    else:
        first, second = (0.5 + shift, 0.27), (0.5 + shift, 0.73)
    return layout, (Item(icon, *first, 0.46, tint=tint), Item(other, *second, 0.46))
