"""What somebody wants: the options of a picture, a text or forms, as they are stored and asked."""

from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field

from core import features
from core.wire.generate import GenerationInputStable

MAX_PROMPT: Final = 6000
SIZES: Final = {
    "square": (512, 512),
    "portrait": (512, 768),
    "landscape": (768, 512),
    "large square": (1024, 1024),
    "large portrait": (832, 1216),
    "large landscape": (1216, 832),
    "small square": (256, 256),
    "tiny square": (128, 128),
}
"""Width and height by the name that people choose."""


class Options(BaseModel):
    """Settings of pictures that may stay from one to the next; None: as the horde likes."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    negative: str | None = None
    model: str | None = None
    style: str | None = None
    size: str | None = None
    steps: int | None = None
    cfg_scale: float | None = None
    sampler: str | None = None
    karras: bool | None = None
    tiling: bool | None = None
    hires_fix: bool | None = None
    clip_skip: int | None = None
    post_processing: list[str] = Field(default_factory=list)
    loras: list[str] = Field(default_factory=list)
    tis: list[str] = Field(default_factory=list)
    control_type: str | None = None
    seed_variation: int | None = None
    share: bool | None = None

    def said(self) -> dict[str, Any]:
        """Only what is set."""
        return {name: value for name, value in self.model_dump().items() if value not in (None, [])}


class Wanted(Options):
    """One request."""

    prompt: str = ""
    n: int = 1
    seed: str | None = None
    strength: float | None = None
    processing: str | None = None
    """How a source picture is used; None: there is none."""
    forms: list[str] = Field(default_factory=list)
    """Of alchemy."""
    max_length: int | None = None
    """Tokens of a text."""
    nsfw: bool = False
    source_files: list[dict[str, Any]] = Field(default_factory=list)
    """The pictures to start from, as the message has them."""

    def picture(
        self, models: list[str], source: str | None, mask: str | None, more: list[str]
    ) -> GenerationInputStable:
        """The request for pictures. source, mask, more: base64. models: if none is chosen."""
        params: dict[str, Any] = {"n": self.n}
        if self.size is not None:
            params["width"], params["height"] = SIZES[self.size]
        named = {
            "steps": self.steps,
            "cfg_scale": self.cfg_scale,
            "sampler_name": self.sampler,
            "karras": self.karras,
            "tiling": self.tiling,
            "hires_fix": self.hires_fix,
            "clip_skip": self.clip_skip,
            "post_processing": self.post_processing or None,
            "seed": self.seed,
            "seed_variation": self.seed_variation,
            "loras": [_adaptation(one) for one in self.loras] or None,
            "tis": [_inversion(one) for one in self.tis] or None,
        }
        params |= {name: value for name, value in named.items() if value is not None}
        if source is not None:
            params["denoising_strength"] = self.strength if self.strength is not None else 0.6
            if self.control_type:
                params["control_type"] = self.control_type
        prompt = self.prompt
        if self.negative:
            prompt = f"{prompt}{features.NEGATIVE}{self.negative}"
        whole: dict[str, Any] = {"prompt": prompt, "params": params, "nsfw": self.nsfw}
        whole |= {"censor_nsfw": not self.nsfw, "shared": bool(self.share)}
        whole["r2"] = True  # said, as a horde without https sends no links otherwise
        if self.style:
            whole["style"] = self.style
            whole["models"] = [self.model] if self.model else []
        else:
            whole["models"] = [self.model] if self.model else models
        if source is not None:
            whole |= {"source_image": source, "source_processing": self.processing or "img2img"}
            if mask is not None:
                whole["source_mask"] = mask
            if more:
                whole["extra_source_images"] = [{"image": image} for image in more]
        return GenerationInputStable.model_validate(whole)


def _adaptation(text: str) -> dict[str, Any]:
    """Read `name` or `name:strength`."""
    name, strength = _with_strength(text)
    return {"name": name, "model": strength, "clip": strength}


def _inversion(text: str) -> dict[str, Any]:
    name, strength = _with_strength(text)
    return {"name": name, "strength": strength, "inject_ti": "prompt"}


def _with_strength(text: str) -> tuple[str, float]:
    name, colon, number = text.rpartition(":")
    try:
        return (name, float(number)) if colon else (text, 1.0)
    except ValueError:
        return text, 1.0
