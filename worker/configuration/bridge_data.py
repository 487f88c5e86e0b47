"""Reads the settings files of earlier workers: `bridgeData.yaml`, and `bridgeData.py` before it.

A Python file is parsed and never run: what is assigned to a name counts where it is a plain value.
"""

import ast
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

ANONYMOUS_KEY: Final = "0000000000"
PIXELS_OF_POWER: Final = 64 * 64 * 8
SELECTIONS: Final = ("all", "top", "bottom")
"""First words of what chose models by a list that this worker does not have."""

RENAMED: Final[Mapping[str, str]] = {
    "horde_url": "url",
    "api_key": "api_key",
    "priority_usernames": "priority_usernames",
    "nsfw": "nsfw",
    "blacklist": "blacklist",
    "require_upfront_kudos": "require_upfront_kudos",
    "extra_slow_worker": "extra_slow",
    "max_batch": "batch",
    "max_length": "max_length",
    "max_context_length": "max_context_length",
    "allow_img2img": "img2img",
    "allow_painting": "painting",
    "allow_post_processing": "post_processing",
    "forms": "forms",
    "censor_nsfw": "censor_nsfw",
    "inference_step_timeout": "step_timeout",
    "preload_timeout": "load_timeout",
    "civitai_api_token": "civitai_token",
}
"""What is the same under another name."""

NAMES: Final = ("dreamer_name", "worker_name", "scribe_name", "alchemist_name")
"""In the order in which the first that is set counts."""

NEEDLESS: Final = frozenset(
    {
        "allow_controlnet", "allow_lora", "allow_sdxl_controlnet", "allow_unsafe_ip",
        "cache_home", "censorlist", "disable_disk_cache", "disable_terminal_ui",
        "dynamic_models", "extra_stable_diffusion_models_folders", "high_memory_mode",
        "high_performance_mode", "limit_max_steps", "max_lora_cache_size", "max_models_to_download",
        "max_threads", "moderate_performance_mode", "number_of_dynamic_models",
        "post_process_job_overlap", "process_timeout", "purge_loras_on_download", "queue_size",
        "ram_to_leave_free", "safety_on_gpu", "stats_output_frequency",
        "suppress_speed_warnings", "unload_models_from_vram_often", "very_fast_disk_mode",
        "vram_to_leave_free",
    }
)  # fmt: skip
"""What this worker finds out by itself, or offers wherever it can."""


class NoBridgeData(Exception):
    """The file cannot be read as what it should be."""


@dataclass
class Imported:
    """What a file of an earlier worker says. notes: sentences about what was not taken over."""

    values: dict[str, Any] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def read(path: Path) -> Imported:
    """Read a file by its ending, `.yaml`, `.yml` or `.py`. Raises NoBridgeData, OSError."""
    text = path.read_text(encoding="utf-8")
    imported = Imported()
    said = _assignments(text, imported.notes) if path.suffix == ".py" else _yaml(text)
    _translate(said, imported)
    return imported


def _yaml(text: str) -> dict[str, Any]:
    import yaml  # type: ignore[import-untyped]  # noqa: PLC0415 - nobody else needs it

    try:
        said = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise NoBridgeData(f"not YAML: {error}") from error
    if not isinstance(said, dict):
        raise NoBridgeData("no settings in it")
    return {str(name): value for name, value in said.items()}


def _assignments(text: str, notes: list[str]) -> dict[str, Any]:
    """Give what is assigned to names, in the module and in its classes."""
    try:
        module = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError) as error:
        raise NoBridgeData(f"not Python: {error}") from error
    said: dict[str, Any] = {}
    for name, value in _assigned(module.body):
        try:
            said[name] = ast.literal_eval(value)
        except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
            notes.append(f"{name} is computed by the file, which is not run: set it by hand")
    return said


def _assigned(body: list[ast.stmt]) -> Iterator[tuple[str, ast.expr]]:
    for statement in body:
        if isinstance(statement, ast.ClassDef):
            yield from _assigned(statement.body)
        elif isinstance(statement, ast.AnnAssign) and statement.value is not None:
            if isinstance(statement.target, ast.Name):
                yield statement.target.id, statement.value
        elif isinstance(statement, ast.Assign):
            for target in statement.targets:
                if isinstance(target, ast.Name):
                    yield target.id, statement.value


def _translate(said: Mapping[str, Any], imported: Imported) -> None:
    """Say the same in this worker's words."""
    special: Mapping[str, Callable[[Any, Imported], None]] = {
        "max_power": _max_power,
        "models_to_load": lambda wanted, into: _models(wanted, said.get("models_to_skip"), into),
        "kai_url": _text_server,
        "custom_models": _custom_models,
    }
    name = next((said[key] for key in NAMES if _is_name(said.get(key))), None)
    if name is not None:
        imported.values["name"] = str(name)
    for key, value in said.items():
        if value is None or value == "" or key in NAMES or key == "models_to_skip":
            continue
        if key == "api_key" and str(value) == ANONYMOUS_KEY:
            imported.notes.append("api_key was the anonymous one: set your own")
        elif key in RENAMED:
            imported.values[RENAMED[key]] = str(value) if key == "api_key" else value
        elif key in special:
            special[key](value, imported)
        elif key not in NEEDLESS:
            imported.notes.append(f"{key} has no counterpart here")


def _is_name(value: object) -> bool:
    """Whether it is a name somebody chose; the templates had one to be changed."""
    return isinstance(value, str) and bool(value) and not value.startswith("An Awesome")


def _max_power(value: object, imported: Imported) -> None:
    if type(value) is int and value > 0:
        imported.values["max_pixels"] = max(64 * 64, value * PIXELS_OF_POWER)
    else:
        imported.notes.append(f"max_power is no number of this kind: {value!r}")


def _models(wanted: object, skipped: object, imported: Imported) -> None:
    names = [wanted] if isinstance(wanted, str) else wanted if isinstance(wanted, list) else []
    left_out = {str(one).casefold() for one in skipped} if isinstance(skipped, list) else set()
    taken = []
    for one in map(str, names):
        first, _, rest = one.casefold().partition(" ")
        if first in SELECTIONS and (not rest or rest.split()[-1] == "models" or rest.isdecimal()):
            imported.notes.append(f"models_to_load: {one!r} chose by a list; name the models")
        elif one.casefold() not in left_out:
            taken.append(one)
    if taken:
        imported.values["models"] = taken
        imported.notes.append(
            "models must be on this machine: `horde-worker models add NAME` fetches one"
        )


def _text_server(value: object, imported: Imported) -> None:
    imported.values["text_server"] = f"koboldcpp={value}"


def _custom_models(value: object, imported: Imported) -> None:
    """Take over files under names: `{name, baseline, filepath}` each."""
    for one in value if isinstance(value, list) else ():
        if isinstance(one, dict) and one.get("name") and one.get("filepath"):
            imported.values.setdefault("models", []).append(f"{one['name']}={one['filepath']}")
