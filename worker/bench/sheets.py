"""Sheets of what the worker makes of the shipped model, to be looked at.

`python -m worker.bench.sheets FOLDER [NAME …]` writes them as WebP: all, or those that are named.
"""

import argparse
import io
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import torch
from PIL import Image, ImageDraw

from worker import models
from worker.bench import recolouring
from worker.bench.sheet import Cell, Sheet
from worker.image.order import Adaptation, PictureOrder, Source
from worker.image.pipeline import DiffusersRenderer, trial
from worker.image.samplers import SAMPLERS
from worker.renderer import Picture, nobody
from worker.settings import SHIPPED

MODEL: Final = "horde-tiny"
QUALITY: Final = 72
PIXELS: Final = 256
FOX: Final = "a red fox on a blue background"


class Makers:
    """Makes what is on sheets. room: a folder for what has to be a file."""

    def __init__(self, room: Path) -> None:
        self._renderer = DiffusersRenderer(device="cpu")
        shipped = models.inspect(MODEL, SHIPPED / MODEL)
        self._renderer.load(shipped)
        self._room = room
        self.usual = replace(
            trial(shipped),
            prompt=FOX,
            negative="",
            width=PIXELS,
            height=PIXELS,
            steps=12,
            cfg_scale=4.0,
            karras=True,
            seeds=(7,),
            exact=False,
        )

    def make(self, order: PictureOrder) -> Picture:
        """Make a picture."""
        return self._renderer.render(order, nobody).pictures[0]

    def recoloured(self) -> Path:
        """Make an adaptation that draws in blue what is asked for in red."""
        file = self._room / "blue.safetensors"
        assert self._renderer.model is not None  # noqa: S101 - loaded above
        with torch.inference_mode():
            recolouring.save(file, self._renderer.model, self.usual, "red", "blue")
        return file

    def image(self, order: PictureOrder) -> Image.Image:
        """Make a picture to start from."""
        made = self.make(order)
        return Image.frombytes("RGB", (made.width, made.height), made.rgb)


def samplers(makers: Makers) -> Sheet:
    """All samplers, with few steps and many."""
    ways: dict[str, dict[str, Any]] = {
        "6 steps": {"steps": 6, "karras": False},
        "6, karras": {"steps": 6},
        "12 steps": {"karras": False},
        "12, karras": {},
        "30, karras": {"steps": 30},
    }
    rows = {
        name: [replace(makers.usual, sampler=name, **way) for way in ways.values()]
        for name in SAMPLERS
    }
    return Sheet("samplers", list(ways), rows)


def strengths(makers: Makers) -> Sheet:
    """Pictures from pictures, by how much is redrawn."""
    shares = (0.1, 0.3, 0.5, 0.7, 0.85, 1.0)
    starts = {
        f"{before}\nbecomes\n{after}": (
            makers.image(replace(makers.usual, prompt=before)),
            replace(makers.usual, prompt=after),
        )
        for before, after in (
            ("a red fox", "a tiger"),
            ("a green apple", "an orange"),
            ("a house", "a castle at night"),
        )
    }
    rows: dict[str, list[Cell]] = {
        name: [
            start,
            *(replace(order, source=Source(_png(start)), strength=share) for share in shares),
        ]
        for name, (start, order) in starts.items()
    }
    return Sheet("strengths", ["source", *map(str, shares)], rows)


def masks(makers: Makers) -> Sheet:
    """Parts that are painted, and what stays."""
    start = makers.image(replace(makers.usual, prompt="a red fox on a yellow background"))
    half, disc = Image.new("L", start.size), Image.new("L", start.size)
    half.paste(255, (start.width // 2, 0, *start.size))
    ImageDraw.Draw(disc).ellipse((70, 60, 190, 180), 255)
    ground = Image.new("L", start.size, 255)
    ImageDraw.Draw(ground).ellipse((24, 24, 232, 232), 0)
    rows: dict[str, list[Cell]] = {}
    for name, mask, prompt in (
        ("right half", half, "a tiger on a yellow background"),
        ("a disc", disc, "a panda on a yellow background"),
        ("all around", ground, "a red fox on a purple background"),
    ):
        source = Source(_png(start), _png(mask), painting=True)
        order = replace(makers.usual, prompt=prompt, source=source, steps=16)
        rows[name] = [start, mask, replace(order, strength=0.6), replace(order, strength=1.0)]
    small = start.resize((128, 128))
    outside = Image.new("RGBA", (PIXELS, PIXELS))
    outside.paste(small, (64, 64))
    outwards = Source(_png(outside), painting=True, outwards=True)
    order = replace(makers.usual, source=outwards, prompt="a red fox on a yellow background")
    rows["outpainting"] = [
        outside.convert("RGB"),
        Image.eval(outside.getchannel("A"), lambda value: 255 - value),
        replace(order, strength=0.6),
        replace(order, strength=1.0),
    ]
    return Sheet("masks", ["source", "mask", "strength 0.6", "strength 1"], rows)


def adaptations(makers: Makers) -> Sheet:
    """A LoRA that makes blue of red, by its strength."""
    shares = (-0.5, 0.0, 0.25, 0.5, 0.75, 1.0, 1.3)
    file = makers.recoloured()
    rows = {
        prompt.replace(" on ", "\non "): [
            replace(makers.usual, prompt=prompt, adaptations=(Adaptation("blue", file, share),))
            for share in shares
        ]
        for prompt in ("a red car", "a red rose", "a green frog", "a banana on a red background")
    }
    return Sheet("adaptations", list(map(str, shares)), rows)


def sizes(makers: Makers) -> Sheet:
    """Sizes and shapes, with hires fix, with tiling, and without either."""
    ways: dict[str, dict[str, Any]] = {
        "128x128": {"width": 128, "height": 128},
        "512x512": {"width": 512, "height": 512},
        "512, hires fix": {"width": 512, "height": 512, "hires_strength": 0.65},
        "512x768": {"width": 512, "height": 768},
        "768x512": {"width": 768, "height": 512},
        "512, tiling": {"width": 512, "height": 512, "tiling": True},
        "1024x1024": {"width": 1024, "height": 1024},
    }
    rows = {
        prompt: [replace(makers.usual, prompt=prompt, **way) for way in ways.values()]
        for prompt in ("a castle", "a rocket", "snowy mountains", "a cat")
    }
    return Sheet("sizes", list(ways), rows)


def words(makers: Makers) -> Sheet:
    """What a prompt says: weights, guidance, clip skip, what is not wanted."""
    ways: dict[str, dict[str, Any]] = {
        "as it is": {},
        "(red:0.5)": {"prompt": "a (red:0.5) fox on a blue background"},
        "(red:1.5)": {"prompt": "a (red:1.5) fox on a blue background"},
        "not: red": {"negative": "red"},
        "guidance 1": {"cfg_scale": 1.0},
        "guidance 8": {"cfg_scale": 8.0},
        "clip skip 2": {"clip_skip": 2},
    }
    rows = {FOX.replace(" on ", "\non "): [replace(makers.usual, **way) for way in ways.values()]}
    return Sheet("words", list(ways), rows)


def transparent(makers: Makers) -> Sheet:
    """Things with nothing behind them, at two seeds."""
    prompts = (
        "a red fox",
        "a polar bear",
        "a rocket",
        "a wizard",
        "two red apples",
        "a green frog",
    )
    rows = {
        f"seed {seed}": [
            replace(makers.usual, prompt=prompt, transparent=True, seeds=(seed,))
            for prompt in prompts
        ]
        for seed in (3, 7)
    }
    return Sheet("transparent", prompts, rows)


SHEETS: Final[Mapping[str, Callable[[Makers], Sheet]]] = {
    one.__name__: one
    for one in (samplers, strengths, masks, adaptations, sizes, words, transparent)
}


def _png(image: Image.Image) -> bytes:
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


def written(folder: Path, names: list[str]) -> Iterator[str]:
    """Write sheets, and say of each what it took."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as room:
        makers = Makers(Path(room))
        for name in names:
            began = time.perf_counter()
            file = folder / f"{name}.webp"
            SHEETS[name](makers).drawn(makers.make).save(file, quality=QUALITY, method=6)
            took = time.perf_counter() - began
            yield f"{file}: {file.stat().st_size / 1000:.0f} kB, {took:.0f} s"


def main() -> None:
    """Write the sheets that are asked for."""
    asked = argparse.ArgumentParser(prog="python -m worker.bench.sheets", description=__doc__)
    asked.add_argument("folder", type=Path)
    asked.add_argument("names", nargs="*", metavar="NAME", help=", ".join(SHEETS))
    told = asked.parse_args()
    if unknown := set(told.names) - SHEETS.keys():
        asked.error(f"no sheet is called {', '.join(sorted(unknown))}")
    for sentence in written(told.folder, told.names or list(SHEETS)):
        sys.stdout.write(f"{sentence}\n")


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    main()
