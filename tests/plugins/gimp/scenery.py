"""A picture as a camera takes them, and nobody's: a beach with its sea, sky and grain."""

import numpy as np
from PIL import Image, ImageFilter

HORIZON = 0.42
SHORE = 0.6
GRAIN = 4


def beach(size=(512, 384)):
    """Draw it; always the same."""
    width, height = size
    chance = np.random.default_rng(5)
    down = np.linspace(0, 1, height)[:, None]
    across = np.linspace(0, 1, width)[None, :]
    clouds = _blurred(chance, size, 40) * 0.7 + _blurred(chance, size, 12) * 0.3
    sky = _mixed((92, 150, 214), (205, 226, 240), down / HORIZON + 0.25 * np.clip(clouds, 0, 1))
    waves = _blurred(chance, size, 5) * (0.5 + np.sin(down**0.5 * 260 + 4 * clouds) * 0.5)
    sea = _mixed((24, 92, 138), (96, 170, 186), (down - HORIZON) / (SHORE - HORIZON) + 0.12 * waves)
    ripples = 0.12 * _blurred(chance, size, 9) + 0.05 * _blurred(chance, size, 2)
    sand = _mixed((196, 168, 126), (232, 208, 164), (down - SHORE) / (1 - SHORE) + ripples)
    edge = SHORE + 0.03 * np.sin(across * 9) + 0.012 * np.sin(across * 31) + 0.004 * clouds
    foam = np.exp(-(((down - edge) / 0.008) ** 2))[..., None]
    drawn = np.where((down < HORIZON)[..., None], sky, sea)
    drawn = np.where((down > edge)[..., None], sand, drawn)
    drawn = drawn * (1 - foam) + 244 * foam
    picture = Image.fromarray(drawn.clip(0, 255).astype("uint8")).filter(
        ImageFilter.GaussianBlur(0.8)
    )
    grain = chance.normal(0, GRAIN, (height, width, 1))
    return Image.fromarray((np.asarray(picture) + grain).clip(0, 255).astype("uint8"))


def _blurred(chance, size, radius):
    """Noise of a wavelength, about as often below zero as above."""
    width, height = size
    noise = Image.fromarray(chance.integers(0, 256, (height, width), "uint8"))
    soft = np.asarray(noise.filter(ImageFilter.GaussianBlur(radius)), float)
    return (soft - soft.mean()) / soft.std()


def _mixed(low, high, share):
    """From one colour to another."""
    part = np.clip(share, 0, 1)[..., None]
    return np.array(low) * (1 - part) + np.array(high) * part
