"""A training's state: taken up from an exported model, or kept in one file and restored from it."""

import shutil
import tarfile
from pathlib import Path

import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from transformers import CLIPTextModel

from training import running

KEPT = (
    "tokenizer",
    "icons.npz",
    "words.json",
    "autoencoder.pt",
    "normalised.pt",
    "decoder.pt",
    "denoiser.pt",
)
"""What a training cannot make anew as it was, or only slowly. Cached scenes are left out."""


def take_up(model: Path, state: Path) -> None:
    """Make a state of an exported model's weights, for a training to go on from.

    Optimizers start anew, and so does the count of steps. The model's latents are normalised
    already, so no mean is taken off and no spread divided by a second time.
    """
    state.mkdir(parents=True, exist_ok=True)
    shutil.copytree(model / "tokenizer", state / "tokenizer", dirs_exist_ok=True)
    vae = AutoencoderKL.from_pretrained(model / "vae").float()
    channels = vae.config.latent_channels
    running.save(
        state / "autoencoder.pt",
        {"model": vae.state_dict(), "average": _weights(vae), "step": 0, "seconds": 0.0},
    )
    (state / "decoder.pt").unlink(missing_ok=True)  # the one taken up is part of the autoencoder
    running.save(
        state / "normalised.pt", {"mean": torch.zeros(channels), "spread": torch.ones(channels)}
    )
    unet = UNet2DConditionModel.from_pretrained(model / "unet").float()
    text_encoder = CLIPTextModel.from_pretrained(model / "text_encoder").float()
    running.save(
        state / "denoiser.pt",
        {
            "unet": unet.state_dict(),
            "text_encoder": text_encoder.state_dict(),
            "average": _weights(unet) + _weights(text_encoder),
            "step": 0,
            "seconds": 0.0,
        },
    )


def keep(state: Path, file: Path) -> None:
    """Write what there is of a state into one file, whole or not at all."""
    file.parent.mkdir(parents=True, exist_ok=True)
    unfinished = file.with_name(file.name + ".unfinished")
    with tarfile.open(unfinished, "w:gz", compresslevel=1) as archive:
        for name in KEPT:
            if (state / name).exists():
                archive.add(state / name, name)
    unfinished.replace(file)


def restore(file: Path, state: Path) -> None:
    """Put a kept state into a folder, over what is there."""
    state.mkdir(parents=True, exist_ok=True)
    with tarfile.open(file) as archive:
        archive.extractall(state, filter="data")


def _weights(model: torch.nn.Module) -> list[torch.Tensor]:
    return [weight.detach().clone() for weight in model.parameters()]
