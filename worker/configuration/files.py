"""Where the settings file is, and how it is read and written."""

import difflib
import os
import stat
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError
from pydantic_settings import BaseSettings, InitSettingsSource, PydanticBaseSettingsSource

from worker.configuration import bridge_data, template
from worker.settings import ENV_PREFIX, Place, Settings

NAME: Final = "worker.toml"
FORMER: Final = ("bridgeData.yaml", "bridgeData.yml", "bridgeData.py")
PRIVATE: Final = 0o600


class WrongSettings(Exception):
    """The settings make no sense, or cannot be read; the text says which and where."""


@dataclass(frozen=True)
class Loaded:
    """Settings in effect.

    path: the file's, whether or not it is there.
    notes: what somebody should know about the file: keys that mean nothing, who may read it.
    """

    settings: Settings
    path: Path
    notes: tuple[str, ...] = ()


def place(given: Path | None = None) -> Path:
    """Say where the settings file is: what was given, else WORKER_CONFIG, else the data folder."""
    try:
        told = Place()
    except ValidationError as error:
        raise WrongSettings(_wrong(error, {}, Path(NAME))) from None
    return (given or told.config or told.data_dir / NAME).expanduser().absolute()


def load(given: Path | None = None) -> Loaded:
    """Read the settings: the environment's, else the file's, else the defaults.

    given: the file; where it is named, by this or by WORKER_CONFIG, it must be there.
    Raises WrongSettings.
    """
    path = place(given)
    if (given or Place().config) and not path.exists():
        raise WrongSettings(f"{path}: no such file")
    said, notes = read(path) if path.exists() else ({}, [])
    known = {name: value for name, value in said.items() if name in Settings.model_fields}
    notes += [_unknown(name) for name in said if name not in known]
    if _is_open(path) and any(known.get(name) for name in SECRETS):
        notes.append(f"{path} holds a key and can be read by others: chmod 600 {path}")
    try:
        return Loaded(_with_file(known), path, tuple(notes))
    except ValidationError as error:
        raise WrongSettings(_wrong(error, known, path)) from None


def read(path: Path) -> tuple[dict[str, Any], list[str]]:
    """Read what a file says, and give notes about it. Raises WrongSettings."""
    try:
        if path.suffix in {".yaml", ".yml", ".py"}:
            imported = bridge_data.read(path)
            return imported.values, imported.notes
        # Some editors put a byte-order mark before it.
        return tomllib.loads(path.read_text(encoding="utf-8-sig")), []
    # The parser's own errors are ValueErrors; so are numbers of thousands of digits.
    except (OSError, ValueError, RecursionError) as error:
        raise WrongSettings(f"{path}: {error}") from None
    except bridge_data.NoBridgeData as error:
        raise WrongSettings(f"{path}: {error}") from None


def make(path: Path, former: Path | None = None) -> list[str]:
    """Write a settings file, which must not be there; gives what somebody should know about it.

    former: a file of an earlier worker, whose settings are taken over.
    Raises WrongSettings, and OSError where it cannot be written.
    """
    values, notes = read(former) if former is not None else ({}, [])
    text = template.render(values)
    path.parent.mkdir(parents=True, exist_ok=True)
    # Made with its mode, not given it later: it may hold a key from its first byte on.
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
    except OSError:  # half a file would be taken for the whole at the next start
        path.unlink(missing_ok=True)
        raise
    taken = f", with what {former.name} says" if former is not None else ""
    return [f"made {path}{taken}", *notes]


def former(folder: Path) -> Path | None:
    """Find a settings file of an earlier worker."""
    return next((folder / name for name in FORMER if (folder / name).is_file()), None)


SECRETS: Final = ("api_key", "civitai_token", "hub_token", "text_server_key")


def _is_open(path: Path) -> bool:
    """Whether others on this machine can read the file; Windows has no such bits."""
    if os.name == "nt" or not path.exists():
        return False
    return bool(path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO))


def _unknown(name: str) -> str:
    near = difflib.get_close_matches(name, Settings.model_fields, n=1)
    return f"{name!r} is no setting" + (f"; {near[0]!r} is" if near else "")


def _wrong(error: ValidationError, said: Mapping[str, Any], path: Path) -> str:
    """Say what is wrong, and where it stands; never what it is, which may be a secret."""
    sentences = []
    for one in error.errors(include_url=False, include_context=False, include_input=False):
        name = str(one["loc"][0]) if one["loc"] else "the settings"
        where = f"{path}: {name}" if name in said else f"{ENV_PREFIX}{name.upper()}"
        sentences.append(f"{where}: {one['msg']}")
    return "; ".join(sentences)


def _with_file(said: Mapping[str, Any]) -> Settings:
    """Make the settings of the environment, of what a file says, and of the defaults.

    Raises ValidationError.
    """

    class _WithFile(Settings):
        @classmethod
        def settings_customise_sources(
            cls,
            settings_cls: type[BaseSettings],
            init_settings: PydanticBaseSettingsSource,
            env_settings: PydanticBaseSettingsSource,
            dotenv_settings: PydanticBaseSettingsSource,
            file_secret_settings: PydanticBaseSettingsSource,
        ) -> tuple[PydanticBaseSettingsSource, ...]:
            del dotenv_settings, file_secret_settings
            return init_settings, env_settings, InitSettingsSource(settings_cls, dict(said))

    return _WithFile()
