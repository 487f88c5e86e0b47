"""What stands where in a picture: scenes planned from a number alone, before anything is painted.

The same index always gives the same scene, on any machine. One sixth of all pairs of a concept
and a background colour is held out: `plan` never makes one for training, so that evaluation can
ask for combinations the model has not seen.
"""

import hashlib
import random
from collections.abc import Sequence
from dataclasses import dataclass

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

NEVER_RECOLOURED = frozenset({"person"})

HELD_OUT_SHARE = 6  # one pair in so many

TINTED_SHARE = 0.16  # of things, recoloured
WHITE_SHARE = 0.15  # of backgrounds, beside white's part of the rest
GRADIENT_SHARE = 0.12  # of backgrounds
BESIDE_SHARE = 0.7  # of pairs; the others stand above one another
ARRANGEMENTS = {"centred": 0.9, "placed": 0.04, "counted": 0.02, "paired": 0.04}


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
        thing), "beside", "above" (of two things, the first left of or above the second).
    ground: colour of the background; ground_to: colour it fades into at the lower edge, or None.
    """

    items: tuple[Item, ...]
    layout: str
    ground: str
    ground_to: str | None

    @property
    def style(self) -> str:
        """The style all items share."""
        return self.items[0].icon.style


def held_out(concept: str, colour: str) -> bool:
    """Whether this concept on this background colour is kept from training. Never for white."""
    if colour == "white":
        return False
    digest = hashlib.sha256(f"{concept} on {colour}".encode()).digest()
    return digest[0] % HELD_OUT_SHARE == 0


class Planner:
    """Plans scenes of the icons given. seed: another seed gives another series of scenes."""

    def __init__(self, icons: Sequence[Icon], *, seed: int = 0) -> None:
        self.icons = list(icons)
        self.seed = seed
        self.styles = sorted({icon.style for icon in icons})
        self._by_style: dict[str, list[Icon]] = {style: [] for style in self.styles}
        for icon in self.icons:
            self._by_style[icon.style].append(icon)

    def plan(self, index: int, *, unseen: bool = False) -> Scene:
        """The scene of this number.

        unseen: make a held-out pair (one thing in the middle of a plain background) instead of
            a scene for training.
        """
        dice = random.Random(f"{self.seed}:{'unseen' if unseen else 'train'}:{index}")
        icon = dice.choice(self.icons)
        if unseen:
            grounds = [name for name in COLOURS if held_out(icon.concept, name)]
            while not grounds:
                icon = dice.choice(self.icons)
                grounds = [name for name in COLOURS if held_out(icon.concept, name)]
            return Scene(_centre(dice, icon, None), "centre", dice.choice(grounds), None)
        layout, items = self._arrange(dice, icon)
        grounds = [
            name
            for name in COLOURS
            if not any(held_out(item.icon.concept, name) or item.tint == name for item in items)
        ]
        ground = dice.choice(grounds)
        if "white" in grounds and chance(dice, WHITE_SHARE):
            ground = "white"
        ground_to = dice.choice(grounds) if chance(dice, GRADIENT_SHARE) else None
        return Scene(items, layout, ground, None if ground_to == ground else ground_to)

    def judged(self, index: int) -> Scene:
        """A scene for the classifier: one thing on any plain background, held out or not."""
        dice = random.Random(f"{self.seed}:judged:{index}")
        icon = dice.choice(self.icons)
        items = _centre(dice, icon, _tint(dice, icon))
        grounds = [name for name in COLOURS if name != items[0].tint]
        return Scene(items, "centre", dice.choice(grounds), None)

    def _arrange(self, dice: random.Random, icon: Icon) -> tuple[str, tuple[Item, ...]]:
        """A layout and its items for a first icon."""
        tint = _tint(dice, icon)
        arrangement = dice.choices(list(ARRANGEMENTS), list(ARRANGEMENTS.values()))[0]
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
