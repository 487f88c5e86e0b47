"""Says what pictures show, with networks that look at them. In the engine process only: torch.

Their pictures are prepared here and not by the libraries' own classes, which need torchvision.
"""

import json
from collections.abc import Callable, Mapping
from importlib import resources
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from diffusers.pipelines.stable_diffusion.safety_checker import StableDiffusionSafetyChecker
from PIL import Image, ImageOps
from pydantic import JsonValue
from safetensors.torch import load_file
from torch import Tensor
from transformers import AutoTokenizer, BlipForConditionalGeneration, CLIPModel

from worker.alchemy.served import HEAD, Seer
from worker.renderer import CannotLoad, CannotRender

MEAN: Final = (0.48145466, 0.4578275, 0.40821073)
DEVIATION: Final = (0.26862954, 0.26130258, 0.27577711)
"""Of the pictures that CLIP and BLIP were trained on (arXiv:2103.00020)."""
BEST: Final = 5
"""Words of each list that are told."""
WRITING: Final[Mapping[str, Mapping[str, Any]]] = {
    "caption": {"max_new_tokens": 40, "num_beams": 3},
    "describe": {
        "max_new_tokens": 100,
        "min_new_tokens": 25,
        "num_beams": 5,
        "repetition_penalty": 1.3,
    },
}
TRIAL: Final = (64, 64)


class Seers:
    """Networks that were loaded on a device: the last one of each kind stays."""

    def __init__(self, device: str) -> None:
        self._device = device
        self._loaded: dict[Seer, Callable[[Image.Image], JsonValue]] = {}

    def load(self, seer: Seer) -> None:
        """Have a network ready and see it answer once. Raises CannotLoad."""
        if seer in self._loaded:
            return
        try:
            with torch.inference_mode():
                answer = MAKERS[seer.name](seer.folder, self._device)
                answer(Image.new("RGB", TRIAL, "red"))
        except Exception as error:  # a broken file fails in as many ways as a file can be broken
            raise CannotLoad(f"{seer.folder}: {type(error).__name__}: {error}") from error
        self._loaded[seer] = answer

    def answer(self, seer: Seer, image: Image.Image) -> JsonValue:
        """Answer a form about an RGB picture. Raises CannotRender."""
        if seer not in self._loaded:
            raise CannotRender(f"{seer.name} is not loaded")
        with torch.inference_mode():
            return self._loaded[seer](image)


def _pixels(image: Image.Image, side: int, *, whole: bool) -> Tensor:
    """Prepare a picture, (1, 3, side, side). whole: squeezed, else its middle."""
    size = (side, side)
    if whole:
        small = image.resize(size, Image.Resampling.BICUBIC)
    else:
        small = ImageOps.fit(image, size, Image.Resampling.BICUBIC)
    levels = np.asarray(small, dtype=np.float32) / 255
    ready = (levels - np.array(MEAN, np.float32)) / np.array(DEVIATION, np.float32)
    return torch.from_numpy(ready).permute(2, 0, 1)[None]


def _writer(form: str) -> Callable[[Path, str], Callable[[Image.Image], JsonValue]]:
    def make(folder: Path, device: str) -> Callable[[Image.Image], JsonValue]:
        model = BlipForConditionalGeneration.from_pretrained(folder, local_files_only=True)
        model = model.eval().to(device)
        words = AutoTokenizer.from_pretrained(folder, local_files_only=True)
        side = model.config.vision_config.image_size

        def answer(image: Image.Image) -> JsonValue:
            pixels = _pixels(image, side, whole=True).to(device)
            made = model.generate(pixel_values=pixels, **WRITING[form])
            text: str = words.decode(made[0], skip_special_tokens=True).strip()
            return text

        return answer

    return make


def _interrogator(folder: Path, device: str) -> Callable[[Image.Image], JsonValue]:
    """Rank the words of several lists by how well they go with a picture."""
    see, model = _seeing(folder, device)
    words = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    file = resources.files("worker.alchemy").joinpath("words.json")
    lists: dict[str, list[str]] = json.loads(file.read_text(encoding="utf-8"))
    most = model.config.text_config.max_position_embeddings
    known = {}
    for name, texts in lists.items():
        tokens = words(texts, padding=True, truncation=True, max_length=most, return_tensors="pt")
        wanted = {key: tokens[key].to(device) for key in ("input_ids", "attention_mask")}
        known[name] = _unit(_vector(model.get_text_features(**wanted)))
    scale = model.logit_scale.exp()

    def answer(image: Image.Image) -> JsonValue:
        seen = see(image)
        told: dict[str, JsonValue] = {}
        for name, vectors in known.items():
            likely = (scale * seen @ vectors.T)[0].softmax(dim=0)
            best = likely.topk(min(BEST, len(lists[name])))
            told[name] = [
                {"text": lists[name][index], "confidence": round(100 * value, 2)}
                for value, index in zip(best.values.tolist(), best.indices.tolist(), strict=True)
            ]
        return told

    return answer


def _judge(folder: Path, device: str) -> Callable[[Image.Image], JsonValue]:
    """Say how well people like a picture, about 1 to 10: a line through what a CLIP sees."""
    see, _ = _seeing(folder, device)
    head = load_file(folder / HEAD)
    weight, bias = head["weight"].float().reshape(1, -1).to(device), head["bias"].float().to(device)

    def answer(image: Image.Image) -> JsonValue:
        return round(float((see(image) * weight).sum() + bias.sum()), 3)

    return answer


def _seeing(folder: Path, device: str) -> tuple[Callable[[Image.Image], Tensor], Any]:
    model = CLIPModel.from_pretrained(folder, local_files_only=True).eval().to(device)
    side = model.config.vision_config.image_size

    def see(image: Image.Image) -> Tensor:
        pixels = _pixels(image, side, whole=False).to(device)
        return _unit(_vector(model.get_image_features(pixel_values=pixels)))

    return see, model


def _vector(made: Any) -> Tensor:  # noqa: ANN401 - a tensor, or in newer versions what has one
    return made if isinstance(made, Tensor) else made.pooler_output


def _unit(vectors: Tensor) -> Tensor:
    return vectors / vectors.norm(dim=-1, keepdim=True)


def _guard(folder: Path, device: str) -> Callable[[Image.Image], JsonValue]:
    """Say whether a picture is unsafe for work."""
    model = StableDiffusionSafetyChecker.from_pretrained(folder, local_files_only=True)
    model = model.eval().to(device)
    side = model.config.vision_config.image_size

    def answer(image: Image.Image) -> JsonValue:
        pixels = _pixels(image, side, whole=False).to(device)
        _, unsafe = model(clip_input=pixels, images=[np.zeros((1, 1, 3), np.float32)])
        return bool(unsafe[0])

    return answer


MAKERS: Final[Mapping[str, Callable[[Path, str], Callable[[Image.Image], JsonValue]]]] = {
    "caption": _writer("caption"),
    "describe": _writer("describe"),
    "interrogation": _interrogator,
    "nsfw": _guard,
    "aesthetic": _judge,
}
