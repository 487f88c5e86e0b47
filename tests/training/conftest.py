"""Four made-up icons in two styles stand in for the data, so that no npm is needed."""

import numpy as np
import pytest
import torch

from training import concepts
from training.composer import Composer
from training.scenes import Icon

SHOWN = ("apple", "car", "cat", "baby")
STYLES = ("cartoon", "flat")


@pytest.fixture(scope="session", autouse=True)
def _one_thread():
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def icons():
    table = concepts.shipped()
    pairs = [(key, style) for style in STYLES for key in SHOWN]
    return [Icon(index, key, table[key].kind, style) for index, (key, style) in enumerate(pairs)]


@pytest.fixture(scope="session")
def composer(icons):
    """Discs, each of another colour, 32 px wide."""
    down, across = np.mgrid[:32, :32]
    disc = (down - 16) ** 2 + (across - 16) ** 2 < 14**2
    rgba = np.zeros((len(icons), 32, 32, 4), np.uint8)
    for index in range(len(icons)):
        rgba[index][disc] = (30 * index, 200 - 20 * index, 120, 255)
    return Composer(rgba, icons)
