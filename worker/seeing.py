"""Says what pictures show, with networks that look at them. In the engine process only: torch."""

import json
from collections.abc import Callable, Mapping
from importlib import resources
from pathlib import Path
from typing import Any, Final, Protocol

import numpy as np
import torch
from diffusers.pipelines.stable_diffusion.safety_checker import StableDiffusionSafetyChecker
from PIL import Image
from pydantic import JsonValue
from safetensors.torch import load_file
from torch import Tensor
from transformers import AutoTokenizer, BlipForConditionalGeneration, CLIPModel

from worker import clip_pixels
from worker.renderer import BrokenResult, CannotLoad
from worker.vision import JUDGE, VisionModel

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
"""How long a text becomes, and how hard a better one is looked for."""
TRIAL: Final = (64, 64)


class Seer(Protocol):
    """A network that answers forms about RGB pictures."""

    def answer(self, form: str, image: Image.Image) -> JsonValue:
        """Answer a form. Raises BrokenResult."""


class Vision:
    """The networks loaded on a device. Each is loaded once, whatever it answers, and stays."""

    def __init__(self, device: str) -> None:
        self._device = device
        self._loaded: dict[tuple[str, Path], Seer] = {}
        self._proven = set[VisionModel]()

    def load(self, model: VisionModel) -> None:
        """Have a network ready and see it answer once. Raises CannotLoad."""
        if model in self._proven:
            return
        place = (model.architecture, model.folder)
        try:
            if place not in self._loaded:
                self._loaded[place] = SEERS[model.architecture](model.folder, self._device)
            self.answer(model, Image.new("RGB", TRIAL, "red"))
        except Exception as error:  # a broken file fails in as many ways as a file can be broken
            self._loaded.pop(place, None)
            raise CannotLoad(f"{model.folder}: {type(error).__name__}: {error}") from error
        self._proven.add(model)

    def answer(self, model: VisionModel, image: Image.Image) -> JsonValue:
        """Answer a form about an RGB picture, by a loaded network. Raises BrokenResult."""
        with torch.inference_mode():
            return self._loaded[model.architecture, model.folder].answer(model.name, image)


class Captioner:
    """A BLIP (arXiv:2201.12086), which says in a sentence what it sees."""

    def __init__(self, folder: Path, device: str) -> None:
        self._model = _loaded(BlipForConditionalGeneration, folder, device)
        self._words = AutoTokenizer.from_pretrained(folder, local_files_only=True)

    def answer(self, form: str, image: Image.Image) -> JsonValue:
        """Write a caption, or a longer description."""
        side = self._model.config.vision_config.image_size
        pixels = clip_pixels.pixels(
            image.resize((side, side), Image.Resampling.BICUBIC), self._model.device
        )
        made = self._model.generate(pixel_values=pixels, **WRITING[form])
        text: str = self._words.decode(made[0], skip_special_tokens=True)
        return text.strip()


class Clip:
    """A CLIP (arXiv:2103.00020), which says how well words go with what it sees."""

    def __init__(self, folder: Path, device: str) -> None:
        self._model = _loaded(CLIPModel, folder, device)
        self._folder = folder
        self._lists: dict[str, tuple[list[str], Tensor]] = {}

    def answer(self, form: str, image: Image.Image) -> JsonValue:
        """Rank the words of several lists, or say how well people like the picture (1 to 10)."""
        pixels = clip_pixels.pixels(_middle(image, self._model), self._model.device)
        seen = _unit(self._model.get_image_features(pixel_values=pixels).pooler_output)
        if form == "interrogation":
            return self._ranked(seen)
        judge = load_file(self._folder / JUDGE, device=str(self._model.device))
        liked = (seen * judge["weight"].float().reshape(1, -1)).sum() + judge["bias"].float().sum()
        return round(float(_finite(liked)), 3)

    def _ranked(self, seen: Tensor) -> JsonValue:
        if not self._lists:
            self._read()
        scale = self._model.logit_scale.exp()
        told: dict[str, JsonValue] = {}
        for name, (words, vectors) in self._lists.items():
            likely = _finite(scale * seen @ vectors.T)[0].softmax(dim=0)
            best = likely.topk(min(BEST, len(words)))
            told[name] = [
                {"text": words[index], "confidence": round(100 * value, 2)}
                for value, index in zip(best.values.tolist(), best.indices.tolist(), strict=True)
            ]
        return told

    def _read(self) -> None:
        """Read the lists of words, as the network does."""
        tokenizer = AutoTokenizer.from_pretrained(self._folder, local_files_only=True)
        most = self._model.config.text_config.max_position_embeddings
        file = resources.files("worker.alchemy").joinpath("words.json")
        for name, words in json.loads(file.read_text(encoding="utf-8")).items():
            tokens = tokenizer(
                words, padding=True, truncation=True, max_length=most, return_tensors="pt"
            ).to(self._model.device)
            features = self._model.get_text_features(
                input_ids=tokens["input_ids"], attention_mask=tokens["attention_mask"]
            )
            self._lists[name] = words, _unit(features.pooler_output)


class Checker:
    """The safety checker of Stable Diffusion: whether a picture is unsafe for work."""

    def __init__(self, folder: Path, device: str) -> None:
        self._model = _loaded(StableDiffusionSafetyChecker, folder, device)

    def answer(self, form: str, image: Image.Image) -> JsonValue:
        """Say whether it is."""
        del form
        pixels = clip_pixels.pixels(_middle(image, self._model), self._model.device)
        # It blackens what it finds unsafe; this picture stands for the one that is looked at.
        _, unsafe = self._model(clip_input=pixels, images=[np.zeros((1, 1, 3), np.float32)])
        return bool(unsafe[0])


SEERS: Final[Mapping[str, Callable[[Path, str], Seer]]] = {
    "BlipForConditionalGeneration": Captioner,
    "CLIPModel": Clip,
    "StableDiffusionSafetyChecker": Checker,
}


def _loaded(architecture: Any, folder: Path, device: str) -> Any:  # noqa: ANN401 - untyped library
    """Load a network of the library. Raises CannotLoad where weights are missing."""
    model, info = architecture.from_pretrained(
        folder, local_files_only=True, output_loading_info=True
    )
    if info["missing_keys"]:  # which the library would make up
        raise CannotLoad(f"there are no weights for {min(info['missing_keys'])}")
    return model.eval().to(device)


def _middle(image: Image.Image, model: Any) -> Image.Image:  # noqa: ANN401 - untyped library
    return clip_pixels.middle(image, model.config.vision_config.image_size)


def _unit(vectors: Tensor) -> Tensor:
    return vectors / vectors.norm(dim=-1, keepdim=True)


def _finite(numbers: Tensor) -> Tensor:
    if not numbers.isfinite().all():
        raise BrokenResult("the model's numbers ran out of range")
    return numbers
