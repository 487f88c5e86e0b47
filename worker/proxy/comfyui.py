"""Pictures by ComfyUI: a small graph of its own nodes for each picture."""

import io
import secrets
import time
from collections.abc import Callable
from typing import Any, Final

from PIL import Image

from worker import pictures
from worker.image.order import PictureOrder, Rendered
from worker.proxy.a1111 import finished, mask_of, rendered
from worker.proxy.calls import MAKE_SECONDS, POLL_SECONDS, Caller
from worker.proxy.servers import MULTIPLE, NotAnswering, ServedPainter
from worker.renderer import BrokenResult, CannotRender, OnStep, Picture, information

SAMPLERS: Final = {
    "k_euler_a": "euler_ancestral",
    "k_euler": "euler",
    "k_dpmpp_2m": "dpmpp_2m",
    "k_dpmpp_2s_a": "dpmpp_2s_ancestral",
    "k_dpmpp_sde": "dpmpp_sde",
    "k_heun": "heun",
    "k_dpm_2": "dpm_2",
    "k_dpm_2_a": "dpm_2_ancestral",
    "k_dpm_fast": "dpm_fast",
    "k_dpm_adaptive": "dpm_adaptive",
    "k_lms": "lms",
    "dpmsolver": "dpmpp_2m",
    "DDIM": "ddim",
    "lcm": "lcm",
}
Node = dict[str, Any]
Graph = dict[str, Node]


class Comfy:
    """One ComfyUI."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller
        self._client = secrets.token_hex(8)

    def models(self) -> list[str]:
        """Give the names of its checkpoints. Raises NotAnswering."""
        try:
            told = self._caller.get("/object_info/CheckpointLoaderSimple")
            inputs = told["CheckpointLoaderSimple"]["input"]["required"]
            return [str(one) for one in inputs["ckpt_name"][0]]
        except (KeyError, TypeError, IndexError, CannotRender) as error:
            raise NotAnswering(f"{self._caller.url} is no ComfyUI ({error})") from error

    def render(self, order: PictureOrder, on_step: OnStep) -> Rendered:
        """Have it make the pictures, one after the other. Raises CannotRender and NotAnswering."""
        told = []
        if order.hires_strength is not None and order.source is None:
            told.append("made without hires fix, which this worker's server has not")
        if order.tiling:
            told.append("made without tiling, which this worker's server has not")
        if order.sampler == "dpmsolver":
            told.append("sampled with dpmpp_2m instead of dpmsolver")
        source = self._source(order)
        made = []
        for index, seed in enumerate(order.seeds):
            beat = _beat(on_step, index, len(order.seeds), order.steps)
            made.append(self._one(order, graph(order, seed, source), beat))
        return rendered(made, [information(one) for one in told])

    def _one(
        self, order: PictureOrder, nodes: dict[str, Node], beat: Callable[[], None]
    ) -> Picture:
        told = self._caller.post("/prompt", {"prompt": nodes, "client_id": self._client})
        try:
            number = str(told["prompt_id"])
        except (KeyError, TypeError):
            raise BrokenResult("the server took no prompt") from None
        try:
            history = self._history(number, beat)
        except BaseException:
            self._stop(number)
            raise
        image = _first_image(history)
        query = {key: str(image.get(key, "")) for key in ("filename", "subfolder", "type")}
        made = finished(self._caller.content("GET", "/view", params=query), order)
        return _kept(order, made)

    def _history(self, number: str, beat: Callable[[], None]) -> Any:  # noqa: ANN401
        """Wait until a prompt is over. Raises BrokenResult where it will never be."""
        end, is_queued = time.monotonic() + MAKE_SECONDS, True
        while (history := self._caller.get(f"/history/{number}").get(number)) is None:
            if not is_queued:  # seen before it was looked for in the history
                raise BrokenResult("the server has dropped the prompt")
            if time.monotonic() > end:
                raise NotAnswering("it does not get done with a picture")
            beat()
            time.sleep(POLL_SECONDS)
            is_queued = self._is_queued(number)
        return history

    def _is_queued(self, number: str) -> bool:
        """Whether a prompt is at work, or waits: its owner may clear the queue."""
        told = self._caller.get("/queue")
        queued = [*told["queue_running"], *told["queue_pending"]]
        return any(number in one[:2] for one in queued)

    def _source(self, order: PictureOrder) -> str:
        """Bring the source picture there, its mask as transparency; gives what it is called."""
        if order.source is None:
            return ""
        image = pictures.read(order.source.picture, kind="source_image")
        mask = mask_of(order, image)
        whole = pictures.on_white(image).convert("RGBA")
        if mask is not None:
            whole.putalpha(mask.point([255 - value for value in range(256)]))
        size = _size(order)
        out = io.BytesIO()
        whole.resize(size, Image.Resampling.LANCZOS).save(out, "PNG")
        name = f"horde-{self._client}.png"
        self._caller.content(
            "POST",
            "/upload/image",
            files={"image": (name, out.getvalue(), "image/png")},
            data={"overwrite": "true", "type": "temp"},
        )
        return f"{name} [temp]"

    def _stop(self, number: str) -> None:
        for path, body in (("/queue", {"delete": [number]}), ("/interrupt", {})):
            try:
                self._caller.post(path, body)
            except (NotAnswering, CannotRender):
                return


def graph(order: PictureOrder, seed: int, source: str) -> Graph:
    """Say what is wanted as a graph of nodes. Raises CannotRender."""
    model = order.checkpoint
    if not isinstance(model, ServedPainter):
        raise CannotRender(f"{model.name} is no model of this server")
    width, height = _size(order)
    nodes: Graph = {
        "model": _node("CheckpointLoaderSimple", ckpt_name=model.theirs),
        "clip": _node(
            "CLIPSetLastLayer", clip=["model", 1], stop_at_clip_layer=-max(1, order.clip_skip)
        ),
        "positive": _node("CLIPTextEncode", clip=["clip", 0], text=order.prompt),
        "negative": _node("CLIPTextEncode", clip=["clip", 0], text=order.negative),
        "decoded": _node("VAEDecode", samples=["sampled", 0], vae=["model", 2]),
        # Shown and not saved: nobody's disk is filled.
        "picture": _node("PreviewImage", images=["decoded", 0]),
    }
    latent = "empty"
    if not source:
        nodes["empty"] = _node("EmptyLatentImage", width=width, height=height, batch_size=1)
    else:
        nodes["source"] = _node("LoadImage", image=source)
        nodes["encoded"] = _node("VAEEncode", pixels=["source", 0], vae=["model", 2])
        latent = "encoded"
        if order.source is not None and (order.source.mask is not None or order.source.painting):
            nodes["masked"] = _node(
                "SetLatentNoiseMask", samples=["encoded", 0], mask=["source", 1]
            )
            latent = "masked"
    nodes["sampled"] = _node(
        "KSampler",
        model=["model", 0],
        positive=["positive", 0],
        negative=["negative", 0],
        latent_image=[latent, 0],
        seed=seed,
        steps=order.steps,
        cfg=order.cfg_scale,
        sampler_name=SAMPLERS.get(order.sampler, "euler_ancestral"),
        scheduler="karras" if order.karras else "normal",
        denoise=order.strength if source else 1.0,
    )
    return nodes


def _node(kind: str, **inputs: Any) -> Node:  # noqa: ANN401 - numbers, texts and links
    return {"class_type": kind, "inputs": inputs}


def _size(order: PictureOrder) -> tuple[int, int]:
    return -(-order.width // MULTIPLE) * MULTIPLE, -(-order.height // MULTIPLE) * MULTIPLE


def _beat(on_step: OnStep, index: int, count: int, steps: int) -> Callable[[], None]:
    """Say that it lives; how far a picture is, it tells those only who hold a socket open."""

    def beat() -> None:
        on_step(index * steps, count * steps)

    return beat


def _kept(order: PictureOrder, made: Picture) -> Picture:
    """Lay what was not to be painted over the picture, whose decoder has changed it a little."""
    if order.source is None:
        return made
    source = pictures.read(order.source.picture, kind="source_image")
    mask = mask_of(order, source)
    if mask is None:
        return made
    size = (made.width, made.height)
    image = Image.frombytes("RGB", size, made.rgb)
    whole = pictures.on_white(source).resize(size, Image.Resampling.LANCZOS)
    whole.paste(image, mask=mask.resize(size, Image.Resampling.LANCZOS))
    return Picture(made.width, made.height, whole.tobytes())


def _first_image(history: Any) -> dict[str, Any]:  # noqa: ANN401
    """Find the picture of what is over. Raises CannotRender."""
    status = history.get("status") or {}
    if status.get("status_str") == "error":
        told = [
            one[1].get("exception_message", "")
            for one in status.get("messages", ())
            if one[0] == "execution_error"
        ]
        raise BrokenResult(f"the server failed: {(told or ['it does not say why'])[0][:150]}")
    for output in (history.get("outputs") or {}).values():
        for image in output.get("images", ()):
            found: dict[str, Any] = image
            return found
    raise BrokenResult("the server made no picture")
