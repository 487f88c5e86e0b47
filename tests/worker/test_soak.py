"""Hundreds of jobs of all sorts through a real engine process: memory stays where it was."""

import random
import warnings

import pytest

import tiny_adaptations
import tiny_families
from worker import models
from worker.crew import image_offer
from worker.engine import Engine, Limits
from worker.engine_process import renderers
from worker.image.kind import Pictures
from worker.image.library import Library
from worker.image.samplers import SAMPLERS
from worker.memory import resident
from worker.settings import Settings

JOBS = 500
WARM = 150
"""Jobs after which everything has been seen once."""
MAX_GROWTH = 1.15

pytestmark = [
    pytest.mark.long,
    pytest.mark.timeout(3000),
    pytest.mark.filterwarnings("ignore"),
]


@pytest.fixture(scope="module")
def shelf(tmp_path_factory):
    """Models of three families, and adaptations for each, in a folder."""
    folder = tmp_path_factory.mktemp("shelf")
    build = {"sd": tiny_families.sd, "sdxl": tiny_families.sdxl, "flux": tiny_families.flux}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # importing the libraries is full of them
        import diffusers

        for name, make in build.items():
            make(folder / name)
            pipe = diffusers.DiffusionPipeline.from_pretrained(folder / name)
            for seed in range(3):
                tiny_adaptations.save(
                    folder / "loras" / f"{name}-{seed}.safetensors",
                    tiny_adaptations.tensors(pipe, form="peft", seed=seed, size=0.1),
                )
    (folder / "loras" / "broken.safetensors").write_bytes(b"nothing")
    return folder


def job(chance):
    """What is asked for: something of everything, and now and then nonsense."""
    model = chance.choice(["sd", "sdxl", "flux"])
    loras = [
        {"name": chance.choice([f"{model}-{seed}" for seed in range(3)] + ["broken", "sd-0"])}
        for _ in range(chance.choice([0, 0, 1, 2]))
    ]
    return model, {
        "prompt": "a fox " * chance.randrange(1, 40) + "### blurry",
        "seed": str(chance.randrange(2**32)),
        "width": 64 * chance.randrange(1, 4),
        "height": 64 * chance.randrange(1, 4),
        "ddim_steps": chance.randrange(1, 4),
        "sampler_name": chance.choice(list(SAMPLERS)),
        "karras": chance.random() < 0.5,
        "tiling": chance.random() < 0.1,
        "hires_fix": chance.random() < 0.1,
        "clip_skip": chance.randrange(1, 3),
        "cfg_scale": chance.choice([1.0, 7.5]),
        **({"loras": loras} if loras else {}),
    }


async def test_memory_is_flat_over_many_jobs(horde, serve, shelf, tmp_path):
    from functools import partial

    chance = random.Random(7)
    found = {name: models.inspect(name, shelf / name) for name in ("sd", "sdxl", "flux")}
    settings = Settings(url=horde.url, name="tester", wait_seconds=1)
    library = Library([shelf], tmp_path / "fetched", 0)
    make = partial(renderers, device="cpu", threads=1)
    async with Engine(make, Limits(300, 300, 300)) as engine:

        def kind(client):
            return Pictures(client, image_offer(settings), library=library)

        sizes = []
        async with serve(engine, kind=kind, models=found, wait=1) as serving:
            await serving.until(lambda: horde.pops and len(horde.pops[-1]["models"]) == 3, 300)
            for number in range(1, JOBS + 1):
                model, payload = job(chance)
                [asked] = horde.add(model=model, payload=payload)
                assert (await serving.submitted(asked))["state"] == "ok", payload
                horde.uploads.clear()
                if number % 50 == 0:
                    sizes.append((number, resident(engine.pid), resident(None)))
    for number, of_engine, of_control in sizes:
        print(f"{number}: {of_engine / 2**20:.0f} MB, control {of_control / 2**20:.0f} MB")  # noqa: T201
    warm = next(one for number, one, _ in sizes if number >= WARM)
    assert sizes[-1][1] < MAX_GROWTH * warm
