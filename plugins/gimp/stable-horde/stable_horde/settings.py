"""The horde and the key, in a file that only its owner can read; the environment goes first."""

import dataclasses
import json
import os
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Self

from stable_horde.regions import DEFAULT_MAX_PIXELS, MAX_SIDE
from stable_horde.transport import ANONYMOUS_KEY
from stable_horde.wire import Horde

DEFAULT_URL: Final = "http://127.0.0.1:7001"
FILE: Final = "settings.json"
PRIVATE: Final = 0o600
LIMITS: Final = {"minutes": (1, 24 * 60), "max_pixels": (256 * 256, MAX_SIDE * MAX_SIDE)}


@dataclass(frozen=True)
class Settings:
    """What holds for all requests.

    minutes: how long a request is followed. shared: whether pictures go to the public data set.
    """

    url: str = DEFAULT_URL
    key: str = field(default=ANONYMOUS_KEY, repr=False)
    nsfw: bool = False
    trusted_only: bool = False
    slow_workers: bool = True
    shared: bool = False
    max_pixels: int = DEFAULT_MAX_PIXELS
    minutes: int = 45

    def horde(self) -> Horde:
        """The horde to call. Raises Trouble."""
        return Horde(self.url, self.key)

    def applied(self, body: dict[str, Any]) -> dict[str, Any]:
        """A request's JSON with what the settings say of every request."""
        return {
            **body,
            "trusted_workers": self.trusted_only,
            "slow_workers": self.slow_workers,
            "shared": self.shared,
        }

    def save(self, folder: Path) -> None:
        """Write them so that nobody else can read them, and a crash leaves the old ones."""
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_private(folder / FILE, json.dumps(dataclasses.asdict(self), indent=2))

    @classmethod
    def load(cls, folder: Path, environment: dict[str, str] | None = None) -> Self:
        """Read them; what is missing or makes no sense is as it is by default."""
        given = os.environ if environment is None else environment
        chosen = _sensible(folder / FILE)
        url = given.get("HORDE_URL") or given.get("AI_HORDE_URL")
        if url:
            chosen["url"] = url
        if key := given.get("HORDE_API_KEY"):
            chosen["key"] = key
        return cls(**chosen)


def of_the_environment() -> list[str]:
    """The variables of the environment that go before the file."""
    names = ("HORDE_URL", "AI_HORDE_URL", "HORDE_API_KEY")
    return [name for name in names if os.environ.get(name)]


def _sensible(path: Path) -> dict[str, Any]:
    try:
        said = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    if not isinstance(said, dict):
        return {}
    kinds: dict[str, type] = {
        each.name: type(each.default) for each in dataclasses.fields(Settings)
    }
    chosen: dict[str, Any] = {
        name: value for name, value in said.items() if type(value) is kinds.get(name)
    }
    for name, (least, most) in LIMITS.items():
        value = chosen.get(name)
        if value is not None and not least <= value <= most:
            del chosen[name]
    return chosen


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner can read, all of it or nothing."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=path.name)  # mode 0600
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink()
        raise
