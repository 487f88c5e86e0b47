"""The decoder, trained alone: encoder and latents stay as they are, and the denoiser with them.

It knows the same few hundred things as the denoiser does, so it can put back what sixteen numbers
for sixteen by sixteen pixels leave out. First it is taught by the error of values and edges, which
is right on average and soft; then a critic of small pieces is set against it as well, whose share
is measured by gradients (Esser et al., arXiv:2012.09841, equation 7).
"""

import time
from collections.abc import Iterable
from pathlib import Path

import torch
import torch.nn.functional as F
from diffusers import AutoencoderKL
from torch import Tensor, nn

from training import autoencoder, muon, running
from training.composer import Composer
from training.latents import SHAPES
from training.scenes import Planner

BATCH = 8
RATE = 1e-3
CRITIC_RATE = 2e-4
CRITIC_SHARE = 0.3
"""How much the critic's gradient counts beside that of the error, at the last convolution."""
CRITIC_WARM_UP_STEPS = 100
"""Steps in which the critic learns before anybody listens to it."""
MAX_CRITIC_WEIGHT = 0.2
MAX_NOISE = 0.25
"""Of the latents' spread, added to them: the denoiser's are never quite those of the encoder."""
SEED = 2  # scenes other than those of the autoencoder and the denoiser
SAVE_SECONDS = 180
LOG_STEPS = 100


class Critic(nn.Sequential):
    """Says of each piece of some thirty pixels how real it is, after Isola et al., 1611.07004."""

    def __init__(self, width: int = 32) -> None:
        super().__init__(
            nn.Conv2d(3, width, 4, stride=2, padding=1),
            nn.LeakyReLU(0.2),
            nn.Conv2d(width, 2 * width, 4, stride=2, padding=1),
            nn.GroupNorm(4, 2 * width),
            nn.LeakyReLU(0.2),
            nn.Conv2d(2 * width, 4 * width, 3, padding=1),
            nn.GroupNorm(4, 4 * width),
            nn.LeakyReLU(0.2),
            nn.Conv2d(4 * width, 1, 3, padding=1),
        )


class Training:
    """One training of a decoder, from its state file on if there is one.

    model: the autoencoder as it is exported; its decoder is changed in place.
    """

    def __init__(self, model: AutoencoderKL, composer: Composer, state_file: Path) -> None:
        torch.manual_seed(0)
        where = composer.device
        self.model = model.to(where).requires_grad_(requires_grad=False)
        self.decoder = parts(model).requires_grad_(requires_grad=True)
        self.critic = Critic().to(where)
        self.average = running.MovingAverage(self.decoder.parameters(), decay=0.998)
        self.optimizers = muon.optimizers([self.decoder], lr=RATE)
        self.critics = [torch.optim.AdamW(self.critic.parameters(), CRITIC_RATE, (0.5, 0.9))]
        self.step, self.criticised, self.seconds = 0, 0, 0.0
        self._composer, self._planner = composer, Planner(composer.icons, seed=SEED)
        self._file = state_file
        if (state := running.load(state_file, where)) is not None:
            self._restore(state)

    def run(self, *, minutes: float, critic_minutes: float, decay_minutes: float) -> None:
        """Train for so many more minutes.

        critic_minutes: of these, at the end, with the critic. The state before it is kept beside
            the other ("….plain"), to be compared.
        decay_minutes: of these, at the end, over which the rate falls to nothing.
        """
        started = saved = time.monotonic()
        before, losses, plain = self.seconds, [], True
        while (spent := time.monotonic() - started) < minutes * 60:
            left = minutes * 60 - spent
            criticise = left < critic_minutes * 60
            if criticise and plain:
                plain = False
                self.save(self._file.with_suffix(".plain"))
            share = min(1.0, left / (decay_minutes * 60)) if decay_minutes > 0 else 1.0
            running.set_rate(self.optimizers, RATE * share)
            losses.append(self._learn(self._pictures(), criticise=criticise))
            self.step += 1
            self.seconds = before + time.monotonic() - started
            if self.step % LOG_STEPS == 0:
                recent = sum(losses) / len(losses)
                print(
                    f"decoder step {self.step} {self.seconds:.0f} s loss {recent:.4f}", flush=True
                )
                losses.clear()
            if time.monotonic() - saved > SAVE_SECONDS:
                saved = time.monotonic()
                self.save(self._file)
        self.save(self._file)

    def _pictures(self) -> Tensor:
        """Scenes that were never shown, of the shapes in turn: (BATCH, 3, height, width)."""
        frame = SHAPES[self.step % len(SHAPES)]
        first = self.step * BATCH
        scenes = [self._planner.plan(first + row, frame=frame) for row in range(BATCH)]
        return self._composer.paint(scenes, autoencoder.SIDE)

    def _learn(self, pictures: Tensor, *, criticise: bool) -> float:
        """One step down the gradient. Returns the error of values and edges."""
        where = pictures.device.type
        with torch.no_grad(), running.half_precision(where):
            latents = self.model.encode(pictures).latent_dist.mean.float()
        spread = latents.std((0, 2, 3), keepdim=True)
        noise = torch.rand(len(latents), 1, 1, 1, device=latents.device) * MAX_NOISE * spread
        with running.half_precision(where):
            made = self.model.decode(latents + noise * torch.randn_like(latents)).sample.float()
        error = autoencoder.loss_of(made, pictures)
        loss = error
        if criticise:
            self._teach_critic(pictures, made.detach())
            if self.criticised > CRITIC_WARM_UP_STEPS:
                loss = error + self._criticism(made, error)
        _descend(self.optimizers, self.decoder.parameters(), loss)
        self.average.follow(self.step)
        return error.item()

    def _teach_critic(self, real: Tensor, made: Tensor) -> None:
        """Show the critic pictures of both sorts, once. The loss is the hinge."""
        with running.half_precision(real.device.type):
            said_real, said_made = self.critic(torch.cat([real, made])).float().chunk(2)
        loss = F.relu(1 - said_real).mean() + F.relu(1 + said_made).mean()
        _descend(self.critics, self.critic.parameters(), loss)
        self.criticised += 1

    def _criticism(self, made: Tensor, error: Tensor) -> Tensor:
        """What the critic holds against the pictures, weighed against the error."""
        with running.half_precision(made.device.type):
            found = -self.critic(made).float().mean()
        last = self.model.decoder.conv_out.weight
        [of_error] = torch.autograd.grad(error, last, retain_graph=True)
        [of_critic] = torch.autograd.grad(found, last, retain_graph=True)
        weight = CRITIC_SHARE * of_error.norm() / (of_critic.norm() + 1e-6)
        return weight.clamp(max=MAX_CRITIC_WEIGHT).detach() * found

    def save(self, path: Path) -> None:
        """Write the state."""
        running.save(
            path,
            {
                "decoder": self.decoder.state_dict(),
                "critic": self.critic.state_dict(),
                "optimizers": [each.state_dict() for each in (*self.optimizers, *self.critics)],
                "average": self.average.weights,
                "step": self.step,
                "criticised": self.criticised,
                "seconds": self.seconds,
            },
        )

    def _restore(self, state: dict) -> None:
        self.decoder.load_state_dict(state["decoder"])
        self.critic.load_state_dict(state["critic"])
        for each, saved in zip((*self.optimizers, *self.critics), state["optimizers"], strict=True):
            each.load_state_dict(saved)
        self.average.restore(state["average"])
        self.step, self.criticised = state["step"], state["criticised"]
        self.seconds = state["seconds"]


def parts(model: AutoencoderKL) -> nn.ModuleList:
    """What is trained of an autoencoder."""
    return nn.ModuleList([model.post_quant_conv, model.decoder])


def _descend(
    optimizers: Iterable[torch.optim.Optimizer], weights: Iterable[nn.Parameter], loss: Tensor
) -> None:
    for optimizer in optimizers:
        optimizer.zero_grad(set_to_none=True)
    loss.backward()
    torch.nn.utils.clip_grad_norm_(weights, 1.0)
    for optimizer in optimizers:
        optimizer.step()
