"""The argument `model_state`: models of the horde's reference, others, or all."""

from collections.abc import Set as AbstractSet

from quart import request

from core.catalog import models as catalog
from core.errors import Invalid

STATES = ("known", "custom", "all")


def asked(default: str) -> str:
    """Which models the caller wants to see: known, custom or all."""
    state = request.args.get("model_state") or default
    if state not in STATES:
        raise Invalid("model_state is one of known, custom and all.")
    return state


def is_in(state: str, kind: str, model: str) -> bool:
    """Whether a model that serves this kind is among those."""
    if state == "all":
        return True
    is_known = model in names(kind) or (kind == "text" and catalog.text_model(model) is not None)
    return is_known == (state == "known")


def names(kind: str) -> AbstractSet[str]:
    """The names of models for this kind in the horde's reference, as they are written there."""
    return catalog.known().keys() if kind == "image" else catalog.known_texts().keys()
