"""Templates of AI-Horde-CLI: `cliRequestsData.yml`, and the Python file that came before it.

The Python file is read, never run: it says `filename`, `imgen_params` and `submit_dict`.
"""

import ast
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from cli.exits import Exit, Failure

MAX_BYTES: Final = 4 * 1024 * 1024
SPECIAL: Final = ("special.yml", "special.yaml", "special.json")
"""Files beside the template whose content is sent as `params.special`."""
_PARAMS: Final = {
    "n": "n",
    "width": "width",
    "height": "height",
    "steps": "steps",
    "denoising_strength": "strength",
    "sampler_name": "sampler",
    "cfg_scale": "cfg",
    "karras": "karras",
    "tiling": "tiling",
    "hires_fix": "hires",
    "clip_skip": "clip_skip",
    "seed": "seed",
    "seed_variation": "seed_variation",
    "post_processing": "post",
    "facefixer_strength": "face_strength",
    "control_type": "control",
    "image_is_control": "control_map",
    "return_control_map": "return_map",
    "workflow": "workflow",
}
_SUBMIT: Final = {
    "style": "style",
    "nsfw": "nsfw",
    "censor_nsfw": "censor",
    "trusted_workers": "trusted",
    "slow_workers": "slow",
    "extra_slow_workers": "extra_slow",
    "shared": "share",
    "replacement_filter": "rewrite",
    "allow_downgrade": "downgrade",
    "models": "model",
    "webhook": "webhook",
}


@dataclass(frozen=True)
class Template:
    """What a template asks for. given: by the names of `cli.parameters`."""

    prompt: str | None
    out: str | None
    given: Mapping[str, Any]
    dry_run: bool = False
    key: str | None = None


def read(place: str) -> Template:
    """Read a template (.yml, .yaml, .json or .py). Raises Failure."""
    content = _load(Path(place))
    params, submit = _table(content, "imgen_params"), _table(content, "submit_dict")
    given: dict[str, Any] = {}
    for source, names in ((params, _PARAMS), (submit, _SUBMIT)):
        given |= {
            new: source[old] for old, new in names.items() if source.get(old) not in (None, "", [])
        }
    if "seed" in given:
        given["seed"] = str(given["seed"])
    given |= _lists(params, content)
    given |= _pictures(content, submit)
    if workers := submit.get("workers"):
        given["not_worker" if submit.get("worker_blacklist") else "worker"] = list(workers)
    special = _special(Path(place).parent)
    if special is not None:
        given["special"] = json.dumps(special)
    prompt = submit.get("prompt")
    return Template(
        None if prompt is None else str(prompt),
        content.get("filename") or None,
        given,
        dry_run=bool(submit.get("dry_run")),
        key=str(content.get("api_key") or submit.get("api_key") or "") or None,
    )


def _lists(params: Mapping[str, Any], content: Mapping[str, Any]) -> dict[str, Any]:
    """Lists of objects, written as the options have them."""
    made: dict[str, Any] = {}
    if loras := params.get("loras"):
        made["lora"] = [_joined(one, "name", "model", "clip", "inject_trigger") for one in loras]
    if inversions := params.get("tis"):
        made["ti"] = [_joined(one, "name", "inject_ti", "strength") for one in inversions]
    if texts := params.get("extra_texts"):
        made["text"] = [f"{one['reference']}={one['text']}" for one in texts]
    if extras := content.get("extra_source_images"):
        made["extra"] = [f"{one['image']}:{one.get('strength', 1)}" for one in extras]
    return made


_DEFAULTS: Final = {"model": 1, "clip": 1}


def _joined(one: Mapping[str, Any], *fields: str) -> str:
    values = [one.get(field, _DEFAULTS.get(field, "")) for field in fields]
    while values and values[-1] in (None, ""):
        values.pop()
    return ":".join(str("" if value is None else value) for value in values)


def _pictures(content: Mapping[str, Any], submit: Mapping[str, Any]) -> dict[str, Any]:
    names = {"source_image": "source", "source_mask": "mask", "source_processing": "processing"}
    found = {new: content.get(old) or submit.get(old) for old, new in names.items()}
    if not found["source"]:
        return {}  # the template says how, whether or not there is a picture
    return {name: value for name, value in found.items() if value}


def _special(folder: Path) -> Any:  # noqa: ANN401 - any JSON
    for name in SPECIAL:
        if (folder / name).exists():
            return _load(folder / name)
    return None


def _load(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            text = file.read(MAX_BYTES).decode()
        content = _python(text) if path.suffix == ".py" else _yaml(text)
    except OSError as error:
        raise Failure(Exit.USAGE, f"{path} cannot be read: {error.strerror}.") from None
    except ValueError as error:
        raise Failure(Exit.USAGE, f"{path} is not a template: {error}.") from None
    if not isinstance(content, dict):
        raise Failure(Exit.USAGE, f"{path} is not a template: it has no names.")
    return content


def _yaml(text: str) -> Any:  # noqa: ANN401 - any YAML
    import yaml  # type: ignore[import-untyped]  # noqa: PLC0415 - only templates need it

    try:
        return yaml.safe_load(text)  # JSON is YAML, too
    except yaml.YAMLError as error:
        raise ValueError(" ".join(str(error).split())) from None


def _python(text: str) -> dict[str, Any]:
    """The names that a file gives to plain values; what is not plain is left out."""
    try:
        tree = ast.parse(text)
    except SyntaxError as error:
        raise ValueError(f"line {error.lineno}: {error.msg}") from None
    found: dict[str, Any] = {}
    for statement in tree.body:
        if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name):
            try:
                found[statement.targets[0].id] = ast.literal_eval(statement.value)
            except ValueError:
                continue
    return found


def _table(content: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = content.get(name) or {}
    if not isinstance(found, dict):
        raise Failure(Exit.USAGE, f"The template's {name} is not a table of names and values.")
    return found
