"""Settings that `horde` reads from the environment, and those of the processes it starts."""

import os
import sys
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, AliasChoices, Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


def default_data_dir() -> Path:
    """The user's folder for application data on this system."""
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support" / "stable-horde"
    root = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(root) / "stable-horde"


def _user_folder(variable: str, default: str, name: str) -> Path:
    root = os.environ.get(variable)
    return (Path(root) if root else Path.home() / default) / name


class ClientSettings(BaseSettings):
    """The horde to call and the key for it, where neither options nor a profile say so."""

    model_config = SettingsConfigDict(env_prefix="HORDE_", frozen=True, extra="ignore")

    url: str | None = Field(
        default=None,
        validation_alias=AliasChoices("HORDE_URL", "AI_HORDE_URL"),
        description="The horde's address; `AI_HORDE_URL` is read too.",
    )
    api_key: SecretStr | None = Field(default=None, description="The key to ask with.")
    profile: str | None = Field(
        default=None, description="The profile of the settings file that is used."
    )
    config_dir: Path = Field(
        default_factory=lambda: _user_folder("XDG_CONFIG_HOME", ".config", "horde"),
        description="Folder of `config.toml`, with the profiles.",
    )
    state_dir: Path = Field(
        default_factory=lambda: _user_folder("XDG_STATE_HOME", ".local/state", "horde"),
        description="Folder where the requests of this machine are remembered.",
    )


class TerminalSettings(BaseSettings):
    """What the terminal says it is."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore")

    term: str = Field(default="", description="The terminal's kind, as it sets it itself.")
    term_program: str = Field(default="", description="The terminal's name, where it sets it.")


class EmbeddedSettings(BaseSettings):
    """Where the horde of this machine listens and keeps its data."""

    model_config = SettingsConfigDict(env_prefix="HORDE_", frozen=True, extra="ignore")

    host: str = Field(default="127.0.0.1", description="Address to listen on.")
    port: int = Field(
        default=7001, ge=0, le=65535, description="Port to listen on; 0 takes a free one."
    )
    data_dir: Annotated[Path, AfterValidator(Path.absolute)] = Field(
        default_factory=default_data_dir, description="Folder for everything the horde keeps."
    )


def embedded(
    host: str | None = None, port: int | None = None, data_dir: Path | None = None
) -> EmbeddedSettings:
    """The address of this machine's horde: from the options, else from the environment."""
    return EmbeddedSettings.model_validate(_given(host=host, port=port, data_dir=data_dir))


def _given(**options: object) -> dict[str, object]:
    return {name: value for name, value in options.items() if value is not None}


def server_environment(settings: EmbeddedSettings) -> dict[str, str]:
    """The environment of the server, and of programs that work on the same data."""
    return {
        # The shipped model should serve clients that name none.
        "HORDE_DEFAULT_MODELS": "[]",
        **os.environ,
        "HORDE_HOST": settings.host,
        "HORDE_PORT": str(settings.port),
        "HORDE_DATA_DIR": str(settings.data_dir),
    }


def worker_environment(
    settings: EmbeddedSettings, url: str, key_file: Path, *, text: bool
) -> dict[str, str]:
    """The environment of a worker for the horde at `url`, owned by the key's user.

    text: whether it also writes text, whatever the environment says.
    """
    # Variables that only the server needs, above all secrets, are removed.
    inherited = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("HORDE_") and name != "WORKER_API_KEY"
    }
    kinds = {"WORKER_KINDS": '["image", "text", "alchemy"]'} if text else {}
    return {
        "WORKER_DATA_DIR": str(settings.data_dir / "worker"),
        "WORKER_PROGRESS": "lines",
        **inherited,
        **kinds,
        "WORKER_URL": url,
        "WORKER_API_KEY_FILE": str(key_file),
    }
