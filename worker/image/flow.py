"""Flux and Z-Image: transformers that follow a straight flow from noise to a picture.

In the engine process only: uses torch. Their schedulers know but one way, Euler's; the horde's
other samplers are that one here, and the picture's metadata says so.
"""

from collections.abc import Mapping
from typing import Any, ClassVar, Final

import torch
from diffusers import (
    FlowMatchEulerDiscreteScheduler,
    FluxImg2ImgPipeline,
    FluxPipeline,
    SchedulerMixin,
    ZImageImg2ImgPipeline,
    ZImagePipeline,
)

from worker.image import painting, prompts
from worker.image.conditioning import MAX_CHARS, Chunk, Conditioning
from worker.image.loaded import Loaded, Sides
from worker.image.order import PictureOrder
from worker.image.painting import Blend, Painting

ONLY_SAMPLER: Final = "k_euler"
MAX_TOKENS: Final = 512
NO_WEIGHTS: Final = "weights in the prompt do not count with this model"
NO_NEGATIVE: Final = "the negative prompt does not count with this model"


class LoadedFlow(Loaded):
    """What Flux and Z-Image have in common."""

    made_with: ClassVar[Mapping[str, Any]] = {}
    left_out: ClassVar[Mapping[str, None]] = {}
    denoiser: ClassVar[str] = "transformer"

    def scheduler(self, order: PictureOrder, seed: int) -> SchedulerMixin:
        """Make the scheduler for an order."""
        del seed
        return FlowMatchEulerDiscreteScheduler.from_config(
            self.scheduler_config, use_karras_sigmas=order.karras
        )

    def instead(self, order: PictureOrder) -> str | None:
        """Say that it is Euler's method, whatever was asked for."""
        return None if order.sampler == ONLY_SAMPLER else ONLY_SAMPLER

    def sides(self, width: int, height: int) -> Sides:
        """Say how large it is; these pipelines would make a megapixel of every source."""
        return {"width": width, "height": height}

    def blender(self, source: Painting, seeds: list[int]) -> Blend:
        """A callback after each step that puts the part which stays back, noised as the rest is."""
        pipe = self.from_image
        pixels = pipe.image_processor.preprocess(source.start).to(pipe.device, pipe.vae.dtype)
        kept = painting.mean(pipe, pixels).expand(len(seeds), -1, -1, -1)
        noise = torch.cat([painting.drawn(kept[:1], seed) for seed in seeds])
        anew = painting.latent_mask(source.mask, kept).expand_as(kept)
        kept, noise, anew = (self._packed(one) for one in (kept, noise, anew))

        def blend(called: Any, index: int, state: dict[str, Any]) -> dict[str, Any]:  # noqa: ANN401
            del index
            scheduler = called.scheduler
            left = scheduler.sigmas[scheduler.step_index].to(kept.device, kept.dtype)
            stays = left * noise + (1 - left) * kept
            latents = anew * state["latents"] + (1 - anew) * stays
            return {**state, "latents": latents.to(state["latents"].dtype)}

        return blend

    def _packed(self, latents: torch.Tensor) -> torch.Tensor:
        """Bring latents into the shape in which the pipeline has them."""
        return latents

    def _plain(self, text: str) -> tuple[str, bool]:
        """Give a prompt without its weights, and whether there were any."""
        segments = prompts.parse(text)
        weighted = any(segment.weight != 1 for segment in segments)
        return "".join(segment.text for segment in segments), weighted


class LoadedFlux(LoadedFlow):
    """A loaded Flux.1."""

    text_pipeline: ClassVar[Any] = FluxPipeline
    image_pipeline: ClassVar[Any] = FluxImg2ImgPipeline

    def encode(self, order: PictureOrder) -> Conditioning:
        """Encode the prompt with both encoders; there is no negative one.

        CLIP sees its first chunk as a whole, T5 each token with its weight.
        """
        encoder = self._encoder("", layer=1, is_normed=True)
        tokens = self._tokens(order.prompt)
        notes = [NO_NEGATIVE] if order.negative else []
        if len(tokens) >= self._max_tokens:
            notes.append(f"the prompt counts up to its token {self._max_tokens - 1}")
        given = {
            "prompt_embeds": self._states(tokens[: self._max_tokens - 1]),
            "pooled_prompt_embeds": encoder.pooled(encoder.chunks(order.prompt)),
        }
        return Conditioning(given, notes)

    def _tokens(self, text: str) -> Chunk:
        return [
            (token, segment.weight)
            for segment in prompts.parse(text[:MAX_CHARS])
            for token in self.from_text.tokenizer_2(
                segment.text, add_special_tokens=False
            ).input_ids
        ]

    def _states(self, tokens: Chunk) -> torch.Tensor:
        """Encode weighted tokens, as `conditioning.Encoder` does: (1, tokens, width)."""
        states = self._run([token for token, _ in tokens])
        weights = torch.ones(1, states.shape[1], 1, dtype=states.dtype, device=states.device)
        for place, (_, weight) in enumerate(tokens):
            weights[0, place] = weight
        if bool((weights != 1).any()):
            empty = self._run([])
            states = empty + weights * (states - empty)
        return states

    def _run(self, tokens: list[int]) -> torch.Tensor:
        tokenizer, model = self.from_text.tokenizer_2, self.from_text.text_encoder_2
        ids = torch.full(
            (1, self._max_tokens), tokenizer.pad_token_id, dtype=torch.long, device=model.device
        )
        ids[0, : len(tokens) + 1] = torch.tensor([*tokens, tokenizer.eos_token_id])
        states: torch.Tensor = model(ids)[0]
        return states

    def unpacked(self, latents: torch.Tensor, width: int, height: int) -> torch.Tensor:
        """Give the first picture's latents, which the pipeline has as patches of 2 x 2."""
        unpacked = self.from_text._unpack_latents(  # noqa: SLF001 - nothing else does it
            latents[:1], height, width, self.from_text.vae_scale_factor
        )
        return unpacked[0]

    @property
    def _max_tokens(self) -> int:
        is_guided = self.from_text.transformer.config.guidance_embeds
        return MAX_TOKENS if is_guided else MAX_TOKENS // 2  # as the two were trained

    def _packed(self, latents: torch.Tensor) -> torch.Tensor:
        pack = self.from_text._pack_latents  # noqa: SLF001 - nothing else does it
        return pack(latents, *latents.shape)


class LoadedZImage(LoadedFlow):
    """A loaded Z-Image."""

    text_pipeline: ClassVar[Any] = ZImagePipeline
    image_pipeline: ClassVar[Any] = ZImageImg2ImgPipeline
    learning: ClassVar[Mapping[str, str]] = {}

    def encode(self, order: PictureOrder) -> Conditioning:
        """Encode both prompts with the language model."""
        texts, weighted = zip(*map(self._plain, (order.prompt, order.negative)), strict=True)
        wanted, unwanted = self.from_text.encode_prompt(
            texts[0],
            device=self.from_text.device,
            do_classifier_free_guidance=order.cfg_scale > 0,
            negative_prompt=texts[1],
            max_sequence_length=MAX_TOKENS,
        )
        given = {"prompt_embeds": wanted}
        if unwanted:
            given["negative_prompt_embeds"] = unwanted
        return Conditioning(given, [NO_WEIGHTS] if any(weighted) else [])
