"""The key of the worker's owner, as the settings say it."""

from worker.settings import Settings


class NoKey(Exception):
    """What should be the key cannot be read, or cannot be one."""


def key_of(settings: Settings) -> str:
    """Give the key in effect; empty if there is none. Raises NoKey."""
    file, key = settings.api_key_file, settings.api_key.get_secret_value()
    if file is not None and not key:
        try:
            key = file.read_text(encoding="utf-8", errors="replace").strip()
        except OSError as error:
            raise NoKey(f"{file}: {error.strerror}") from None
    if not (key.isascii() and key.isprintable()):
        raise NoKey("the key has letters that no key has: copy it anew")
    return key
