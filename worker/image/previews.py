"""What a picture will look like, while it is being made. In the engine process only: uses torch.

A preview must cost next to nothing, so the autoencoder decodes it only where that is quick, as a
small model's is. Else each latent becomes one pixel by a linear map, which is learned from every
picture that is finished: its latents, and what the autoencoder made of them.
"""

import functools
from typing import Any, Final

import numpy as np
import torch
from diffusers import SchedulerMixin
from PIL import Image

RIDGE: Final = 0.1
"""Keeps the map small where few latents have been seen."""
FLOW_STEPS: Final = 1000
FORGETTING: Final = 0.98
"""What earlier pictures count for, with each that is finished: the map follows the model."""


class Looks:
    """The linear map from a model's latents to colours, as far as it is known."""

    def __init__(self) -> None:
        self._squares: torch.Tensor | None = None
        self._products: torch.Tensor | None = None

    def learn(self, latents: torch.Tensor, image: Image.Image) -> None:
        """Take in that these latents, (channels, height, width), became this picture."""
        rows = _rows(latents)
        small = image.convert("RGB").resize(latents.shape[:0:-1], Image.Resampling.BOX)
        colours = torch.from_numpy(np.asarray(small, np.float64).reshape(-1, 3) / 255 - 0.5)
        squares, products = rows.T @ rows / len(rows), rows.T @ colours / len(rows)
        if self._squares is None or self._products is None:
            self._squares, self._products = squares, products
        else:
            self._squares = FORGETTING * self._squares + squares
            self._products = FORGETTING * self._products + products

    def picture(self, latents: torch.Tensor) -> Image.Image | None:
        """Give a picture with a pixel for each latent; None where none was ever finished."""
        if self._squares is None or self._products is None:
            return None
        ridge = RIDGE * torch.eye(len(self._squares), dtype=torch.float64)
        colours = _rows(latents) @ torch.linalg.solve(self._squares + ridge, self._products)
        pixels = ((colours + 0.5).clamp(0, 1) * 255).round().byte()
        return Image.fromarray(pixels.reshape(*latents.shape[1:], 3).numpy())


class Estimate:
    """What a scheduler's last step takes the finished latents for."""

    def __init__(self, scheduler: SchedulerMixin) -> None:
        self._scheduler = scheduler
        self._seen: torch.Tensor | None = None
        self._step: tuple[torch.Tensor, Any, torch.Tensor] | None = None
        step = scheduler.step
        scale = getattr(scheduler, "scale_model_input", lambda sample, *_: sample)

        @functools.wraps(scale)
        def scaled(*args: Any, **kwargs: Any) -> torch.Tensor:  # noqa: ANN401 - as the scheduler has it
            self._seen = scale(*args, **kwargs)
            return self._seen

        @functools.wraps(step)
        def stepped(output: torch.Tensor, time: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401
            self._step = (output, time, args[0] if args else kwargs["sample"])
            return step(output, time, *args, **kwargs)

        scheduler.scale_model_input, scheduler.step = scaled, stepped

    def latents(self) -> torch.Tensor | None:
        """Give the first picture's latents without their noise; None before the first step.

        A scheduler hands the network its latents with unit variance, whatever it works with itself
        (arXiv:2202.00512, appendix D, for the three kinds of prediction).
        """
        if self._step is None:
            return None
        output, time, sample = self._step
        if not hasattr(self._scheduler, "alphas_cumprod"):  # a straight flow: time is 0 to 1000
            return sample[0].float() - float(time) / FLOW_STEPS * output[0].float()
        if self._seen is None:
            return None
        kept = _kept(self._scheduler, float(time))
        noisy, guess = self._seen[0].float(), output[0].float()
        kind = self._scheduler.config.prediction_type
        if kind == "sample":
            return guess
        if kind == "v_prediction":
            return kept**0.5 * noisy - (1 - kept) ** 0.5 * guess
        return (noisy - (1 - kept) ** 0.5 * guess) / max(kept, 1e-4) ** 0.5


def _rows(latents: torch.Tensor) -> torch.Tensor:
    """Give a row for each latent, with a one behind."""
    flat = latents.detach().double().cpu().flatten(1).T
    return torch.cat((flat, torch.ones(len(flat), 1, dtype=torch.float64)), dim=1)


def _kept(scheduler: SchedulerMixin, time: float) -> float:
    """Give the share of the signal at a training time, which may lie between two."""
    shares = scheduler.alphas_cumprod
    below = min(max(int(time), 0), len(shares) - 1)
    above = min(below + 1, len(shares) - 1)
    return float(torch.lerp(shares[below].float(), shares[above].float(), time - below))
