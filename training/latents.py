"""The cache the denoiser trains from: latents of composed scenes and a few captions of each.

Encoding is paid once for each scene. The cache grows by whole shards, so that a kill costs at most
one, and a later, longer training can add more. Scene i of the cache is `Planner.plan(i)`; all of a
shard have one shape.
"""

import random
from pathlib import Path

import torch
from diffusers import AutoencoderKL
from torch import Tensor
from transformers import CLIPTokenizer

from training import autoencoder, running
from training.captions import Captions
from training.composer import Composer
from training.scenes import Planner

SHARD = 2048  # scenes in a file
CAPTIONS = 6  # wordings kept of each scene
SHAPES = ("square", "square", "square", "tall", "wide")  # of a shard's pictures, in turn
BATCH = 16


def token_ids(tokenizer: CLIPTokenizer, texts: list[str]) -> Tensor:
    """(n, LENGTH), int64: the texts' tokens, padded or cut to the tokenizer's length."""
    return tokenizer(
        texts,
        padding="max_length",
        max_length=tokenizer.model_max_length,
        truncation=True,
        return_tensors="pt",
    ).input_ids


def shards(folder: Path) -> list[Path]:
    """The files of the cache, in order."""
    return sorted(folder.glob("scenes-*.pt"))


def grow(
    folder: Path,
    scenes: int,
    *,
    model: AutoencoderKL,
    composer: Composer,
    captions: Captions,
    tokenizer: CLIPTokenizer,
    shard: int = SHARD,
) -> None:
    """Add shards of so many scenes until at least `scenes` are cached."""
    folder.mkdir(parents=True, exist_ok=True)
    planner = Planner(composer.icons)
    for number in range(len(shards(folder)), -(-scenes // shard)):
        frame = SHAPES[number % len(SHAPES)]
        planned = [planner.plan(number * shard + row, frame=frame) for row in range(shard)]
        latents = []
        with torch.no_grad(), running.half_precision(composer.device):
            for start in range(0, shard, BATCH):
                pictures = composer.paint(planned[start : start + BATCH], autoencoder.SIDE)
                latents.append(model.encode(pictures).latent_dist.mean.half().cpu())
        texts = [
            captions.describe(scene, random.Random(f"{number}:{row}:{wording}"))
            for row, scene in enumerate(planned)
            for wording in range(CAPTIONS)
        ]
        tokens = token_ids(tokenizer, texts).view(shard, CAPTIONS, -1).short()
        unfinished = folder / "unfinished"
        torch.save({"latents": torch.cat(latents), "tokens": tokens}, unfinished)
        unfinished.replace(folder / f"scenes-{number:05}.pt")
        print(f"cache: {(number + 1) * shard} scenes", flush=True)


def read(folder: Path, where: str) -> list[tuple[Tensor, Tensor]]:
    """All cached latents and tokens, by shape of the pictures.

    Latents are (n, 16, height / 16, width / 16) float16, tokens (n, CAPTIONS, LENGTH) int16.
    """
    loaded = [torch.load(path, map_location=where, weights_only=True) for path in shards(folder)]
    if not loaded:
        raise FileNotFoundError(f"no cached scenes in {folder}")
    shapes = dict.fromkeys(shard["latents"].shape[1:] for shard in loaded)
    return [
        tuple(
            torch.cat([shard[part] for shard in loaded if shard["latents"].shape[1:] == shape])
            for part in ("latents", "tokens")
        )
        for shape in shapes
    ]
