"""Stable Cascade (arXiv:2306.00637): a small picture's code first, then a picture from that.

In the engine process only: uses torch.
"""

import contextlib
import math
from collections.abc import Iterator, Mapping, Sequence
from types import SimpleNamespace
from typing import Any, ClassVar, Final

import torch
from diffusers import DDPMWuerstchenScheduler, SchedulerMixin, StableCascadeCombinedPipeline
from diffusers.models import StableCascadeUNet
from diffusers.pipelines.deprecated.wuerstchen.modeling_paella_vq_model import PaellaVQModel
from diffusers.utils.torch_utils import randn_tensor
from transformers import (
    CLIPTextModelWithProjection,
    CLIPTokenizer,
    CLIPVisionModelWithProjection,
)

from worker import clip_pixels, pictures
from worker.image.conditioning import Conditioning, Encoder, cut
from worker.image.loaded import Loaded
from worker.image.order import Checkpoint, PictureOrder, Reference
from worker.image.sizes import Larger

DECODER_STEPS: Final = 10
"""From the code to the picture, which needs no guidance; what was asked for is the code's steps."""
WEIGHTS: Final[Mapping[str, Any]] = {
    "text_encoder": CLIPTextModelWithProjection,
    "decoder": StableCascadeUNet,
    "vqgan": PaellaVQModel,
    "prior_prior": StableCascadeUNet,
    "prior_text_encoder": CLIPTextModelWithProjection,
}
PLAIN: Final[Mapping[str, Any]] = {
    "tokenizer": CLIPTokenizer,
    "prior_tokenizer": CLIPTokenizer,
    "scheduler": DDPMWuerstchenScheduler,
    "prior_scheduler": DDPMWuerstchenScheduler,
}
"""The parts of a checkpoint with weights and without, by their folders."""
SEEING: Final[Mapping[str, Any]] = {"prior_image_encoder": CLIPVisionModelWithProjection}
"""The part that sees pictures, which not every checkpoint has."""
ITS_SAMPLER: Final = "the sampler of Stable Cascade"


class LastSteps(DDPMWuerstchenScheduler):  # type: ignore[misc]  # untyped
    """Takes the last of the steps alone. last: so many."""

    last: int
    timesteps: torch.Tensor

    def set_timesteps(
        self,
        num_inference_steps: int | None = None,
        timesteps: list[float] | torch.Tensor | None = None,
        device: str | torch.device | None = None,
    ) -> None:
        """Leave out what was done before."""
        super().set_timesteps(num_inference_steps, timesteps, device)
        self.timesteps = self.timesteps[-self.last - 1 :]


@contextlib.contextmanager
def _last_steps(prior: Any, last: int) -> Iterator[LastSteps]:  # noqa: ANN401 - of diffusers
    """Let the first model take its last steps alone meanwhile."""
    whole = prior.scheduler
    prior.scheduler = LastSteps.from_config(whole.config)
    prior.scheduler.last = last
    try:
        yield prior.scheduler
    finally:
        prior.scheduler = whole


class LoadedCascade(Loaded):
    """A loaded Stable Cascade, with both its models.

    It cannot start from a picture; where it has the part that sees them, pictures can be parts of a
    prompt.
    """

    made_with: ClassVar[Mapping[str, Any]] = {}
    text_pipeline: ClassVar[Any] = StableCascadeCombinedPipeline
    learning: ClassVar[Mapping[str, str]] = {"": "prior_text_encoder"}
    refines_codes: ClassVar[bool] = True

    @classmethod
    def load(cls, checkpoint: Checkpoint, device: str, dtype: torch.dtype) -> "Loaded":
        """Load a checkpoint part by part: diffusers does not find the classes of all of them."""
        saved = {
            "local_files_only": True,
            "use_safetensors": checkpoint.is_safe,
            "variant": checkpoint.variant,
            "dtype": dtype,
        }
        parts = {
            part: kind.from_pretrained(checkpoint.folder / part, **saved)
            for part, kind in {**WEIGHTS, **(SEEING if checkpoint.remixes else {})}.items()
        }
        parts |= {
            part: kind.from_pretrained(checkpoint.folder / part) for part, kind in PLAIN.items()
        }
        return cls(checkpoint, StableCascadeCombinedPipeline(**parts).to(device))

    @property
    def networks(self) -> Sequence[torch.nn.Module]:
        """The two denoisers and the decoder of the second one's latents."""
        return self.from_text.prior_prior, self.from_text.decoder, self.from_text.vqgan

    def encode(self, order: PictureOrder) -> Conditioning:
        """Encode both prompts with the text encoder that both models share."""
        pipe = self.from_text
        encoder = Encoder(
            pipe.prior_tokenizer,
            pipe.prior_text_encoder,
            layer=order.clip_skip,
            is_normed=False,
            words=self.words.ids[""],
        )
        (wanted, unwanted), notes = cut(encoder, (order.prompt, order.negative))
        given = {
            "prompt_embeds": encoder.states(wanted),
            "negative_prompt_embeds": encoder.states(unwanted),
            "prompt_embeds_pooled": encoder.pooled(wanted).unsqueeze(1),
            "negative_prompt_embeds_pooled": encoder.pooled(unwanted).unsqueeze(1),
        }
        if order.references:
            seen = [self._seen(one) for one in order.references]
            given["image_embeds"] = torch.stack(seen, dim=1)
            notes.append(f"remixed from {len(seen)} picture{'s' if len(seen) > 1 else ''}")
        return Conditioning(given, notes)

    def _seen(self, reference: Reference) -> torch.Tensor:
        """Encode a picture as it counts: (1, width). Raises CannotRender."""
        encoder = self.from_text.prior_image_encoder
        image = pictures.on_white(pictures.read(reference.picture, kind="source_image"))
        shown = clip_pixels.middle(image, encoder.config.image_size)
        seen = encoder(clip_pixels.pixels(shown, encoder.device).to(encoder.dtype)).image_embeds
        return reference.strength * seen

    def scheduler(self, order: PictureOrder, seed: int) -> SchedulerMixin:
        """Make a scheduler; there is one for this model."""
        del order, seed
        return DDPMWuerstchenScheduler.from_config(self.scheduler_config)

    def instead(self, order: PictureOrder) -> str | None:
        """Say that its own sampler draws, whatever was asked for."""
        del order
        return ITS_SAMPLER

    def call(self, pipe: Any, **given: Any) -> Any:  # noqa: ANN401 - pictures, by its parameters
        """Make a code of each picture, a larger one of that for a hires fix, and the pictures.

        Steps are counted over all of it.
        """
        after_step, steps = given.pop("callback_on_step_end"), given["num_inference_steps"]
        larger: Larger | None = given.pop("larger", None)
        again = 0 if larger is None else larger.steps(steps)
        total = SimpleNamespace(num_timesteps=steps + again + DECODER_STEPS)
        if given["guidance_scale"] <= 1:  # the pipeline would put them beside nothing
            given |= {name: None for name in given if name.startswith("negative")}
        if (seen := given.pop("image_embeds", None)) is not None:
            given["image_embeds"] = seen[:1]  # the pipeline repeats it itself

        def after(begin: int) -> Any:  # noqa: ANN401 - a callback of diffusers
            def told(_: object, index: int, time: Any, state: dict[str, Any]) -> dict[str, Any]:  # noqa: ANN401
                changed: dict[str, Any] = after_step(total, begin + index, time, state)
                return changed

            return told

        prior, given["output_type"] = pipe.prior_pipe, "pt"
        codes = prior(**given, callback_on_step_end=after(0)).image_embeddings
        if larger is not None:
            sides = {"width": larger.size.width, "height": larger.size.height}
            with _last_steps(prior, again) as scheduler:
                given |= {**sides, "latents": self._enlarged(codes, given, sides, scheduler)}
                codes = prior(**given, callback_on_step_end=after(steps)).image_embeddings
        return pipe.decoder_pipe(
            image_embeddings=codes,
            prompt_embeds=given["prompt_embeds"],
            prompt_embeds_pooled=given["prompt_embeds_pooled"],
            num_inference_steps=DECODER_STEPS,
            guidance_scale=0.0,
            generator=given["generator"],
            output_type="np",
            callback_on_step_end=after(steps + again),
        ).images

    def _enlarged(
        self,
        codes: torch.Tensor,
        given: Mapping[str, Any],
        sides: Mapping[str, int],
        scheduler: "LastSteps",
    ) -> torch.Tensor:
        """Scale codes to what is to be a larger picture's, and noise them for the last steps."""
        multiple = self.from_text.prior_pipe.config.resolution_multiple
        shape = [math.ceil(sides[side] / multiple) for side in ("height", "width")]
        larger = torch.nn.functional.interpolate(codes, shape, mode="bicubic")
        noise = randn_tensor(
            larger.shape, generator=given["generator"], device=larger.device, dtype=larger.dtype
        )
        scheduler.set_timesteps(given["num_inference_steps"], device=larger.device)
        return scheduler.add_noise(larger, noise, scheduler.timesteps[:1].expand(len(larger)))

    def decoding_seconds(self) -> float:
        """Say that looks at it are not for free: they are learned."""
        return math.inf

    def preview(self, latents: torch.Tensor) -> bytes | None:
        """Show nothing: what is made for most of the time is a code, not a picture."""
        del latents
        return None

    def _second(self, pipe: Any) -> Any:  # noqa: ANN401 - of its family
        for one in (pipe.prior_pipe, pipe.decoder_pipe):
            one.set_progress_bar_config(disable=True)
        return None
