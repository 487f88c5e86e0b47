"""Writes the model as a standard diffusers folder: float16 safetensors, ready to ship."""

import json
import shutil
from pathlib import Path

import torch
from diffusers import (
    AutoencoderKL,
    DPMSolverMultistepScheduler,
    StableDiffusionPipeline,
    UNet2DConditionModel,
)
from torch import nn
from transformers import CLIPTextModel, CLIPTokenizer

from training import autoencoder, decoder, denoiser, running
from training.composer import Composer
from training.scenes import Planner

CARD = (
    "README.md",
    "NOTICE",
    "enlarger.safetensors",
    "LICENSE-enlarger",
    "vocabulary.json",
    "horde.json",
)
SETTLED = -30.0  # logarithm of the variance of latents; diffusers takes no less
MIN_SPREAD = 0.1  # of the largest channel's: a channel that says less is not blown up further


def pipeline(
    *,
    vae: AutoencoderKL,
    text_encoder: CLIPTextModel,
    tokenizer: CLIPTokenizer,
    unet: UNet2DConditionModel,
) -> StableDiffusionPipeline:
    """The parts as one pipeline, with DPM++ 2M on Karras' steps as its own sampler."""
    scheduler = DPMSolverMultistepScheduler.from_config(
        denoiser.build_schedule().config, use_karras_sigmas=True
    )
    made = StableDiffusionPipeline(
        vae=vae.eval(),
        text_encoder=text_encoder.eval(),
        tokenizer=tokenizer,
        unet=unet.eval(),
        scheduler=scheduler,
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )
    made.set_progress_bar_config(disable=True)
    return made


def from_state(state: Path, tokenizer: CLIPTokenizer) -> StableDiffusionPipeline:
    """The pipeline of the averaged weights in a training's state folder."""
    vae = trained_autoencoder(state)
    unet, text_encoder = denoiser.build_unet(), denoiser.build_text_encoder(len(tokenizer))
    saved = running.load(state / "denoiser.pt", "cpu")
    if saved is not None:
        put([unet, text_encoder], saved["average"])
    return pipeline(vae=vae, text_encoder=text_encoder, tokenizer=tokenizer, unet=unet)


def trained_autoencoder(state: Path) -> AutoencoderKL:
    """The averaged autoencoder of a state folder, its latents of zero mean and unit spread.

    With the decoder that was trained alone, where there is one. It was trained to follow this
    encoder and takes the latents as normalised.
    """
    vae = autoencoder.build()
    saved = running.load(state / "autoencoder.pt", "cpu")
    if saved is not None:
        put([vae], saved["average"])
    vae.register_to_config(scaling_factor=1.0)
    normalised = running.load(state / "normalised.pt", "cpu")
    if normalised is not None:
        normalise(vae, normalised["mean"], normalised["spread"])
    sharper = running.load(state / "decoder.pt", "cpu")
    if sharper is not None:
        put([decoder.parts(vae)], sharper["average"])
    settle(vae)
    return vae.eval()


@torch.no_grad()
def settle(vae: AutoencoderKL) -> None:
    """Leave no spread in what the encoder says: none was trained, so it would be noise.

    A program that draws a latent from it then gets the mean.
    """
    channels = vae.config.latent_channels
    vae.quant_conv.weight[channels:] = 0
    vae.quant_conv.bias[channels:] = SETTLED


def put(models: list[nn.Module], weights: list[torch.Tensor]) -> None:
    """Set the parameters of the models, in their order, to the weights."""
    parameters = [weight for model in models for weight in model.parameters()]
    with torch.no_grad():
        for parameter, weight in zip(parameters, weights, strict=True):
            parameter.copy_(weight)


@torch.no_grad()
def normalise(vae: AutoencoderKL, mean: torch.Tensor, spread: torch.Tensor) -> None:
    """Fold into the 1 by 1 convolutions that latents lose this mean and spread, by channel.

    mean, spread: (channels,), of the latents as they are. Pictures come out as before.
    """
    channels = len(mean)
    spread = spread.clamp(min=MIN_SPREAD * float(spread.max()))
    enter, leave = vae.quant_conv, vae.post_quant_conv
    leave.bias += leave.weight[:, :, 0, 0] @ mean
    leave.weight *= spread.view(1, -1, 1, 1)
    enter.bias[:channels] = (enter.bias[:channels] - mean) / spread
    enter.weight[:channels] /= spread.view(-1, 1, 1, 1)


def write(made: StableDiffusionPipeline, folder: Path) -> None:
    """Save the pipeline in half precision; the folder changes from old to new in one step.

    What people wrote into the folder, its card and notice, stays.
    """
    fresh = folder.with_name(folder.name + ".new")
    shutil.rmtree(fresh, ignore_errors=True)
    made.to(torch.float16).save_pretrained(fresh, safe_serialization=True)
    _say_single_precision(fresh / "text_encoder" / "config.json")
    for name in CARD:
        if (folder / name).exists():
            shutil.copy(folder / name, fresh / name)
    old = folder.with_name(folder.name + ".old")
    shutil.rmtree(old, ignore_errors=True)
    if folder.exists():
        folder.replace(old)
    fresh.replace(folder)
    shutil.rmtree(old, ignore_errors=True)


def _say_single_precision(config: Path) -> None:
    """Have transformers load float32, as diffusers does for the other parts when not told.

    It would take float16 from the file, and a pipeline of two precisions cannot run.
    """
    settings = json.loads(config.read_text())
    settings["dtype"] = "float32"
    config.write_text(json.dumps(settings, indent=2) + "\n")


def measure(state: Path, composer: Composer, *, scenes: int = 256) -> None:
    """Note mean and spread of the latents, by channel, once for the life of an autoencoder.

    A decoder that was trained for an older one is of no use any more, and goes.
    """
    for old in ("normalised.pt", "decoder.pt"):
        (state / old).unlink(missing_ok=True)
    vae = trained_autoencoder(state).to(composer.device)
    planner = Planner(composer.icons, seed=autoencoder.SEED)
    pictures = composer.paint([planner.plan(index) for index in range(scenes)], autoencoder.SIDE)
    with torch.no_grad():
        found = [vae.encode(part).latent_dist.mean for part in pictures.split(16)]
    latents = torch.cat(found).float().cpu()
    running.save(
        state / "normalised.pt",
        {"mean": latents.mean((0, 2, 3)), "spread": latents.std((0, 2, 3))},
    )
