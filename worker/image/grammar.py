"""The English words by which a prompt says what is where: numbers, colours, prepositions, verbs."""

import re
from typing import Final

MAX_SHOWN: Final = 6
"""Of one thing, in one picture."""
NUMBERS: Final = {
    "two": 2,
    "three": 3,
    "four": 4,
    "five": 5,
    "six": 6,
    "pair": 2,
    "some": 2,
    "many": 4,
    **{str(number): number for number in range(2, MAX_SHOWN + 1)},
}
COLOURS: Final = {
    "white": "white",
    "black": "black",
    "red": "red",
    "crimson": "red",
    "orange": "orange",
    "yellow": "yellow",
    "golden": "yellow",
    "green": "green",
    "blue": "blue",
    "azure": "blue",
    "purple": "purple",
    "violet": "purple",
    "pink": "pink",
    "gray": "gray",
    "grey": "gray",
    "silver": "gray",
    "brown": "brown",
    "turquoise": "turquoise",
    "cyan": "turquoise",
    "teal": "turquoise",
}
SIZES: Final = {
    **dict.fromkeys(("small", "tiny", "little"), 0.7),
    **dict.fromkeys(("large", "big", "huge", "giant", "gigantic"), 1.35),
}
TRAITS: Final = frozenset({"old", "young", "fluffy", "happy"})
"""Adjectives that a thing is drawn by, beside its colour."""
STYLES: Final = {"cartoon": "cartoon style", "comic": "cartoon style", "flat": "flat style"}
RELATIONS: Final = {
    **dict.fromkeys(("on", "upon", "onto", "riding", "rides", "atop"), "on"),
    **dict.fromkeys(("over", "above"), "over"),
    **dict.fromkeys(("under", "below", "beneath", "underneath"), "under"),
    **dict.fromkeys(("in", "inside", "into", "within"), "in"),
    "of": "of",
    **dict.fromkeys(("wearing", "wears", "with"), "with"),
    **dict.fromkeys(("breathing", "breathes", "spitting"), "breathing"),
    "behind": "behind",
    "in front of": "before",
    "left of": "left",
    "to the left of": "left",
    "right of": "right",
    "to the right of": "right",
}
"""Of the thing before these words to the one after them; any other is beside it."""
ALOFT: Final = frozenset({"flying", "flies", "soaring", "hovering", "floating", "falling"})
PLAIN: Final = "white"
"""What things stand on where nothing is said of it."""
SIDES: Final = ("left", "right")
GROUND: Final = re.compile(r"\b(\w+ (?:(?:and|to) \w+ )?(?:gradient )?)background\b")
"""What a plain ground is like."""
