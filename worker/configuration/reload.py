"""Reads the settings file again when it changes, while the worker runs."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Final

from worker.configuration import files
from worker.configuration.files import WrongSettings
from worker.settings import Settings
from worker.shelf import FOLDER, LIST

LOOK_SECONDS: Final = 2.0

AT_ONCE: Final = frozenset(
    {
        "ahead_seconds", "batch", "blacklist", "censor_nsfw", "extra_slow", "forms", "idle_seconds",
        "img2img", "max_deaths",
        "max_context_length", "max_length", "max_pixels", "models", "nsfw", "painting",
        "post_processing", "priority_usernames", "require_upfront_kudos", "text_models",
        "unchecked", "wait_seconds",
    }
)  # fmt: skip
"""What takes effect while the worker runs; the rest waits for its next start."""


class Reloader:
    """Watches a settings file, and the list of models that were added.

    apply: is given the settings whenever they, or that list, have changed.
    say: shows a sentence.
    """

    def __init__(
        self,
        path: Path,
        settings: Settings,
        apply: Callable[[Settings], None],
        say: Callable[[str], None],
    ) -> None:
        self._path = path
        self._settings = settings
        self._apply = apply
        self._say = say
        self._list = settings.data_dir / FOLDER / LIST
        self._seen = self._look()

    async def run(self) -> None:
        """Look every LOOK_SECONDS, until cancelled."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            self.look()

    def look(self) -> None:
        """Read the file again where it has changed. Where it makes no sense, nothing changes."""
        seen = self._look()
        if seen == self._seen:
            return
        self._seen = seen
        try:
            loaded = files.load(self._path if self._path.exists() else None)
        except WrongSettings as error:
            self._say(f"settings not read again: {error}")
            return
        for note in loaded.notes:
            self._say(note)
        changed = [
            name
            for name in Settings.model_fields
            if getattr(loaded.settings, name) != getattr(self._settings, name)
        ]
        if now := [name for name in changed if name in AT_ONCE]:
            self._say(f"settings read again: {', '.join(now)}")
        if later := [name for name in changed if name not in AT_ONCE]:
            self._say(f"takes effect at the next start: {', '.join(later)}")
        # What waits for the next start is as it was, for whoever looks at all of them.
        kept = {name: getattr(self._settings, name) for name in changed if name not in AT_ONCE}
        self._settings = loaded.settings.model_copy(update=kept)
        self._apply(self._settings)

    def _look(self) -> tuple[object, ...]:
        return tuple(_stamp(path) for path in (self._path, self._list))


def _stamp(path: Path) -> tuple[int, int, int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino
