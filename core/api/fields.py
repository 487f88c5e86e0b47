"""Field masks: the `X-Fields` header names the fields of the answer.

    mask   = fields | "{" fields "}"
    fields = [field {"," field}]
    field  = "*" | name ["{" fields "}"]

`a,b{c,d}` keeps `a`, and of `b` its `c` and `d`; `*` keeps everything that is not named. Names that
the data lacks are ignored. A list is masked item by item.
"""

import re
from typing import Any, Final

Mask = dict[str, "Mask"]
"""What to keep, by name, with the mask of its value; empty: everything."""

ALL: Final = "*"
_TOKEN: Final = re.compile(r"\s*([{},*]|[A-Za-z0-9_:.@-]+)\s*")
_MAY_FOLLOW: Final = {
    "name": ("{", ","),
    "*": ("{", ","),
    ",": ("name", "*", "}"),
    "{": ("", "name"),
    "}": ("{", "name", "*", "}"),
}


class MaskError(ValueError):
    """The header is not a mask. The text is the answer's message (status 400, no `rc`)."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"Mask parse error: {reason}")


def parse(text: str) -> Mask:
    """Read a mask; an empty one keeps everything.

    Raises MaskError.
    """
    tokens = _tokens(text)
    if not tokens or tokens[0] != "{":
        tokens = ["{", *tokens, "}"]
    root: Mask = {}
    named, unclosed, previous = root, list[Mask](), ""
    for token in tokens:
        kind = token if token in _MAY_FOLLOW else "name"
        if previous not in _MAY_FOLLOW[kind] or (previous and not unclosed):
            raise MaskError(f"unexpected '{token}'")
        if kind == "{":
            unclosed.append(named)
        elif kind == "}":
            unclosed.pop()
        elif kind != ",":
            named = unclosed[-1].setdefault(token, {})
        previous = kind
    if unclosed:
        raise MaskError("missing closing bracket")
    return root


def apply(mask: Mask, data: Any) -> Any:  # noqa: ANN401 - any JSON, and the same kind again
    """The part of the data that the mask keeps; the data is not changed.

    Values without fields are kept: under `a{b}`, an `a` that is a number stays.
    """
    if not mask:
        return data
    if isinstance(data, list):
        return [apply(mask, item) for item in data]
    if not isinstance(data, dict):
        return data
    return {
        name: apply(mask.get(name, {}), value)
        for name, value in data.items()
        if name in mask or ALL in mask
    }


def _tokens(text: str) -> list[str]:
    text = text.strip()
    tokens, position = list[str](), 0
    while position < len(text):
        found = _TOKEN.match(text, position)
        if found is None:
            raise MaskError(f"unexpected '{text[position]}'")
        tokens.append(found[1])
        position = found.end()
    return tokens
