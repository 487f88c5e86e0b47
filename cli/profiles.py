"""Which horde is called, and as whom: options, then the environment, then the settings file.

The file is `config.toml` in the user's configuration folder, readable by its owner alone:

    profile = "home"

    [profiles.home]
    url = "http://127.0.0.1:7001"
    key = "..."
"""

import json
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from cli.claim import privately
from cli.exits import Exit, Failure
from cli.settings import ClientSettings

DEFAULT_URL: Final = "http://127.0.0.1:7001"
ANONYMOUS_KEY: Final = "0000000000"
DEFAULT: Final = "default"
MAX_BYTES: Final = 1024 * 1024
FIELDS: Final = ("url", "key")


@dataclass(frozen=True)
class Profile:
    """A horde, and who calls it.

    sources: where each of the two was found, in words.
    """

    name: str
    url: str
    key: str
    sources: dict[str, str]

    @property
    def is_anonymous(self) -> bool:
        """Whether it is the key that everybody may use."""
        return self.key == ANONYMOUS_KEY


def path() -> Path:
    """The settings file."""
    return ClientSettings().config_dir / "config.toml"


def resolve(url: str | None, key: str | None, name: str | None) -> Profile:
    """The horde to call. Raises Failure for a profile that is not there.

    A key of the settings file goes only to the horde it was kept for.
    """
    environment = ClientSettings()
    content = load()
    wanted = name or environment.profile or content.get("profile") or DEFAULT
    kept = content.get("profiles", {})
    if wanted not in kept and (name or environment.profile):
        known = ", ".join(kept) or "none"
        raise Failure(
            Exit.USAGE, f"There is no profile {wanted!r} in {path()}; there are: {known}."
        )
    found = kept.get(wanted, {})
    in_file = f"profile {wanted}"
    chosen_url, url_source = _first(
        (url, "--url"),
        # A profile that was named goes before the environment, which knows nothing of it.
        (found.get("url") if name else None, in_file),
        (environment.url, "the environment"),
        (found.get("url"), in_file),
        (DEFAULT_URL, "the default"),
    )
    key_of_file = found.get("key") if _same(chosen_url, found.get("url", DEFAULT_URL)) else None
    key_of_environment = environment.api_key and environment.api_key.get_secret_value()
    chosen_key, key_source = _first(
        (key, "--key"),
        (key_of_file if name else None, in_file),
        (key_of_environment or None, "the environment"),
        (key_of_file, in_file),
        (ANONYMOUS_KEY, "the anonymous one"),
    )
    _check(chosen_url, url_source, chosen_key, key_source)
    return Profile(wanted, chosen_url, chosen_key, {"url": url_source, "key": key_source})


def key_of(url: str) -> str:
    """The key that was kept for a horde; the anonymous one if there is none."""
    kept = load().get("profiles", {}).values()
    return next(
        (one["key"] for one in kept if _same(one["url"], url) and "key" in one), ANONYMOUS_KEY
    )


def load() -> dict[str, Any]:
    """The settings file; empty if there is none. Raises Failure if it cannot be read."""
    place = path()
    try:
        with place.open("rb") as file:
            content = tomllib.loads(file.read(MAX_BYTES).decode())
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise Failure(Exit.USAGE, f"{place} cannot be read: {error.strerror}.") from None
    except ValueError as error:
        raise Failure(Exit.USAGE, f"{place} is not TOML: {error}.") from None
    profiles = content.get("profiles", {})
    if not isinstance(profiles, dict) or not all(
        isinstance(one, dict) and all(isinstance(one.get(field, ""), str) for field in FIELDS)
        for one in profiles.values()
    ):
        raise Failure(Exit.USAGE, f"{place}: a profile has `url` and `key`, both texts.")
    return content


def keep(name: str, url: str, key: str | None) -> Path:
    """Write a profile into the settings file, and let it be the one that is used.

    key: None forgets it.
    """
    content = load()
    profiles = content.setdefault("profiles", {})
    profiles[name] = {"url": url} | ({} if key is None else {"key": key})
    content["profile"] = name
    place = path()
    place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    temporary = place.with_suffix(".new")
    with open(temporary, "w", encoding="utf-8", opener=privately) as file:
        file.write(_toml(content))
    temporary.replace(place)
    return place


def _first(*found: tuple[str | None, str]) -> tuple[str, str]:
    return next((value, source) for value, source in found if value)


def _same(one: str, other: str) -> bool:
    return one.rstrip("/") == other.rstrip("/")


def _check(url: str, url_source: str, key: str, key_source: str) -> None:
    if not url.startswith(("http://", "https://")):
        message = f"{url!r} (from {url_source}) is no address: it begins with http:// or https://."
        raise Failure(Exit.USAGE, message)
    if not (key.isascii() and key.isprintable()):
        message = f"The key from {key_source} has characters that no key has."
        raise Failure(Exit.USAGE, message)


def _toml(content: dict[str, Any]) -> str:
    """Text, and tables of text; what else the file had is kept as far as JSON can say it."""
    simple = {name: value for name, value in content.items() if name != "profiles"}
    lines = [f"{_name(name)} = {json.dumps(value)}" for name, value in simple.items()]
    for name, profile in content["profiles"].items():
        lines += ["", f"[profiles.{_name(name)}]"]
        lines += [f"{_name(field)} = {json.dumps(value)}" for field, value in profile.items()]
    return "\n".join(lines).lstrip("\n") + "\n"


def _name(text: str) -> str:
    bare = text.replace("-", "").replace("_", "")
    return text if bare.isascii() and bare.isalnum() else json.dumps(text)
