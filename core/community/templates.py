"""Styles applied: what becomes of a request that names one. Pure; knows no tables."""

import re
from typing import Any

from core.features import NEGATIVE
from core.kinds import registry

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
    if registry.of(kind).has_negative_prompt:
        positive, _, negative = prompt.partition(NEGATIVE)
    if negative and NEGATIVE not in template:
        negative = NEGATIVE + negative
    values = {"p": positive, "np": negative}
    return _PLACEHOLDER.sub(lambda placeholder: values.get(placeholder[1], ""), template)


def has_variables(template: str, *, kind: str) -> bool:
    """Whether a template has a place for all that a prompt of this kind has."""
    return all(f"{{{name}}}" in template for name in variables(kind))


def variables(kind: str) -> tuple[str, ...]:
    """The placeholders that a template of this kind has to have."""
    return ("p", "np") if registry.of(kind).has_negative_prompt else ("p",)


def merge(kind: str, styled: dict[str, Any], asked: dict[str, Any]) -> dict[str, Any]:
    """The parameters of a styled request, from those that were given on either side.

    The style decides. Of the request only what a style cannot say holds, and its size where the
    style leaves it open.
    """
    own = registry.of(kind).request_only | (SIZE - styled.keys())
    return styled | {name: value for name, value in asked.items() if name in own}
