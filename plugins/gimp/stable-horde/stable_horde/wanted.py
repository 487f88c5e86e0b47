"""The parameters of pictures, as an API's request and as stored with a layer."""

import base64
import dataclasses
import json
from dataclasses import dataclass
from typing import Any, Final, Self

from stable_horde.errors import Trouble
from stable_horde.words import _

NEGATIVE: Final = "###"
"""The separator between a prompt and its negative prompt."""
SAMPLERS: Final = (
    "k_euler_a",
    "k_euler",
    "k_dpmpp_2m",
    "k_dpmpp_2s_a",
    "k_dpmpp_sde",
    "k_heun",
    "k_dpm_2",
    "k_dpm_2_a",
    "k_dpm_fast",
    "k_dpm_adaptive",
    "k_lms",
    "dpmsolver",
    "DDIM",
    "lcm",
)
UPSCALERS: Final = (
    "RealESRGAN_x4plus",
    "RealESRGAN_x2plus",
    "RealESRGAN_x4plus_anime_6B",
    "NMKD_Siax",
    "4x_AnimeSharp",
)
FACE_FIXERS: Final = ("GFPGAN", "CodeFormers")
POST_PROCESSORS: Final = (*FACE_FIXERS, *UPSCALERS, "strip_background")
MAX_PICTURES: Final = 10
MIN_STRENGTH: Final = 0.01
MAX_STORED_CHARS: Final = 100_000
MAX_LORAS: Final = 20


@dataclass(frozen=True)
class Wanted:
    """Parameters of pictures.

    model, style, sampler: empty leaves it to the horde. steps, cfg: 0 leaves them to the model.
    seed: digits or any text; empty is random. strength: how much of a source is redrawn, 0 to 1.
    loras: names with their strengths, as `name:0.8, other`. post_processing: names with commas.
    """

    prompt: str
    negative: str = ""
    model: str = ""
    style: str = ""
    n: int = 1
    steps: int = 0
    cfg: float = 0.0
    sampler: str = ""
    seed: str = ""
    strength: float = 1.0
    loras: str = ""
    post_processing: str = ""
    nsfw: bool = False

    def body(self, width: int, height: int) -> dict[str, Any]:
        """The request's JSON, without a source. Raises Trouble for what cannot be asked."""
        if not self.prompt.strip():
            raise Trouble(_("Say what the picture shows: the prompt is empty."))
        params: dict[str, Any] = {"width": width, "height": height, "n": self.n}
        if self.steps:
            params["steps"] = self.steps
        if self.cfg:
            params["cfg_scale"] = self.cfg
        if self.sampler:
            params["sampler_name"] = self.sampler
        if self.seed.strip():
            params["seed"] = self.seed.strip()
        if names := _names(self.post_processing):
            params["post_processing"] = names
        if loras := _loras(self.loras):
            params["loras"] = loras
        prompt = self.prompt
        if self.negative.strip():
            prompt = f"{prompt}{NEGATIVE}{self.negative.strip()}"
        body = {
            "prompt": prompt,
            "params": params,
            "nsfw": self.nsfw,
            "censor_nsfw": not self.nsfw,
            "models": [self.model] if self.model else [],
            "r2": True,
        }
        if self.style.strip():
            body["style"] = self.style.strip()
        return body

    def redrawing(
        self, size: tuple[int, int], source: bytes, mask: bytes | None, processing: str
    ) -> dict[str, Any]:
        """The request's JSON with a picture to start from.

        processing: the API's: img2img, inpainting or outpainting.
        """
        body = self.body(*size)
        body["params"]["denoising_strength"] = min(1.0, max(MIN_STRENGTH, self.strength))
        body["source_image"] = base64.b64encode(source).decode()
        body["source_processing"] = processing
        if mask is not None:
            body["source_mask"] = base64.b64encode(mask).decode()
        return body

    def over(self, stored: "Wanted") -> "Wanted":
        """Stored parameters, with those of this one that say something instead of theirs."""
        said = {
            name: value
            for name, value in dataclasses.asdict(self).items()
            if value != _DEFAULTS.get(name, "")
        }
        # A seed is chance again unless it is given: the same one would give the same picture.
        return dataclasses.replace(stored, **{"seed": "", **said, "nsfw": self.nsfw})

    def stored(self) -> dict[str, Any]:
        """The parameters as JSON, to be kept."""
        return dataclasses.asdict(self)

    @classmethod
    def of_stored(cls, said: object) -> Self:
        """Parameters that were kept, perhaps in a stranger's file: what does not fit is left out.

        Raises Trouble if there is no prompt.
        """
        given = said if isinstance(said, dict) else {}
        chosen: dict[str, Any] = {}
        for field in dataclasses.fields(cls):
            value = given.get(field.name)
            kind = field.type if isinstance(field.type, type) else type(field.default)
            if kind is float and isinstance(value, int):
                value = float(value)
            if type(value) is kind:
                chosen[field.name] = value
        if not isinstance(chosen.get("prompt"), str):
            raise Trouble(_("No parameters are stored with this layer."))
        wanted = cls(**chosen)
        return dataclasses.replace(wanted, n=min(MAX_PICTURES, max(1, wanted.n)))


_DEFAULTS: Final[dict[str, Any]] = {
    field.name: field.default for field in dataclasses.fields(Wanted) if field.name != "prompt"
}


def read(text: str) -> dict[str, Any]:
    """JSON that was stored with a layer or in a file. Raises Trouble if it is none."""
    if len(text) <= MAX_STORED_CHARS:
        try:
            said = json.loads(text)
        except (ValueError, RecursionError):
            said = None
        if isinstance(said, dict):
            return said
    raise Trouble(_("What is stored here cannot be read."))


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def _loras(text: str) -> list[dict[str, Any]]:
    """`name:0.8, other` as the API has it. Raises Trouble."""
    loras: list[dict[str, Any]] = []
    for part in _names(text):
        name, colon, strength = part.rpartition(":")
        if not colon:
            name, strength = part, "1"
        try:
            loras.append({"name": name.strip(), "model": float(strength), "clip": float(strength)})
        except ValueError:
            raise Trouble(
                _("{part!r} is no LoRA with a strength, such as name:0.8.").format(part=part)
            ) from None
    if len(loras) > MAX_LORAS:
        raise Trouble(_("There are too many LoRAs: 20 may be named."))
    return loras
