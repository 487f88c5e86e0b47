"""Applying styles to requests. Pure; knows no tables."""

import re
from typing import Any

from core.features import NEGATIVE
from core.kinds import registry

SIZE = frozenset({"width", "height"})
"""Parameters that hold if the style leaves them open."""

_PLACEHOLDER = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]*)\}")


def fill(template: str, prompt: str, *, kind: str) -> str:
    """Put a request's prompt into a style's template.

    {p} stands for the prompt and, for pictures, {np} for its negative part, which brings its ###
    along if the template has none. Other placeholders vanish; other braces, and all braces of the
    prompt, stay as they are.
    """
    positive, negative = prompt, ""
    if registry.of(kind).has_negative_prompt:
        positive, _, negative = prompt.partition(NEGATIVE)
    if negative and NEGATIVE not in template:
        negative = NEGATIVE + negative
    values = {"p": positive, "np": negative}
    return _PLACEHOLDER.sub(lambda placeholder: values.get(placeholder[1], ""), template)


def has_variables(template: str, *, kind: str) -> bool:
    """Whether a template has a place for all parts of a prompt of this kind."""
    return all(f"{{{name}}}" in template for name in variables(kind))


def variables(kind: str) -> tuple[str, ...]:
    """The placeholders that a template of this kind must have."""
    return ("p", "np") if registry.of(kind).has_negative_prompt else ("p",)


def merge(kind: str, styled: dict[str, Any], asked: dict[str, Any]) -> dict[str, Any]:
    """The parameters of a styled request, from those given by style and request.

    The style decides. The request only adds what a style cannot say, and its size if the style
    leaves that open.
    """
    own = registry.of(kind).request_only | (SIZE - styled.keys())
    return styled | {name: value for name, value in asked.items() if name in own}
