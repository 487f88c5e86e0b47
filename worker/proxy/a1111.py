"""Pictures by AUTOMATIC1111's web UI or Forge, started with `--api`.

Its API is described at `/docs` of each of them.
"""

import base64
import io
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

from PIL import Image

from core.wire.submit import GenerationMetadataStable
from worker import pictures
from worker.image.order import PictureOrder, Rendered
from worker.proxy.calls import MAKE_SECONDS, Caller, meanwhile
from worker.proxy.servers import MULTIPLE, NATIVE, NotAnswering, ServedPainter
from worker.renderer import (
    BrokenResult,
    CannotRender,
    OnStep,
    Picture,
    Shown,
    information,
)

SAMPLERS: Final = {
    "k_euler_a": "Euler a",
    "k_euler": "Euler",
    "k_dpmpp_2m": "DPM++ 2M",
    "k_dpmpp_2s_a": "DPM++ 2S a",
    "k_dpmpp_sde": "DPM++ SDE",
    "k_heun": "Heun",
    "k_dpm_2": "DPM2",
    "k_dpm_2_a": "DPM2 a",
    "k_dpm_fast": "DPM fast",
    "k_dpm_adaptive": "DPM adaptive",
    "k_lms": "LMS",
    "dpmsolver": "DPM++ 2M",
    "DDIM": "DDIM",
    "lcm": "LCM",
}
FALLBACK: Final = "Euler a"
MIN_SHARE: Final = 0.5
"""Of the area that was ordered: a server that makes less has not done what it was told."""
KEEP: Final = 1
"""What stands under a mask at the beginning: the picture itself."""


class WebUI:
    """One of them."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller
        self._samplers: set[str] | None = None
        self._has_schedulers = False

    def models(self) -> list[str]:
        """Give what it calls its models. Raises NotAnswering."""
        try:
            told = self._caller.get("/sdapi/v1/sd-models")
            return [str(one["model_name"]) for one in told]
        except (KeyError, TypeError, CannotRender) as error:
            raise NotAnswering(
                f"{self._caller.url} has no API of that kind: start it with --api ({error})"
            ) from error

    def render(self, order: PictureOrder, on_step: OnStep) -> Rendered:
        """Have it make the pictures. Raises CannotRender and NotAnswering."""
        made: list[Picture] = []
        notes = []
        for seed, count in _runs(order.seeds):
            body, approximate = self._body(order, seed, count)
            kind = "txt2img" if order.source is None else "img2img"

            def make(kind: str = kind, body: dict[str, Any] = body) -> Any:  # noqa: ANN401
                return self._caller.post(f"/sdapi/v1/{kind}", body, MAKE_SECONDS)

            told = meanwhile(make, lambda: self._look(order, on_step), self._stop)
            made += _pictures(told, order, count)
            notes = [information(approximate)] if approximate else []
        return rendered(made, notes)

    def _body(self, order: PictureOrder, seed: int, count: int) -> tuple[dict[str, Any], str]:
        """Say what is wanted in its words, and what of it is only nearly so."""
        model = order.checkpoint
        if not isinstance(model, ServedPainter):
            raise CannotRender(f"{model.name} is no model of this server")
        sampler, scheduler, approximate = self._sampler(order)
        body: dict[str, Any] = {
            "prompt": order.prompt,
            "negative_prompt": order.negative,
            "seed": seed,
            "steps": order.steps,
            "cfg_scale": order.cfg_scale,
            "width": -(-order.width // MULTIPLE) * MULTIPLE,
            "height": -(-order.height // MULTIPLE) * MULTIPLE,
            "sampler_name": sampler,
            "batch_size": count,
            "n_iter": 1,
            "tiling": order.tiling,
            "save_images": False,
            "do_not_save_samples": True,
            "do_not_save_grid": True,
            "override_settings": {
                "sd_model_checkpoint": model.theirs,
                "CLIP_stop_at_last_layers": order.clip_skip,
            },
            "override_settings_restore_afterwards": False,
        }
        if scheduler:
            body["scheduler"] = scheduler
        if order.source is not None:
            body |= _source(order)
        elif order.hires_strength is not None and min(order.width, order.height) > NATIVE:
            body |= {
                "enable_hr": True,
                "hr_resize_x": body["width"],
                "hr_resize_y": body["height"],
                "hr_upscaler": "Latent",
                "denoising_strength": order.hires_strength,
                "width": _half(body["width"]),
                "height": _half(body["height"]),
            }
        return body, approximate

    def _sampler(self, order: PictureOrder) -> tuple[str, str, str]:
        """Give the sampler's name there, the scheduler's (empty: none), and what is not exact."""
        if self._samplers is None:
            self._samplers = {str(one["name"]) for one in self._caller.get("/sdapi/v1/samplers")}
            try:
                self._has_schedulers = bool(self._caller.get("/sdapi/v1/schedulers"))
            except CannotRender:  # older ones have none of their own
                self._has_schedulers = False
        name = SAMPLERS.get(order.sampler, FALLBACK)
        if order.karras and not self._has_schedulers and f"{name} Karras" in self._samplers:
            return f"{name} Karras", "", ""
        if name not in self._samplers:
            return FALLBACK, "", f"sampled with {FALLBACK} instead of {order.sampler}"
        exact = "" if order.sampler != "dpmsolver" else "sampled with DPM++ 2M instead of dpmsolver"
        if self._has_schedulers:
            return name, "Karras" if order.karras else "Automatic", exact
        return name, "", exact or ("sampled without karras" if order.karras else "")

    def _look(self, order: PictureOrder, on_step: OnStep) -> None:
        try:
            told = self._caller.get("/sdapi/v1/progress", skip_current_image="true")
            step = int(float(told["progress"]) * order.steps)
        except (NotAnswering, CannotRender, KeyError, TypeError, ValueError, OverflowError):
            return  # a call that fails says nothing; the watchdog waits for one that does not
        on_step(max(0, min(step, order.steps)), order.steps, self._preview)

    def _preview(self) -> Shown | None:
        """Fetch what it shows of a picture in the making, where it is set to do so."""
        told = self._caller.get("/sdapi/v1/progress", skip_current_image="false")
        if not (encoded := told.get("current_image")):
            return None
        image = pictures.read(_decoded(encoded), kind="source_image")
        small = pictures.preview(pictures.on_white(image))
        return None if small is None else Shown(0, small)

    def _stop(self) -> None:
        try:
            self._caller.post("/sdapi/v1/interrupt", {})
        except (NotAnswering, CannotRender):
            return


def _half(side: int) -> int:
    return max(NATIVE, side // 2 // MULTIPLE * MULTIPLE)


def _runs(seeds: tuple[int, ...]) -> Iterator[tuple[int, int]]:
    """Group seeds that follow each other, as it counts them in a batch: first, how many."""
    first, count = seeds[0], 1
    for seed in seeds[1:]:
        if seed == first + count:
            count += 1
        else:
            yield first, count
            first, count = seed, 1
    yield first, count


def _source(order: PictureOrder) -> dict[str, Any]:
    """Give the source picture, and the mask of what is painted anew (white)."""
    if order.source is None:
        return {}
    image = pictures.read(order.source.picture, kind="source_image")
    told: dict[str, Any] = {
        "init_images": [_encoded(pictures.on_white(image))],
        "denoising_strength": order.strength,
        "resize_mode": 1,
    }
    mask = mask_of(order, image)
    if mask is not None:
        told |= {"mask": _encoded(mask), "inpainting_fill": KEEP, "inpaint_full_res": False}
    return told


def mask_of(order: PictureOrder, image: Image.Image) -> Image.Image | None:
    """Give what is painted anew as white on black: the mask's, else what is transparent."""
    if order.source is None:
        return None
    if order.source.mask is not None:
        mask = pictures.read(order.source.mask, kind="source_mask")
        return pictures.on_white(mask).convert("L").resize(image.size)
    if order.source.painting:
        alpha = image.getchannel("A")
        return alpha.point([255 - value for value in range(256)])
    return None


def _encoded(image: Image.Image) -> str:
    out = io.BytesIO()
    image.save(out, "PNG")
    return base64.b64encode(out.getvalue()).decode()


def _pictures(told: Any, order: PictureOrder, count: int) -> list[Picture]:  # noqa: ANN401
    """Read the pictures of an answer; a grid may follow them. Raises BrokenResult."""
    try:
        encoded = [_decoded(one) for one in told["images"]]
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise BrokenResult("the server's answer has no pictures") from error
    if len(encoded) < count:
        raise BrokenResult(f"the server made {len(encoded)} of {count} pictures")
    return [finished(one, order) for one in encoded[:count]]


def _decoded(picture: str) -> bytes:
    """Decode base64, which may be a data URL. Raises AttributeError and ValueError."""
    return base64.b64decode(picture.partition(",")[2] or picture)


def finished(encoded: bytes, order: PictureOrder) -> Picture:
    """Read a picture, in the size that was asked. Raises BrokenResult."""
    try:
        image = pictures.on_white(pictures.read(encoded, kind="source_image"))
    except CannotRender as error:  # whose note is about the requester's own picture
        raise BrokenResult("the server's picture cannot be read") from error
    if image.width * image.height < MIN_SHARE * order.width * order.height:
        raise BrokenResult(f"the server made a picture of {image.width}x{image.height} pixels")
    image = pictures.scaled(image, order.width, order.height, tiling=order.tiling)
    return Picture(image.width, image.height, image.tobytes())


def rendered(made: Sequence[Picture], notes: Iterable[GenerationMetadataStable]) -> Rendered:
    """Put a result together, and see how many of its pictures have but one colour."""
    return Rendered(tuple(made), tuple(notes), sum(_is_blank(one) for one in made))


def _is_blank(made: Picture) -> bool:
    return made.rgb == made.rgb[:3] * (made.width * made.height)
