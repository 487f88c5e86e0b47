"""The kinds by name. A new kind is a line here and one in `core.kinds.registry`."""

from typing import Any

from core.generation.forms import Forms
from core.generation.pictures import Pictures
from core.generation.protocol import Kind
from core.generation.texts import Texts

KINDS: dict[str, Kind[Any]] = {kind.name: kind for kind in (Pictures(), Texts(), Forms())}


def of(name: str) -> Kind[Any]:
    """The kind of this name: image, text or alchemy."""
    return KINDS[name]
