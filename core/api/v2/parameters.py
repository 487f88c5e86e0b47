"""A picture's parameters on their way from the request to the worker, by name, with exceptions.

A parameter that the wire and `ImageParams` have under one name needs no line here. Those that
differ stand in `CHANGED` and `BESIDE`; a test holds what travels against all three.
"""

from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import Any, Final
from uuid import uuid4

from pydantic import BaseModel

from core.generation.pop import Work
from core.kinds import image
from core.kinds.image import ImageParams
from core.wire.generate import GenerationInputStable
from core.wire.image import ModelGenerationInputStable, ModelPayloadStable

CHANGED: Final[Mapping[str, Callable[[GenerationInputStable], Any]]] = {
    "steps": lambda body: _steps(body.params),
    "source_image": lambda body: _place(body.source_image),
    "source_mask": lambda body: _place(body.source_mask),
    "extra_source_images": lambda body: [
        {"image": _place(extra.image), "strength": extra.strength}
        for extra in body.extra_source_images
    ],
    "r2_named": lambda body: "r2" in body.model_fields_set,
    "use_nsfw_censor": lambda body: body.censor_nsfw and not body.nsfw,
}
"""Parameters of the domain that differ from the request's; pictures get a name in the store and are
not stored yet."""

OTHERS: Final = frozenset({"passed_on"})
"""Parameters of the domain that this version of the API does not have."""

BESIDE: Final = frozenset(
    {
        "source_image",
        "source_mask",
        "extra_source_images",
        "source_processing",
        "r2",
        "r2_named",
        "disable_batching",
        "passed_on",
    }
)
"""Parameters of the domain that workers do not get, or get beside the payload."""


def of_request(
    body: GenerationInputStable, defaults: Mapping[str, Any] | None = None
) -> ImageParams:
    """The domain's parameters, from `params` or from the request around them.

    defaults: of the models, for what the request does not say; None: the API's own for all of it.
        With a control type, the steps have a default of their own.
    """
    said = body.params.model_fields_set | ({"steps"} if body.params.control_type else set())
    its = {name: value for name, value in (defaults or {}).items() if name not in said}
    body = body.model_copy(update={"params": body.params.model_copy(update=its)})
    values: dict[str, Any] = {}
    for one in fields(ImageParams):
        if one.name in CHANGED:
            values[one.name] = CHANGED[one.name](body)
        elif one.name not in OTHERS:
            within = one.name in ModelGenerationInputStable.model_fields
            values[one.name] = _plain(getattr(body.params if within else body, one.name))
    return ImageParams(**values)


def of_work(work: Work) -> ModelPayloadStable:
    """What the worker has to make: one seed, prompt and set of parameters for all of the work."""
    params = work.params
    assert isinstance(params, ImageParams)  # noqa: S101 - the offer was for pictures
    same = {
        one.name: _told(getattr(params, one.name))
        for one in fields(ImageParams)
        if one.name not in BESIDE
    }
    changed = {
        "prompt": work.prompt,
        "ddim_steps": same.pop("steps"),
        "n_iter": len(work.attempt_ids),
        "seed": str(work.seed),
        "use_nsfw_censor": params.use_nsfw_censor or None,
    }
    return ModelPayloadStable(**(same | changed))


def _plain(value: Any) -> Any:  # noqa: ANN401 - any parameter
    """The parameter as JSON can hold it, with models in lists as their documents."""
    if isinstance(value, list):
        return [_plain(one) for one in value]
    return value.model_dump() if isinstance(value, BaseModel) else value


def _told(value: Any) -> Any:  # noqa: ANN401 - any parameter
    """None for an empty list, which is left out."""
    return None if value == [] else value


def _steps(given: ModelGenerationInputStable) -> int:
    if given.control_type is None:
        return given.steps
    if "steps" not in given.model_fields_set:
        return image.CONTROL_STEPS
    return min(given.steps, image.MAX_CONTROL_STEPS)


def _place(source: str | None) -> str | None:
    """A name in the store for a source picture."""
    return None if source is None else f"{uuid4()}.webp"
