"""The rules of pictures for every layer; what a single request may combine is in `rules`."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar

from core.catalog import models as catalog
from core.kinds import rules
from core.kinds.image import ImageParams
from core.kinds.kind import Rules
from core.kinds.params import MEGA, Advice

QR_TEXT = {"reference": "qr_code"}
"""A style may name the workflow alone; its text comes with each request."""


class PictureRules(Rules):
    """Pictures: things are pixel steps."""

    name: ClassVar[str] = "image"
    usual_speed: ClassVar[float] = 1_000_000.0
    usual_pace: ClassVar[tuple[float, float]] = (0.5, 0.5e-6)
    max_models: ClassVar[int] = 300
    needs_named_client: ClassVar[bool] = True
    has_negative_prompt: ClassVar[bool] = True
    request_only: ClassVar[frozenset[str]] = frozenset(
        {
            "n",
            "seed",
            "seed_variation",
            "control_type",
            "image_is_control",
            "return_control_map",
            "extra_texts",
        }
    )

    def params_from(self, document: dict[str, Any]) -> ImageParams:
        """The parameters that `to_json` wrote."""
        return ImageParams.from_json(document)

    def least_speed(self, _models: Sequence[str]) -> float:
        """Half a million pixel steps, whatever the model."""
        return 500_000.0

    def fastest(self, _model: str) -> float:
        """Twenty million pixel steps, whatever the model."""
        return 20_000_000.0

    def performance(self, speed: float) -> str:
        """Millions of pixel steps a second."""
        return f"{speed / MEGA:.1f} megapixelsteps per second"

    def knows(self, model: str) -> bool:
        """Only models of the reference may be offered."""
        return model in catalog.known()

    def shows_nudity(self, models: Iterable[str]) -> bool:
        """Whether one of these models is made for nudity."""
        return any(catalog.image_model(name).nsfw for name in models)

    def sizes(self, params: ImageParams) -> Mapping[str, int]:
        """A shared key limits the area and the steps."""
        return {"pixels": params.pixels, "steps": params.steps}

    def for_education(self, params: ImageParams) -> ImageParams:
        """Workers replace what is unfit for a classroom."""
        return replace(params, use_nsfw_censor=True)

    def may_be_shared(self, params: ImageParams) -> bool:
        """Not if the picture was made from another one."""
        return not params.sources

    def check_style(
        self, prompt: str, params: Mapping[str, Any], models: Sequence[str]
    ) -> list[Advice]:
        """Raise the first rule that the style breaks by itself; advice on the rest."""
        texts = [QR_TEXT] if params.get("workflow") else []
        whole = ImageParams(**params, extra_texts=texts)
        rules.check(prompt, whole, models)
        return rules.warnings(whole, models)
