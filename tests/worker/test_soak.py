"""Hundreds of jobs of all sorts through a real engine process: memory stays where it was."""

import base64
import io
import random
import warnings
from dataclasses import dataclass, field, replace
from functools import partial

import pytest
from PIL import Image

import tiny_adaptations
import tiny_control
import tiny_families
from worker import models
from worker.engine import Engine, Limits
from worker.engine_process import renderers
from worker.environment import ENGINE_ENVIRONMENT
from worker.image import control
from worker.image.control import Controls
from worker.image.kind import Pictures
from worker.image.library import Library
from worker.image.samplers import SAMPLERS
from worker.memory import resident
from worker.offers import image_offer
from worker.settings import Settings

JOBS = 500
EACH = 50
"""Jobs after which the worker has another line-up, and memory is measured."""
WARM = 200
"""Jobs after which everything has been seen once."""
MAX_GROWTH = 1.15

pytestmark = [
    pytest.mark.long,
    pytest.mark.timeout(3000),
    pytest.mark.filterwarnings("ignore"),
]

FAMILIES = {
    "sd": partial(tiny_control.model, family="sd"),
    "sdxl": partial(tiny_control.model, family="sdxl"),
    "paints": partial(tiny_families.sd, channels=9),
    "flux": tiny_families.flux,
    "cascade": partial(tiny_families.cascade, sees=True),
}


@dataclass(frozen=True)
class LineUp:
    """What a worker serves for a while. also: sorts of jobs beside plain ones."""

    models: tuple[str, ...]
    also: tuple[str, ...]
    controls: Controls = field(default_factory=Controls)
    native: int = 64


@pytest.fixture(scope="module")
def shelf(tmp_path_factory):
    """Models of five families, with adaptations and ControlNets, in a folder."""
    folder = tmp_path_factory.mktemp("shelf")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # importing the libraries is full of them
        import diffusers

        for name, make in FAMILIES.items():
            made = make(folder / name)
            if name in {"sd", "sdxl"}:
                network = tiny_control.network(made)
                tiny_control.save(
                    network, folder / "controlnet" / f"{name}_canny.safetensors", theirs=False
                )
                network.save_pretrained(folder / "controlnet" / f"{name}_qr")
            if name == "cascade":
                continue
            pipe = diffusers.DiffusionPipeline.from_pretrained(folder / name)
            for seed in range(3):
                tiny_adaptations.save(
                    folder / "loras" / f"{name}-{seed}.safetensors",
                    tiny_adaptations.tensors(pipe, form="peft", seed=seed, size=0.1),
                )
    (folder / "loras" / "broken.safetensors").write_bytes(b"nothing")
    return folder


@pytest.fixture
def line_ups(shelf):
    """Three that take turns; control types need a network for each of a worker's models."""
    return [
        LineUp(("sd", "sdxl", "paints", "flux"), ("source", "mask")),
        LineUp(("sd", "sdxl"), ("source", "mask", "control", "code"), control.find([shelf]), 320),
        LineUp(("cascade", "sd"), ("remix",)),
    ]


def picture(chance):
    colour = tuple(chance.randrange(256) for _ in range(3))
    out = io.BytesIO()
    Image.new("RGB", (64 * chance.randrange(1, 4), 64), colour).save(out, "PNG")
    return base64.b64encode(out.getvalue()).decode()


def sort_of(chance, line_up):
    """One sort of jobs that a line-up has: the model, parameters, and what is beside them."""
    sort = chance.choice(["plain", *line_up.also])
    if sort == "remix":
        extra = [{"image": picture(chance), "strength": 0.5}] * chance.randrange(3)
        beside = {"source_processing": "remix", "extra_source_images": extra}
        return "cascade", {}, {"source_image": picture(chance), **beside}
    model = chance.choice(line_up.models)
    if sort == "plain":
        return model, {}, {}
    if sort == "code":
        code = {"text": "https://a.example", "reference": "qr_code"}
        return model, {"workflow": "qr_code", "extra_texts": [code]}, {}
    beside = {"source_image": picture(chance)}
    if sort == "control":
        return model, {"control_type": "canny"}, beside
    if sort == "mask":
        beside |= {"source_processing": "inpainting", "source_mask": picture(chance)}
    return model, {"denoising_strength": 0.7}, beside


def job(chance, line_up):
    """What is asked for: something of everything, and now and then nonsense."""
    model, more, beside = sort_of(chance, line_up)
    loras = [
        {"name": chance.choice([f"{model}-{seed}" for seed in range(3)] + ["broken", "sd-0"])}
        for _ in range(chance.choice([0, 0, 1, 2]))
    ]
    payload = {
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
        **more,
    }
    if "workflow" in more:
        payload |= {"width": 320, "height": 320}
    return {"model": model, "payload": payload, **beside}


async def test_memory_is_flat_over_many_jobs(horde, serve, shelf, line_ups, tmp_path, monkeypatch):
    for name, value in ENGINE_ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    chance = random.Random(7)
    settings = Settings(url=horde.url, name="tester", wait_seconds=1)
    library = Library([shelf], tmp_path / "fetched", 0)
    make = partial(renderers, device="cpu", threads=1)
    sizes = []
    async with Engine(make, Limits(300, 300, 300)) as engine:
        for number in range(JOBS // EACH):
            line_up = line_ups[number % len(line_ups)]
            found = {
                # Of a size at which a QR code can be drawn.
                name: replace(models.inspect(name, shelf / name), native=line_up.native)
                for name in line_up.models
            }

            def kind(client, controls=line_up.controls):
                offer = image_offer(settings)
                return Pictures(client, offer, library=library, controls=controls)

            async with serve(engine, kind=kind, models=found, wait=1) as serving:
                horde.pops.clear()
                await serving.until(
                    lambda found=found: horde.pops and len(horde.pops[-1]["models"]) == len(found),
                    300,
                )
                for _ in range(EACH):
                    wanted = job(chance, line_up)
                    [asked] = horde.add(**wanted)
                    await serving.until(lambda asked=asked: horde.submitted(asked), 300)
                    submit = horde.submitted(asked)
                    assert submit["state"] == "ok", (wanted, submit["gen_metadata"])
                    horde.uploads.clear()
            done = (number + 1) * EACH
            sizes.append((done, resident(engine.pid), resident(None)))
            told = ", ".join(f"{size / 2**20:.0f} MB" for size in sizes[-1][1:])
            print(f"{done}: engine, control {told}", flush=True)  # noqa: T201
    warm = next(one for number, one, _ in sizes if number >= WARM)
    assert sizes[-1][1] < MAX_GROWTH * warm
