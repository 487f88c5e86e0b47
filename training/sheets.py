"""Draws the free prompts with a model, as the worker would, for people to look at and judge."""

from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageDraw

from training.prompts import Prompt
from worker import models
from worker.image.order import PictureOrder
from worker.image.pipeline import DiffusersRenderer

SIDE = 256  # pixels of a picture as it is asked for
SHOWN = 112  # pixels of a picture in the sheet
COLUMNS = 10
LINES = 28  # pixels for what was typed
STEPS, GUIDANCE, SEED = 12, 4.0, 1
LETTERS = 18  # in a line below a picture


@dataclass(frozen=True)
class Drawn:
    """A picture for a prompt, and what the worker says of it."""

    prompt: Prompt
    image: Image.Image
    notes: tuple[str, ...]


class Worker:
    """Draws with a model as a worker does, with the defaults of the model."""

    def __init__(self, folder: Path) -> None:
        self._checkpoint = models.inspect(folder.name, folder)
        self._renderer = DiffusersRenderer(device="cpu")
        self._renderer.load(self._checkpoint)

    def draw(self, prompt: Prompt, *, seed: int = SEED, side: int = SIDE) -> Drawn:
        """Draw a prompt. side: pixels."""
        order = PictureOrder(
            checkpoint=self._checkpoint,
            prompt=prompt.text,
            negative="",
            width=side,
            height=side,
            steps=STEPS,
            cfg_scale=GUIDANCE,
            sampler="k_euler_a",
            karras=True,
            seeds=(seed,),
            enlarger=self._checkpoint.enlarger,
        )
        rendered = self._renderer.render(order, lambda *_: None)
        [made] = rendered.pictures
        image = Image.frombytes("RGB", (made.width, made.height), made.rgb)
        notes = tuple(str(note.ref) for note in rendered.notes if "made at" not in str(note.ref))
        return Drawn(prompt, image, notes)


def draw(folder: Path, prompts: tuple[Prompt, ...], *, seed: int = SEED) -> list[Drawn]:
    """Draw each prompt once, as a worker does."""
    worker = Worker(folder)
    return [worker.draw(prompt, seed=seed) for prompt in prompts]


def sheet(drawn: list[Drawn]) -> Image.Image:
    """All of them with their numbers and what was typed."""
    rows = -(-len(drawn) // COLUMNS)
    page = Image.new("RGB", (COLUMNS * SHOWN, rows * (SHOWN + LINES)), "white")
    pen = ImageDraw.Draw(page)
    for place, each in enumerate(drawn):
        left, top = place % COLUMNS * SHOWN, place // COLUMNS * (SHOWN + LINES)
        small = each.image.resize((SHOWN - 2, SHOWN - 2), Image.Resampling.LANCZOS)
        page.paste(small, (left + 1, top + 1))
        text = f"{place + 1} {each.prompt.text}"
        pen.text((left + 2, top + SHOWN - 1), text[:LETTERS], fill="black")
        pen.text((left + 2, top + SHOWN + 11), text[LETTERS : 2 * LETTERS].strip(), fill="black")
    return page
