"""What the catalog offers as examples, drawn by the shipped model and shown to the judge.

The judge is trained when there is none in the state folder of the training program, which takes
minutes and fetches its pictures from npm.
"""

import re

import numpy as np
import pytest
import torch

from core.catalog import reference
from training import concepts, data, evaluate, landscapes, sheets
from training.__main__ import SHIPPED, STATE
from training.composer import Composer
from training.prompts import Prompt

pytestmark = [
    pytest.mark.long,
    pytest.mark.model,
    pytest.mark.filterwarnings("ignore"),  # diffusers and numpy warn about each other
]

SAMPLES = reference.shipped().images[SHIPPED.name].samples
SEEDS = (1, 2, 3)


@pytest.fixture(scope="module")
def judge():
    recipe = concepts.recipe(concepts.shipped_recipe())
    if not (STATE / "icons.npz").exists():
        data.prepare(STATE)
    composer = Composer.load(STATE / "icons.npz", recipe, device="cpu")
    return evaluate.judge_of(composer, STATE / "judge.pt", places=recipe.landscapes)


@pytest.mark.parametrize("sample", SAMPLES)
@torch.no_grad()
def test_a_sample_shows_what_it_says(judge, sample):
    thing, place = named(sample, concepts.shipped()), named(sample, landscapes.shipped())
    assert thing or place
    hits = 0
    for seed in SEEDS:
        [drawn] = sheets.draw(SHIPPED, (Prompt(sample, sample),), seed=seed)
        seen = judge(as_tensor(drawn.image))
        hits += (thing is None or judge.concepts[int(seen.objects.argmax())] == thing) and (
            place is None or judge.places[int(seen.places.argmax())] == place
        )
    assert hits > len(SEEDS) / 2


def named(prompt, table):
    """The key of the longest noun of the table that the prompt has; None: it has none."""
    found = [
        (len(one.noun), key)
        for key, one in table.items()
        if re.search(rf"\b{re.escape(one.noun)}\b", prompt)
    ]
    return max(found)[1] if found else None


def as_tensor(image):
    pixels = torch.from_numpy(np.asarray(image.convert("RGB"), np.float32) / 127.5 - 1)
    return pixels.permute(2, 0, 1)[None]
