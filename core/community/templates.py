"""Styles applied: what becomes of a request that names one. Pure; knows no tables."""

import re
from typing import Any

NEGATIVE = "###"
"""What separates the prompt of a picture from its negative prompt."""

REQUEST_ONLY = {
    "image": frozenset(
        {
            "n",
            "seed",
            "seed_variation",
            "control_type",
            "image_is_control",
            "return_control_map",
            "extra_texts",
        }
    ),
    "text": frozenset({"n", "max_length", "max_context_length"}),
}
"""Parameters that styles of a kind cannot have, so that the request's hold."""

SIZE = frozenset({"width", "height"})
"""Parameters that hold where the style says nothing of them."""

_PLACEHOLDER = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]*)\}")


def fill(template: str, prompt: str, *, kind: str) -> str:
    """Put a request's prompt into a style's template.

    {p} stands for the prompt and, with pictures, {np} for its negative part, which brings its ###
    along where the template has none. Other placeholders vanish; braces that are none, and all
    braces of the prompt, stay as they are.
    """
    positive, negative = prompt, ""
    if kind == "image":
        positive, _, negative = prompt.partition(NEGATIVE)
    if negative and NEGATIVE not in template:
        negative = NEGATIVE + negative
    values = {"p": positive, "np": negative}
    return _PLACEHOLDER.sub(lambda placeholder: values.get(placeholder[1], ""), template)


def has_variables(template: str, *, kind: str) -> bool:
    """Whether a template has a place for all that a prompt of this kind has."""
    return "{p}" in template and (kind != "image" or "{np}" in template)


def merge(kind: str, styled: dict[str, Any], asked: dict[str, Any]) -> dict[str, Any]:
    """The parameters of a styled request, from those that were given on either side.

    The style decides. Of the request only what a style cannot say holds, and its size where the
    style leaves it open.
    """
    own = REQUEST_ONLY[kind] | (SIZE - styled.keys())
    return styled | {name: value for name, value in asked.items() if name in own}
