"""The server's settings: `HORDE_*` variables, made once and passed down."""

import os
import secrets
import sys
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from core import files

MIN_SECRET = 32
_PRIVATE_NAMES = ("admin.key", "horde.lock", "log", "secret", "worker")
"""The other files in the data folder; see docs/operate.md."""


class NoSecret(ValueError):
    """A server without the embedded database was given no master secret."""


class BadSecret(ValueError):
    """The file of the master secret does not contain one."""


def default_data_dir() -> Path:
    """The user's folder for application data on this system."""
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support" / "stable-horde"
    root = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(root) / "stable-horde"


class LoginEndpoints(BaseModel):
    """Addresses of a login service (OAuth 2.0)."""

    model_config = ConfigDict(frozen=True)

    authorize: str
    """Where the browser is sent."""
    token: str
    """Where a code is exchanged."""
    user: str
    """Where JSON says who the user is."""


class Settings(BaseSettings):
    """Settings of the server process."""

    model_config = SettingsConfigDict(
        env_prefix="HORDE_", frozen=True, extra="ignore", use_attribute_docstrings=True
    )

    host: str = "127.0.0.1"
    """Address to listen on."""
    port: int = Field(default=7001, ge=0, le=65535)
    """Port to listen on; 0 takes a free one."""
    data_dir: Path = Field(default_factory=default_data_dir)
    """Folder for everything the embedded default keeps: database, pictures, secret."""
    database_url: str = ""
    """`sqlite+aiosqlite:///path` or `postgresql+asyncpg://…`; empty: SQLite in the data folder."""
    redis_url: str = ""
    """`redis://…` or `unix://…` for limits and events shared by several processes; empty: in
    process.
    """
    storage_url: str = ""
    """`file:/path` for the picture folder; empty: `pictures` in the data folder."""
    shared_url: str = ""
    """`file:/path` for pictures that were shared for rating; empty: `shared` in the data folder."""
    public_url: str = ""
    """What clients call this server; links are built from it. Empty: http://host:port."""
    allowed_origins: list[str] = Field(default_factory=list)
    """Pages from elsewhere (JSON list of origins such as `https://ui.example`, or `null`) that may
    call a horde whose public URL is a loopback address; every other horde may be called by all.
    """
    allowed_hosts: list[str] = Field(default_factory=list)
    """Further names (JSON list of hosts, without ports) by which a horde may be called whose public
    URL is a loopback address.
    """
    secret_key: SecretStr = SecretStr("")
    """Master secret, at least 32 characters. Empty: made once and kept in the data folder (mode
    0600); needed beside a database that is not SQLite.
    """
    old_secret_keys: list[SecretStr] = Field(default_factory=list)
    """Former master secrets (JSON list); keys hashed with them still work and are re-hashed on
    use.
    """
    rate_limits: Literal["on", "off"] = "on"
    """Whether the contract's rate limits hold."""
    dev_endpoints: Literal["off", "on"] = "off"
    """Serve /api/v2/dev/…; only ever on a loopback address, to loopback peers and behind no proxy.
    """
    registration: Literal["open", "closed"] = "open"
    """Whether anybody may register."""
    anonymous: Literal["on", "off"] = "on"
    """Whether the anonymous user may ask for anything; moderators can switch it off meanwhile."""
    anonymous_workers: Literal["off", "on"] = "off"
    """Whether the anonymous user may run workers, unpaid."""
    address_scorer_url: str = ""
    """A service that says how surely an address hides its user (VPN, proxy): a URL with
    `{address}`, answered by a number from 0 to 1. Empty: no address is looked at.
    """
    google_client_id: str = ""
    """Id that Google gave this horde; with the secret, people can log in there."""
    google_client_secret: SecretStr = SecretStr("")
    """Secret that belongs to it."""
    discord_client_id: str = ""
    """Id that Discord gave this horde; with the secret, people can log in there."""
    discord_client_secret: SecretStr = SecretStr("")
    """Secret that belongs to it."""
    github_client_id: str = ""
    """Id that GitHub gave this horde; with the secret, people can log in there."""
    github_client_secret: SecretStr = SecretStr("")
    """Secret that belongs to it."""
    login_endpoints: dict[str, LoginEndpoints] = Field(default_factory=dict)
    """Other addresses of login services (JSON: `google`, `discord` or `github` to an object of
    `authorize`, `token` and `user`), for GitHub Enterprise or tests.
    """
    trust_threshold: int = Field(default=0, ge=0)
    """Kudos kept back from a user above which they become trusted by themselves, a week after they
    registered at the earliest; 0: moderators alone decide.
    """
    session_days: int = Field(default=30, ge=1)
    """Days that a login in a browser lasts."""
    documents_dir: Path | None = None
    """Folder with a `terms.md`, `privacy.md`, `sponsors.md` or `news.json` of the operator's own,
    each instead of the one that ships.
    """
    model_reference_url: str = ""
    """Where newer knowledge of models is fetched every hour, such as another horde's
    `/api/v2/catalog/models`; empty: only what ships is known.
    """
    outside_allowed: list[str] = Field(default_factory=list)
    """Addresses, networks or host names (JSON list) that webhooks and source images by URL may lead
    to although they are not on the public internet.
    """
    trusted_proxies: list[str] = Field(default_factory=list)
    """Addresses or networks (JSON list) whose X-Forwarded-For is believed."""
    default_models: list[str] = Field(default_factory=lambda: ["stable_diffusion"])
    """What an image request that names no model asks for (JSON list); `[]`: any model."""
    image_delivery: Literal["auto", "url", "base64"] = "auto"
    """How pictures are handed out: `auto` gives each program what it reads (over https links, over
    plain http links or base64), `url` and `base64` give everybody the same.
    """
    request_minutes: int = Field(default=20, ge=1)
    """A request's life in minutes, renewed at each pop and delivery."""
    picture_minutes: int = Field(default=120, ge=30)
    """A picture's life in minutes."""
    url_seconds: int = Field(default=1800, ge=60)
    """Validity of signed picture links, in seconds."""
    ageing_kudos_per_10s: int = Field(default=50, ge=0)
    """Kudos of priority that waiting 10 s is worth."""
    max_lanes: int = Field(default=2000, ge=1)
    """Live lanes; further needs go to a lane that is checked row by row."""
    max_streams: int = Field(default=5000, ge=1)
    """Event streams that a process serves at once."""
    max_streams_per_address: int = Field(default=20, ge=1)
    """The same from one address (of IPv6, from one /64); of a service or a trusted user ten times
    as many.
    """
    max_waiting_pops: int = Field(default=10_000, ge=1)
    """Pops that wait in a process at once; one more is answered without waiting."""
    max_waiting_pops_per_address: int = Field(default=1000, ge=1)
    """The same from one address (of IPv6, from one /64)."""
    max_body_bytes: int = Field(default=48 * 1024 * 1024, ge=1024)
    """Largest request body in bytes, where a picture can be in it; others are smaller."""
    upkeep: Literal["on", "off"] = "on"
    """Whether this process takes part in upkeep."""
    plugins: list[str] = Field(default_factory=lambda: ["web.blueprint"])
    """Modules (JSON list) whose `blueprint` the server mounts, such as the web page."""
    log_format: Literal["auto", "json", "text"] = "auto"
    """`auto`: text on a terminal, else JSON."""
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    """Least level that is logged."""

    @field_validator("database_url")
    @classmethod
    def _is_a_database(cls, url: str) -> str:
        if url and not url.startswith(("sqlite+aiosqlite:///", "postgresql+asyncpg://")):
            raise ValueError("sqlite+aiosqlite:///path or postgresql+asyncpg://… is needed")
        return url

    @field_validator("public_url")
    @classmethod
    def _is_an_address(cls, url: str) -> str:
        if url and (urlsplit(url).scheme not in ("http", "https") or not urlsplit(url).hostname):
            raise ValueError("an address such as https://horde.example is needed")
        return url.rstrip("/")

    @field_validator("allowed_origins", "allowed_hosts")
    @classmethod
    def _in_lower_case(cls, names: list[str]) -> list[str]:
        return [name.lower().rstrip("/.") for name in names]

    @field_validator("secret_key")
    @classmethod
    def _is_long(cls, secret: SecretStr) -> SecretStr:
        if 0 < len(secret.get_secret_value()) < MIN_SECRET:
            raise ValueError("at least 32 characters are needed")
        return secret

    @property
    def database(self) -> str:
        """The database URL in effect."""
        return self.database_url or f"sqlite+aiosqlite:///{self.data_dir / 'horde.sqlite'}"

    @property
    def pictures(self) -> Path:
        """The picture folder in effect."""
        if self.storage_url:
            return Path(urlsplit(self.storage_url).path)
        return self.data_dir / "pictures"

    @property
    def shared_pictures(self) -> Path:
        """The folder of shared pictures in effect."""
        return Path(urlsplit(self.shared_url).path) if self.shared_url else self.data_dir / "shared"

    @property
    def base_url(self) -> str:
        """What clients call this server, without a trailing slash."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return self.public_url or f"http://{host}:{self.port}"

    def secret(self) -> bytes:
        """The master secret; the embedded default makes one in the data folder on first use."""
        if given := self.secret_key.get_secret_value():
            return given.encode()
        if not self.database.startswith("sqlite"):
            raise NoSecret(
                "HORDE_SECRET_KEY is needed beside a shared database: all its servers use one. "
                'Make it with: python -c "import secrets; print(secrets.token_hex(32))"'
            )
        path = self.data_dir / "secret"
        self.data_dir.mkdir(parents=True, exist_ok=True, mode=files.PRIVATE_FOLDER)
        files.write_once(path, secrets.token_urlsafe(48).encode())
        kept = path.read_bytes().strip()
        if len(kept) < MIN_SECRET:
            raise BadSecret(
                f"{path} holds {len(kept)} characters, a secret has at least {MIN_SECRET}. Put the "
                "right one back from a backup; or delete the file: the next start makes another, "
                "but then no API key of this horde works any more."
            )
        return kept

    def private_paths(self) -> list[Path]:
        """Private files: only the user who runs the horde may read them."""
        found = [self.data_dir / name for name in _PRIVATE_NAMES]
        found += [self.pictures, self.shared_pictures]
        if self.database.startswith("sqlite"):
            path = self.database.partition(":///")[2].partition("?")[0]
            found += [Path(path + end) for end in ("", "-wal", "-shm", "-journal", ".lock")]
        return found
