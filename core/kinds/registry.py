"""The kinds there are, by name. A new kind is a line here and one in `core.generation.kind`."""

from core.kinds.forms import FormRules
from core.kinds.kind import Rules
from core.kinds.pictures import PictureRules
from core.kinds.texts import TextRules

KINDS: dict[str, Rules] = {
    rules.name: rules for rules in (PictureRules(), TextRules(), FormRules())
}


def of(name: str) -> Rules:
    """The rules of the kind of this name: image, text or alchemy."""
    return KINDS[name]
