"""Parameters of an image request, and what follows from them: size of the work, time, features."""

from dataclasses import asdict, dataclass, field, fields
from typing import Any, Self

from core.features import POST_PROCESSORS, SAMPLERS
from core.kinds.params import EXTRA_SLOW

CONTROL_STEPS = 20  # the default with a control type
MAX_CONTROL_STEPS = 40
MAX_STEPS = 40  # of an unknown model

MAX_SEED_DIGITS = 4300  # as many as Python reads as a number; reading takes quadratic time
SECOND = 262144  # the area (512 * 512 pixels) for which a step may take two seconds
MIN_SECONDS = 150
SLOW_BASELINES = frozenset({"flux_1", "qwen_image", "z_image_turbo"})

_PRIVATE = {"private": True}
"""Marks parameters that do not say how a picture was made, or tell too much of its requester."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageParams:
    """What a worker is to make; effective defaults filled in. Stored with the request as JSON."""

    width: int = 512
    height: int = 512
    steps: int = 30
    sampler_name: str = "k_euler_a"
    cfg_scale: float = 5.0
    karras: bool = True
    tiling: bool = False
    hires_fix: bool = False
    hires_fix_denoising_strength: float | None = None
    denoising_strength: float | None = None
    clip_skip: int | None = None
    facefixer_strength: float | None = None
    post_processing: list[str] = field(default_factory=list)
    control_type: str | None = None
    image_is_control: bool = False
    return_control_map: bool = False
    loras: list[dict[str, Any]] = field(default_factory=list)
    tis: list[dict[str, Any]] = field(default_factory=list)
    special: dict[str, Any] | None = field(default=None, metadata=_PRIVATE)
    workflow: str | None = None
    extra_texts: list[dict[str, Any]] = field(default_factory=list, metadata=_PRIVATE)
    transparent: bool = False
    source_processing: str = "img2img"
    source_image: str | None = field(default=None, metadata=_PRIVATE)
    """Name of the source picture in the store."""
    source_mask: str | None = field(default=None, metadata=_PRIVATE)
    extra_source_images: list[dict[str, Any]] = field(default_factory=list, metadata=_PRIVATE)
    """`{image: name in the store, strength}`."""
    r2: bool = field(default=True, metadata=_PRIVATE)
    """Pictures are handed out as URLs; False: as base64."""
    r2_named: bool = field(default=False, metadata=_PRIVATE)
    """The client sent `r2` itself: it is not merely the default."""
    use_nsfw_censor: bool = field(default=False, metadata=_PRIVATE)
    disable_batching: bool = field(default=False, metadata=_PRIVATE)
    passed_on: dict[str, Any] = field(default_factory=dict)
    """Further parameters of a version 1 client, passed on to version 1 workers."""

    def to_json(self) -> dict[str, Any]:
        """The JSON document stored with the request."""
        return asdict(self)

    @classmethod
    def from_json(cls, document: dict[str, Any]) -> Self:
        """The parameters that `to_json` wrote."""
        return cls(**document)

    @property
    def pixels(self) -> int:
        """Area of the picture."""
        return self.width * self.height

    @property
    def effective_steps(self) -> int:
        """Evaluations of the model, roughly: step counts are compared and priced by them."""
        return effective_steps(self.sampler_name, self.steps)

    @property
    def things(self) -> int:
        """Size of the work in pixel steps."""
        return self.pixels * self.effective_steps

    @property
    def upscalers(self) -> list[str]:
        """The post-processors that enlarge."""
        return [name for name in self.post_processing if enlarges_by(name) > 1]

    @property
    def sources(self) -> list[str]:
        """The names of all source pictures in the store."""
        extras = [extra["image"] for extra in self.extra_source_images]
        return [name for name in (self.source_image, self.source_mask, *extras) if name]

    @property
    def is_painting(self) -> bool:
        """In- or outpainting, even if the source picture is missing."""
        return self.source_processing in ("inpainting", "outpainting")

    def features(self, baselines: frozenset[str]) -> frozenset[str]:
        """What the worker's software must be able to do (names as in `catalog.agents`)."""
        is_remix = self.source_image is not None and self.source_processing == "remix"
        wanted = {
            f"sampler:{self.sampler_name}": True,
            "karras": self.karras,
            "r2": self.r2,
            "img2img": self.source_image is not None and not is_remix,
            "remix": is_remix,
            "inpainting": self.is_painting,
            "extra_source_images": bool(self.extra_source_images),
            "post_processing": bool(self.post_processing),
            "tiling": self.tiling,
            "hires_fix": self.hires_fix,
            "clip_skip": (self.clip_skip or 1) > 1,
            "lora": bool(self.loras),
            "lora_versions": any(lora.get("is_version") for lora in self.loras),
            "textual_inversion": bool(self.tis),
            "controlnet": self.control_type is not None,
            f"control:{self.control_type}": bool(self.control_type) and not self.return_control_map,
            f"annotator:{self.control_type}": bool(self.control_type) and not self.image_is_control,
            "image_is_control": self.image_is_control,
            "return_control_map": self.return_control_map,
            "qr_code": self.workflow == "qr_code",
            "layer_diffuse": self.transparent,
            "flux": bool(baselines) and baselines <= SLOW_BASELINES,
        }
        processors = {f"post:{name}" for name in self.post_processing}
        return frozenset(name for name, needed in wanted.items() if needed) | processors

    def permissions(self) -> frozenset[str]:
        """What the worker's owner must allow (the contract's `allow_*`)."""
        wanted = {
            "img2img": self.source_image is not None,
            "painting": self.is_painting,
            "post-processing": bool(self.post_processing),
            "lora": bool(self.loras),
            "controlnet": self.control_type is not None,
            "sdxl_controlnet": self.transparent,
        }
        return frozenset(name for name, needed in wanted.items() if needed)

    def seconds(self, baseline: str | None, *, extra_slow: bool) -> int:
        """How long a worker may take before its attempt is given up (the contract's ttl)."""
        seconds = 30 + 2 * self.effective_steps * self.pixels / SECOND
        if self.control_type is not None:
            seconds *= 2
        if baseline in SLOW_BASELINES:
            seconds *= 3
        seconds = max(MIN_SECONDS, seconds)
        return round(seconds * EXTRA_SLOW if extra_slow else seconds)

    def safe_batch(self, amount: int, max_pixels: int) -> int:
        """How many pictures a worker that asked for `amount` may make at once, at least 1."""
        if self.disable_batching or self.workflow == "qr_code":
            return 1
        area = self.pixels * (1 + 0.4 * len(self.post_processing))
        if self.transparent or any(map(_is_heavy, self.post_processing)):
            area *= 1.8
        return max(1, min(amount, round(max_pixels / 3.5 * amount / area)))


PRIVATE = frozenset(field.name for field in fields(ImageParams) if field.metadata.get("private"))
"""The parameters that are not shared with a picture."""


def enlarges_by(processor: str) -> int:
    """The factor by which a post-processor enlarges a picture's sides; 1 if it does not."""
    known = POST_PROCESSORS.get(processor)
    return 1 if known is None else known.enlarges_by


def _is_heavy(processor: str) -> bool:
    known = POST_PROCESSORS.get(processor)
    return known is not None and known.heavy


def passes(sampler: str) -> int:
    """How often a sampler evaluates the model in a step; 1 for an unknown sampler."""
    known = SAMPLERS.get(sampler)
    return 1 if known is None else known.passes


def chooses_steps(sampler: str) -> bool:
    """Whether a sampler chooses its own number of steps, whatever is asked."""
    known = SAMPLERS.get(sampler)
    return known is not None and known.counts_as is not None


def effective_steps(sampler: str, steps: int) -> int:
    """How often a sampler evaluates the model in this many steps, roughly."""
    known = SAMPLERS.get(sampler)
    if known is None:
        return steps
    return steps * known.passes if known.counts_as is None else known.counts_as


def seed_from(text: str) -> int:
    """The number that a seed's text stands for, in 0 … 2^32 - 1.

    Digits are the number itself; any other text, and digits beyond the limit, count as bytes in
    little-endian order. Either is shifted right by 32 bits until it fits.
    """
    is_number = text.isdecimal() and len(text) <= MAX_SEED_DIGITS
    seed = int(text) if is_number else int.from_bytes(text.encode(), "little")
    excess = max(0, seed.bit_length() - 32)
    return seed >> 32 * ((excess + 31) // 32)  # at once: a text may be megabytes long


def seeds(first: int, n: int, variation: int | None) -> list[int]:
    """One seed for each of n pictures, `variation` (1 if None) apart, below 2^32."""
    return [(first + number * (variation or 1)) % 2**32 for number in range(n)]
