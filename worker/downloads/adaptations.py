"""Fetches adaptations and learned words of CivitAI while the worker serves."""

from pathlib import Path
from typing import Final

from worker.downloads.civitai import CivitAI
from worker.downloads.parts import CannotFetch
from worker.downloads.transfer import Patience, Transfer
from worker.image.library import NotHad

AGENT: Final = "Stable Horde Worker"
MAX_BYTES: Final = 2**30
"""More is a model, not an adaptation of one."""
PATIENCE: Final = Patience(attempts=3, longest_seconds=5.0, patience_seconds=10.0)


class FromCivitAI:
    """Fetches by number. url: the site's. token: of somebody whom it lets download."""

    def __init__(self, url: str, token: str, *, max_bytes: int = MAX_BYTES) -> None:
        self._url = url
        self._token = token
        self._max_bytes = max_bytes

    async def __call__(self, model: int | None, version: int | None, target: Path) -> None:
        """Have a version of a model in its place, the newest by default. Raises NotHad."""
        # Late: whoever serves what is here does without it.
        import httpx  # noqa: PLC0415

        async with httpx.AsyncClient(headers={"User-Agent": AGENT}) as http:
            transfer = Transfer(http, PATIENCE)
            try:
                found = await CivitAI(self._url, self._token, transfer).look(model, version)
                if (found.remote.size or 0) > self._max_bytes:
                    raise NotHad(f"it has {found.remote.size} bytes")
                await transfer.file(found.remote, target)
            except (CannotFetch, OSError) as error:
                raise NotHad(str(error)) from error
