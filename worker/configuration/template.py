"""Writes a `worker.toml` in which every setting stands with its meaning and its default."""

import json
import textwrap
from collections.abc import Iterator, Mapping
from enum import Enum
from pathlib import Path
from typing import Any, Final

from pydantic import SecretStr
from pydantic.fields import FieldInfo

from worker.settings import Settings

WIDTH: Final = 98
NOT_IN_THE_FILE: Final = frozenset({"config"})

HEAD: Final = """\
# The settings of this horde worker.
#
# What is commented out has its default, which stands there. Each key is an environment variable,
# too: `max_pixels` is WORKER_MAX_PIXELS. The environment comes before this file, the file before
# the defaults. The file is read again while the worker runs: what cannot change then is said, and
# takes effect at the next start.
#
# It may hold keys: nobody else should be able to read it."""


def render(values: Mapping[str, Any]) -> str:
    """Write the file's text. values: what is set, by key; the rest is commented out."""
    parts = [HEAD]
    for name, field in Settings.model_fields.items():
        if name not in NOT_IN_THE_FILE:
            parts.append("\n".join(_lines(name, field, values)))
    return "\n\n".join(parts) + "\n"


def _lines(name: str, field: FieldInfo, values: Mapping[str, Any]) -> Iterator[str]:
    told = (field.description or "").replace(" (JSON list)", "").replace("`", "'")
    yield from (f"# {line}" for line in textwrap.wrap(told, WIDTH - 2))
    if name in values:
        yield f"{name} = {toml(values[name])}"
    else:
        yield f"#{name} = {toml(_default(field))}"


def _default(field: FieldInfo) -> object:
    value = field.get_default(call_default_factory=True, validated_data={})
    return "a/path" if value is None else value  # what may be unset is a path


def toml(value: object) -> str:
    """Write a value of a setting as TOML has it."""
    if isinstance(value, SecretStr):
        return toml(value.get_secret_value())
    if isinstance(value, Enum):
        return toml(value.value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, list | tuple):
        return f"[{', '.join(toml(one) for one in value)}]"
    if isinstance(value, str | Path):
        # JSON's strings are TOML's, but for one character.
        return json.dumps(str(value), ensure_ascii=False).replace("\x7f", "\\u007f")
    raise TypeError(f"no setting is a {type(value).__name__}")
