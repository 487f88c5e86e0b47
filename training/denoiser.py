"""The denoiser and its text encoder: trained together on cached latents and captions."""

import time
from pathlib import Path

import torch
import torch.nn.functional as F
from diffusers import DDPMScheduler, UNet2DConditionModel
from torch import Tensor, nn
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

from training import latents, muon, running
from training.tokenizer import LENGTH

WIDTH = 192  # of the text encoder
RATE = 1.5e-3
WARM_UP_STEPS = 100
UNCONDITIONAL_SHARE = 0.1  # of captions emptied, for classifier-free guidance
SKIPPED_LAYER_SHARE = 0.1  # of batches told by the last layer but one, as "clip skip 2" asks for
SNR_LIMIT = 5.0  # Hang et al., arXiv:2303.09556: steps of little noise weigh no more than this
SAVE_SECONDS = 180
LOG_STEPS = 100


def build_unet() -> UNet2DConditionModel:
    """The denoiser, untrained: 7.7 M parameters, attention to the words at 4 by 4 tokens."""
    return UNet2DConditionModel(
        sample_size=8,
        in_channels=16,
        out_channels=16,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
        block_out_channels=(128, 160),
        layers_per_block=1,
        cross_attention_dim=WIDTH,
        attention_head_dim=(4, 5),
        norm_num_groups=16,
    )


def build_text_encoder(vocabulary: int) -> CLIPTextModel:
    """The text encoder, untrained: three layers, `vocabulary` tokens."""
    model = CLIPTextModel(
        CLIPTextConfig(
            vocab_size=vocabulary,
            hidden_size=WIDTH,
            intermediate_size=3 * WIDTH,
            num_hidden_layers=3,
            num_attention_heads=6,
            max_position_embeddings=LENGTH,
            projection_dim=WIDTH,
            bos_token_id=0,
            eos_token_id=1,
            pad_token_id=1,
            hidden_act="gelu",
        )
    )
    for part in model.modules():
        if isinstance(part, nn.Embedding):  # CLIP's own start is too small to tell words apart
            nn.init.normal_(part.weight, std=0.3 if part.num_embeddings > LENGTH else 0.05)
    return model


def build_schedule() -> DDPMScheduler:
    """The noise schedule of Stable Diffusion, predicting v: every sampler knows both."""
    return DDPMScheduler(
        beta_start=0.00085,
        beta_end=0.012,
        beta_schedule="scaled_linear",
        prediction_type="v_prediction",
        steps_offset=1,
        clip_sample=False,
    )


class Training:
    """One training of denoiser and text encoder, from its state file on if there is one."""

    def __init__(self, tokenizer: CLIPTokenizer, state_file: Path, *, where: str) -> None:
        torch.manual_seed(0)
        self.where = where
        self.unet = build_unet().to(where)
        self.text_encoder = build_text_encoder(len(tokenizer)).to(where)
        weights = [*self.unet.parameters(), *self.text_encoder.parameters()]
        self.weights = weights
        self.average = running.MovingAverage(weights, decay=0.999)
        self.optimizers = muon.optimizers([self.unet, self.text_encoder], lr=RATE)
        self.signal = build_schedule().alphas_cumprod.to(where)
        self.empty = latents.token_ids(tokenizer, [""])[0].to(where)
        self.step, self.seconds = 0, 0.0
        self._file = state_file
        if (state := running.load(state_file, where)) is not None:
            self._restore(state)

    def run(self, folder: Path, *, minutes: float, batch: int, decay_minutes: float = 0.0) -> None:
        """Train for so many more minutes on the cache in the folder.

        decay_minutes: at the end of them, over which the rate falls to nothing. The state saved
            before the decay is kept beside the other ("….steady"), for a later run to go on from.
        """
        cached = latents.read(folder, self.where)
        counts = torch.tensor([len(pictures) for pictures, _ in cached], dtype=torch.float32)
        torch.manual_seed(self.step)  # a resumed run draws other noise than the first did
        started = saved = time.monotonic()
        before, losses, steady = self.seconds, [], True
        while (spent := time.monotonic() - started) < minutes * 60:
            left = minutes * 60 - spent
            falling = decay_minutes > 0 and left < decay_minutes * 60
            if falling and steady:
                steady = False
                self.save(self._file.with_suffix(".steady"))
            self._set_rate(left / (decay_minutes * 60) if falling else 1.0)
            pictures, captions = cached[int(torch.multinomial(counts, 1))]
            rows = torch.randint(0, len(pictures), (batch,), device=self.where)
            wording = torch.randint(0, captions.shape[1], (batch,), device=self.where)
            losses.append(self._learn(pictures[rows].float(), captions[rows, wording].long()))
            self.step += 1
            self.seconds = before + time.monotonic() - started
            if self.step % LOG_STEPS == 0:
                recent = torch.stack(losses).mean().item()
                print(f"step {self.step} {self.seconds:.0f} s loss {recent:.4f}", flush=True)
                losses.clear()
            if time.monotonic() - saved > SAVE_SECONDS:
                saved = time.monotonic()
                self.save(self._file)
        self.save(self._file)

    def _set_rate(self, share: float) -> None:
        warm = min(1.0, (self.step + 1) / WARM_UP_STEPS)
        running.set_rate(self.optimizers, RATE * warm * share)

    def _learn(self, pictures: Tensor, tokens: Tensor) -> Tensor:
        """One step down the gradient; returns the loss."""
        count = len(pictures)
        tokens[torch.rand(count, device=self.where) < UNCONDITIONAL_SHARE] = self.empty
        times = torch.randint(0, len(self.signal), (count,), device=self.where)
        share = self.signal[times].view(-1, 1, 1, 1)
        noise = torch.randn_like(pictures)
        noisy = share.sqrt() * pictures + (1 - share).sqrt() * noise
        wanted = share.sqrt() * noise - (1 - share).sqrt() * pictures
        with running.half_precision(self.where):
            predicted = self.unet(noisy, times, self._words(tokens)).sample.float()
        ratio = share / (1 - share)
        weight = ratio.clamp(max=SNR_LIMIT) / (ratio + 1)
        loss = (weight * F.mse_loss(predicted, wanted, reduction="none")).mean()
        for optimizer in self.optimizers:
            optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.weights, 1.0)
        for optimizer in self.optimizers:
            optimizer.step()
        self.average.follow(self.step)
        return loss.detach()

    def _words(self, tokens: Tensor) -> Tensor:
        """The text encoder's states, (n, LENGTH, WIDTH)."""
        if torch.rand(()) >= SKIPPED_LAYER_SHARE:
            return self.text_encoder(tokens).last_hidden_state
        hidden = self.text_encoder(tokens, output_hidden_states=True).hidden_states[-2]
        return self.text_encoder.final_layer_norm(hidden)

    def save(self, path: Path) -> None:
        """Write the state."""
        running.save(
            path,
            {
                "unet": self.unet.state_dict(),
                "text_encoder": self.text_encoder.state_dict(),
                "optimizers": [optimizer.state_dict() for optimizer in self.optimizers],
                "average": self.average.weights,
                "step": self.step,
                "seconds": self.seconds,
            },
        )

    def _restore(self, state: dict) -> None:
        self.unet.load_state_dict(state["unet"])
        self.text_encoder.load_state_dict(state["text_encoder"])
        if "optimizers" in state:  # not so where an exported model was taken up
            for optimizer, saved in zip(self.optimizers, state["optimizers"], strict=True):
                optimizer.load_state_dict(saved)
        self.average.restore(state["average"])
        self.step, self.seconds = state["step"], state["seconds"]
