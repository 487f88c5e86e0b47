"""The bot's settings: `BOT_*` variables, made once and passed down."""

import os
import sys
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from core.client.connection import ANONYMOUS_KEY

ENV_PREFIX = "BOT_"


def default_data_dir() -> Path:
    """The user's folder for application data on this system."""
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support" / "stable-horde" / "bot"
    root = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(root) / "stable-horde" / "bot"


class Settings(BaseSettings):
    """Settings of the bot's process."""

    model_config = SettingsConfigDict(env_prefix=ENV_PREFIX, frozen=True, extra="ignore")

    token: SecretStr = Field(description="The bot's token, from Discord's developer portal.")
    horde_url: str = Field(default="http://127.0.0.1:7001", description="The horde to ask.")
    public_url: str = Field(
        default="", description="Where people find the horde's page, if not at `BOT_HORDE_URL`."
    )
    api_key: SecretStr = Field(
        default=SecretStr(ANONYMOUS_KEY), description="The key that asks for who is not logged in."
    )
    data_dir: Annotated[Path, AfterValidator(Path.absolute)] = Field(
        default_factory=default_data_dir, description="Folder for the database and the secret."
    )
    database_url: str = Field(
        default="", description="SQLAlchemy URL; empty: an SQLite file in `BOT_DATA_DIR`."
    )
    secret: SecretStr = Field(
        default=SecretStr(""),
        description="Fernet key that encrypts API keys; empty: a file in `BOT_DATA_DIR` has it.",
    )
    models: list[str] = Field(
        default_factory=list, description="Models of a picture if nobody names one; none: any."
    )
    max_pictures: int = Field(default=10, ge=1, le=10, description="The most pictures at once.")
    prompt_days: int = Field(
        default=30, ge=0, le=365, description="Days for which prompts are logged; 0: never."
    )
    job_days: int = Field(
        default=90, ge=1, le=3650, description="Days after which a result's buttons end."
    )
    sync_guild: int | None = Field(
        default=None, description="A guild that gets changed commands at once, for development."
    )
    log_format: Literal["auto", "json", "text"] = Field(
        default="auto", description="Form of the log; auto: text on a terminal, else JSON."
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="The least level that is logged."
    )
    discord_api: str = Field(default="", description="Another address of Discord's REST API.")
    discord_gateway: str = Field(default="", description="Another address of Discord's gateway.")
    discord_cdn: str = Field(default="", description="Another address of Discord's pictures.")

    @property
    def database(self) -> str:
        """The URL of the database."""
        return self.database_url or f"sqlite+aiosqlite:///{self.data_dir / 'bot.sqlite'}"

    @property
    def page(self) -> str:
        """The address of the horde's page, for people."""
        url = self.public_url or self.horde_url
        return url.rstrip("/").removesuffix("/v2").removesuffix("/api")
