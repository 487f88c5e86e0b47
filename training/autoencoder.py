"""The autoencoder: 128 px pictures to 8 by 8 tokens of 16 numbers and back.

Sixteen pixels to a token and sixteen channels leave the denoiser 64 tokens: little enough to
train on a CPU, enough for flat pictures.
"""

import math
import time
from pathlib import Path

import torch
import torch.nn.functional as F
from diffusers import AutoencoderKL
from torch import Tensor

from training import muon, running
from training.composer import Composer
from training.scenes import Planner

SIDE = 128  # pixels
BATCH = 8
CROP = 64  # pixels; pieces train four times as fast, and the network is convolutional
WHOLE_SHARE = 0.25  # of the time, at the end, on whole pictures, half as many at once
RATE = 2e-3
WARM_UP_STEPS = 50
STEADY_SHARE = 0.55  # of the time at the full learning rate; then it falls to one percent
SIZE_WEIGHT = 1e-3  # keeps latents near unit size
SEED = 1  # scenes other than those of the denoiser
SAVE_SECONDS = 180
LOG_STEPS = 100


def build() -> AutoencoderKL:
    """The network, untrained: 3.8 M parameters."""
    return AutoencoderKL(
        down_block_types=("DownEncoderBlock2D",) * 5,
        up_block_types=("UpDecoderBlock2D",) * 5,
        block_out_channels=(16, 32, 64, 128, 128),
        layers_per_block=1,
        latent_channels=16,
        norm_num_groups=8,
        mid_block_add_attention=False,
        sample_size=SIDE,
    )


def learning_rate(step: int, done: float) -> float:
    """The rate at a step. done: share of the training time used up, 0 to 1."""
    warm = min(1.0, (step + 1) / WARM_UP_STEPS)
    if done < STEADY_SHARE:
        return RATE * warm
    falling = (done - STEADY_SHARE) / (1 - STEADY_SHARE)
    return RATE * warm * max(0.01, 0.5 * (1 + math.cos(math.pi * min(1.0, falling))))


def loss_of(made: Tensor, wanted: Tensor) -> Tensor:
    """Absolute error of values and of edges, at full and half size."""
    loss = torch.zeros((), device=made.device)
    for weight in (1.0, 0.5):
        loss = loss + weight * F.l1_loss(made, wanted)
        for dim in (-1, -2):
            loss = loss + 0.5 * weight * F.l1_loss(made.diff(dim=dim), wanted.diff(dim=dim))
        made, wanted = F.avg_pool2d(made, 2), F.avg_pool2d(wanted, 2)
    return loss


def train(composer: Composer, state_file: Path, *, minutes: float) -> AutoencoderKL:
    """Train for so many minutes in all, taking up the state in the file if there is one."""
    where = composer.device
    torch.manual_seed(0)
    model = build().to(where)
    average = running.MovingAverage(model.parameters(), decay=0.998)
    optimizers = muon.optimizers(
        [model.encoder, model.decoder, model.quant_conv, model.post_quant_conv], lr=RATE
    )
    step, before = 0, 0.0
    if (state := running.load(state_file, where)) is not None:
        model.load_state_dict(state["model"])
        if "optimizers" in state:  # not so where an exported model was taken up
            for optimizer, saved_state in zip(optimizers, state["optimizers"], strict=True):
                optimizer.load_state_dict(saved_state)
        average.restore(state["average"])
        step, before = state["step"], state["seconds"]
    planner = Planner(composer.icons, seed=SEED)

    def keep(seconds: float) -> None:
        running.save(
            state_file,
            {
                "model": model.state_dict(),
                "optimizers": [optimizer.state_dict() for optimizer in optimizers],
                "average": average.weights,
                "step": step,
                "seconds": seconds,
            },
        )

    started = saved = time.monotonic()
    losses: list[float] = []
    while (seconds := before + time.monotonic() - started) < minutes * 60:
        done = seconds / (minutes * 60)
        running.set_rate(optimizers, learning_rate(step, done))
        scenes = [planner.plan(step * BATCH + row) for row in range(BATCH)]
        pictures = composer.paint(scenes, SIDE)
        pictures = _cropped(pictures) if done < 1 - WHOLE_SHARE else pictures[: BATCH // 2]
        losses.append(_step(model, optimizers, pictures))
        average.follow(step)
        step += 1
        if step % LOG_STEPS == 0:
            recent = sum(losses) / len(losses)
            print(f"autoencoder step {step} {seconds:.0f} s loss {recent:.4f}", flush=True)
            losses.clear()
        if time.monotonic() - saved > SAVE_SECONDS:
            saved = time.monotonic()
            keep(seconds)
    keep(seconds)
    average.swap()
    return model.eval()


def _cropped(pictures: Tensor) -> Tensor:
    """The same square piece, anywhere, of each picture."""
    left, top = torch.randint(0, SIDE - CROP + 1, (2,)).tolist()
    return pictures[:, :, top : top + CROP, left : left + CROP]


def _step(model: AutoencoderKL, optimizers: list[torch.optim.Optimizer], pictures: Tensor) -> float:
    """One step down the gradient; returns the loss.

    The decoder sees the mean of the posterior: its noise only slows a short training down.
    """
    with running.half_precision(pictures.device.type):
        posterior = model.encode(pictures).latent_dist
        made = model.decode(posterior.mean).sample
    size = posterior.mean.float().square().mean()
    loss = loss_of(made.float(), pictures) + SIZE_WEIGHT * size
    model.zero_grad(set_to_none=True)
    loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    for optimizer in optimizers:
        optimizer.step()
    return loss.item()
