"""The worker's settings, each with unit and default: `WORKER_*` variables, or keys of a file."""

import ipaddress
import os
import socket
from pathlib import Path
from typing import Annotated, Final, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

SHIPPED: Final = Path(__file__).parent / "models"
"""The folder of the models that come with the project."""
ENV_PREFIX: Final = "WORKER_"
DEFAULT_MODEL: Final = "horde-tiny"
DEFAULT_TEXT_MODEL: Final = "SmolLM2-135M-Instruct"

WorkKind = Literal["image", "text", "alchemy"]


def default_name() -> str:
    """The host's name, without words that hordes refuse in a worker's name."""
    host = socket.gethostname().split(".")[0].lower()
    refused = any(word in host for word in ("colab", "tpu", "google"))
    return "worker" if refused or not host else host


def default_models() -> list[str]:
    """The shipped model, if it is there."""
    return [DEFAULT_MODEL] if (SHIPPED / DEFAULT_MODEL).is_dir() else []


def default_data_dir() -> Path:
    """The user's folder for application data."""
    root = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(root) / "stable-horde" / "worker"


def cache_dir() -> Path:
    """The user's folder for what can be made anew."""
    root = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(root) / "stable-horde"


def default_threads() -> int:
    """The cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _site(text: str) -> str:
    parts = urlsplit(text.strip())
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("an address begins with http:// or https://")
    return text.strip()


def _network(text: str) -> str:
    ipaddress.ip_network(text, strict=False)
    return text


class Place(BaseSettings):
    """Where the settings file is, as far as the environment says."""

    model_config = SettingsConfigDict(env_prefix=ENV_PREFIX, frozen=True, extra="ignore")

    config: Path | None = None
    data_dir: Path = Field(default_factory=default_data_dir)


class Settings(BaseSettings):
    """Settings of the worker's control process."""

    model_config = SettingsConfigDict(env_prefix=ENV_PREFIX, frozen=True, extra="ignore")

    config: Path | None = Field(
        default=None,
        description="The settings file; by default `worker.toml` in the data folder.",
    )
    url: Annotated[str, AfterValidator(_site)] = Field(
        default="http://127.0.0.1:7001", description="The horde's address."
    )
    api_key: SecretStr = Field(
        default=SecretStr(""), description="The key of the user who owns the worker."
    )
    api_key_file: Path | None = Field(
        default=None, description="A file with that key, instead of `WORKER_API_KEY`."
    )
    private_networks: list[Annotated[str, AfterValidator(_network)]] = Field(
        default_factory=list,
        description="Private addresses and networks (JSON list, such as `10.0.0.0/8`) from which "
        "source pictures may be fetched and to which results may be sent; elsewhere, only the "
        "public internet and the horde's own address may be reached.",
    )
    name: str = Field(
        default_factory=default_name,
        min_length=1,
        max_length=100,
        description="The worker's name, unique on its horde; the host's name by default.",
    )
    kinds: list[WorkKind] = Field(
        default=["image", "alchemy"],
        min_length=1,
        description="What to serve (JSON list) of `image`, `text` and `alchemy`. Text fetches its "
        "model, 93 MB, at its first start; worker names of text and alchemy end in that word.",
    )
    models: list[str] = Field(
        default_factory=default_models,
        description="What makes pictures (JSON list): names in the model folders, paths of "
        "diffusers folders, or `name=place` with a path or a hub's `owner/model`; by default what "
        "ships.",
    )
    text_models: list[str] = Field(
        default_factory=lambda: [DEFAULT_TEXT_MODEL],
        description="What writes text (JSON list), named likewise: folders of causal language "
        "models.",
    )
    model_dirs: list[Path] = Field(
        default_factory=lambda: [SHIPPED],
        description="Folders (JSON list) in which models are looked up by name, and upscalers "
        "(`RealESRGAN_x4plus.pth` and the like).",
    )
    data_dir: Annotated[Path, AfterValidator(Path.absolute)] = Field(
        default_factory=default_data_dir,
        description="Folder for what the worker fetches; models are looked up there, too.",
    )
    device: Literal["auto", "cpu", "cuda", "mps"] = Field(
        default="auto", description="Where to render; `auto` takes a GPU if there is one."
    )
    threads: int = Field(
        default_factory=default_threads,
        ge=1,
        le=256,
        description="CPU threads of the renderer; by default all cores. 1 if others share them.",
    )
    max_pixels: int = Field(
        default=1024 * 1024,
        ge=64 * 64,
        le=3072 * 3072,
        description="Largest picture served, in pixels.",
    )
    max_length: int = Field(
        default=512, ge=16, le=4096, description="Longest text served, in tokens."
    )
    max_context_length: int = Field(
        default=2048,
        ge=80,
        le=1048576,
        description="Most tokens of prompt and text together that are served.",
    )
    batch: int = Field(
        default=0,
        ge=0,
        le=20,
        description="Results of one request that are taken at once; 0: of pictures 4 on a GPU and "
        "1 on a CPU, of texts 8 and 4.",
    )
    img2img: bool = Field(
        default=True, description="Whether to serve requests that begin with a picture."
    )
    painting: bool = Field(default=True, description="Whether to serve in- and outpainting.")
    controlnet: bool = Field(
        default=True,
        description="Whether to serve control types, as far as their networks are here.",
    )
    post_processing: bool = Field(
        default=True,
        description="Whether to serve post-processing of pictures, as far as its weights are here.",
    )
    forms: list[str] = Field(
        default_factory=list,
        description="Forms of alchemy to serve (JSON list); empty: all whose models are here.",
    )
    nsfw: bool = Field(
        default=True, description="Whether to serve requests that may be unsafe for work."
    )
    censor_nsfw: bool = Field(
        default=False,
        description="Whether to hold back every picture that the safety checker finds unsafe; "
        "otherwise only where a request wants that.",
    )
    unchecked: bool = Field(
        default=True,
        description="Whether to serve requests that want unsafe pictures held back where there is "
        "no safety checker; their pictures say that nobody looked.",
    )
    blacklist: list[str] = Field(
        default_factory=list, description="Words (JSON list) whose prompts are not served."
    )
    priority_usernames: list[str] = Field(
        default_factory=list, description="Users (JSON list of `name#id`) whose requests go first."
    )
    require_upfront_kudos: bool = Field(
        default=False,
        description="Whether to serve only requests that are paid in full in advance.",
    )
    extra_slow: bool = Field(
        default=False, description="Whether to say that this worker needs more time than is usual."
    )
    wait_seconds: float = Field(
        default=2.0,
        ge=0,
        le=30,
        description="How long the server may hold a call for work until there is some; "
        "also how long an idle worker may take to stop.",
    )
    idle_seconds: float = Field(
        default=1.0,
        ge=0.1,
        le=60,
        description="Least seconds from one call for work in vain to the next.",
    )
    ahead_seconds: float = Field(
        default=1.0,
        ge=0,
        le=60,
        description="How many seconds before a job's end the next is fetched.",
    )
    hub_url: str = Field(
        default="https://huggingface.co", description="The hub from which models are fetched."
    )
    hub_token: SecretStr = Field(
        default=SecretStr(""), description="A token of the hub, for models that need a login."
    )
    civitai_url: str = Field(
        default="https://civitai.com", description="Where models of CivitAI are fetched."
    )
    civitai_token: SecretStr = Field(
        default=SecretStr(""), description="A token of CivitAI, for models that need a login."
    )
    lora: Literal["auto", "off", "fetch"] = Field(
        default="auto",
        description="Whether pictures with LoRAs and textual inversions are served: `auto` where "
        "there is something in the folders `loras` and `embeddings` of `WORKER_MODEL_DIRS`, by "
        "its name; `fetch` also what CivitAI has, by its number.",
    )
    lora_cache_gb: float = Field(
        default=10.0, ge=0, le=10_000, description="GB that fetched LoRAs may take on the disk."
    )
    image_server: str = Field(
        default="",
        description="A program of this machine that makes the pictures instead of the engine: "
        "`a1111=http://127.0.0.1:7860` (also Forge) or `comfyui=http://127.0.0.1:8188`.",
    )
    text_server: str = Field(
        default="",
        description="One that writes the texts: `koboldcpp=http://127.0.0.1:5001` or "
        "`openai=http://127.0.0.1:8000/v1`.",
    )
    text_server_key: SecretStr = Field(
        default=SecretStr(""), description="The key that `WORKER_TEXT_SERVER` asks for, if any."
    )
    status_port: int = Field(
        default=0,
        ge=0,
        le=65535,
        description="Port of a status page (`/`) and Prometheus metrics (`/metrics`) on the "
        "loopback address; 0: none.",
    )
    start_timeout: float = Field(
        default=300,
        ge=1,
        description="Seconds after which an engine that does not start is given up.",
    )
    load_timeout: float = Field(
        default=300, ge=1, description="Seconds after which a model that does not load is given up."
    )
    step_timeout: float = Field(
        default=120,
        ge=1,
        description="Seconds without progress after which a hanging engine is killed.",
    )
    max_deaths: int = Field(
        default=3,
        ge=1,
        description="Deaths of the engine in a row on one model, after which it rests for a while.",
    )
    progress: Literal["auto", "bar", "lines"] = Field(
        default="auto",
        description="How jobs are shown: `auto` is a live view on a terminal, else a line a job.",
    )
    log_format: Literal["auto", "json", "text"] = Field(
        default="auto", description="`auto`: text on a terminal, else JSON."
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="Least level that is logged."
    )
