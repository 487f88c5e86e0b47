"""A horde's API, as far as the plug-in uses it: what is asked, and what the answers must have.

Blocking: call it from a thread (`errand`).
"""

import base64
import binascii
import re
from collections.abc import Iterator
from typing import Any, Final
from urllib.parse import quote

from stable_horde import events
from stable_horde.errors import NotMade, Trouble, WrongContract
from stable_horde.transport import ANONYMOUS_KEY, CALL_SECONDS, Json, Transport
from stable_horde.words import _

CONTRACT: Final = "v2"
"""The version of the API that the plug-in speaks, as it stands in paths."""
VERSIONED: Final = re.compile(r"(?:/api)?/(v\d{1,4})/")
MAX_PICTURE_BYTES: Final = 20 * 1024 * 1024
ASK_SECONDS: Final = 180.0
"""Asking sends a picture, perhaps over a slow line."""
PICTURE_SECONDS: Final = 120.0
SILENCE_SECONDS: Final = 45.0
"""The event stream says something every 15 seconds."""

PICTURES: Final = {b"\x89PNG": "png", b"\xff\xd8\xff": "jpg", b"RIFF": "webp"}
"""What pictures begin with: nothing else of what a horde hands out is opened."""


class Horde:
    """One horde, called with one key.

    site: its address, with or without `/api` or `/api/v2`. Raises Trouble for what is no address
    or no key. Its methods raise Unreachable, WrongContract or Refused.
    """

    def __init__(self, site: str, key: str = ANONYMOUS_KEY) -> None:
        self._transport = Transport(site, key)
        self.site: Final = self._transport.site

    # What there is

    def heartbeat(self) -> str:
        """The horde's version. Raises WrongContract if that is no horde, or one of another API."""
        try:
            version = self._object("GET", "/status/heartbeat").get("version")
        except WrongContract:
            raise self._other_contract() from None
        if not isinstance(version, str):
            raise self._other_contract()
        return version

    def models(self) -> list[Json]:
        """Models that are offered or asked for: name, count, queued, eta (seconds)."""
        answer = self._call("GET", "/status/models?type=image")
        if not isinstance(answer, list):
            raise self._no_horde()
        return [each for each in answer if isinstance(each, dict)]

    def user(self) -> Json:
        """Whose key it is, with the kudos that are left."""
        return self._object("GET", "/find_user")

    # Pictures

    def price(self, wanted: Json) -> float:
        """What a request would cost, in kudos."""
        answer = self._object("POST", "/generate/async", {**wanted, "dry_run": True})
        return kudos(answer)

    def ask(self, wanted: Json) -> Json:
        """Queue a request: its id and kudos, perhaps warnings. Never repeated by itself."""
        return self._asked("/generate/async", wanted)

    def check(self, request_id: str) -> Json:
        """How far a request is."""
        return self._object("GET", f"/generate/check/{_segment(request_id)}")

    def status(self, request_id: str) -> Json:
        """The same, with finished pictures. Ten times a minute at most."""
        return self._object("GET", f"/generate/status/{_segment(request_id)}")

    def cancel(self, request_id: str) -> Json:
        """Cancel what no worker has begun."""
        return self._object("DELETE", f"/generate/status/{_segment(request_id)}")

    def events(self, request_id: str) -> Iterator[events.Event]:
        """What happens to a request, as it happens. Raises WrongContract where there is no stream.

        It may break off before `end`: connect again, and everything is told again.
        """
        path = f"/{CONTRACT}/generate/events/{_segment(request_id)}"
        with self._transport.stream(path, "text/event-stream", SILENCE_SECONDS) as response:
            yield from events.read(response)

    def download(self, img: str) -> bytes:
        """A finished picture, from a link or from base64. Raises NotMade if it is none."""
        if img.startswith(("http://", "https://")):
            picture = self._transport.fetch(img, PICTURE_SECONDS, MAX_PICTURE_BYTES)
        else:
            try:
                picture = base64.b64decode(img[: MAX_PICTURE_BYTES * 2], validate=True)
            except (binascii.Error, ValueError):
                raise _no_picture() from None
        form(picture)
        return picture

    # Forms of a picture

    def ask_forms(self, wanted: Json) -> Json:
        """Queue forms: their request's id. The API tells no price of them."""
        return self._asked("/interrogate/async", wanted)

    def forms(self, request_id: str) -> Json:
        """How far forms are, with their results."""
        return self._object("GET", f"/interrogate/status/{_segment(request_id)}")

    def cancel_forms(self, request_id: str) -> Json:
        """Cancel forms that no worker has begun."""
        return self._object("DELETE", f"/interrogate/status/{_segment(request_id)}")

    # How

    def _asked(self, path: str, wanted: Json) -> Json:
        answer = self._object("POST", path, wanted, ASK_SECONDS)
        if not isinstance(answer.get("id"), str):
            raise self._no_horde()
        return answer

    def _object(
        self, method: str, path: str, body: Json | None = None, seconds: float = CALL_SECONDS
    ) -> Json:
        answer = self._call(method, path, body, seconds)
        if not isinstance(answer, dict):
            raise self._no_horde()
        return answer

    def _call(
        self, method: str, path: str, body: Json | None = None, seconds: float = CALL_SECONDS
    ) -> Any:  # noqa: ANN401 - JSON
        return self._transport.call(method, f"/{CONTRACT}{path}", body, seconds)

    def _no_horde(self) -> WrongContract:
        return WrongContract(self._transport.no_horde())

    def _other_contract(self) -> WrongContract:
        """Which versions of the API there are instead, where the horde's description says so."""
        try:
            described = self._transport.call("GET", "/swagger.json")
        except Trouble:
            return self._no_horde()
        paths = described.get("paths") if isinstance(described, dict) else None
        found = (VERSIONED.match(path) for path in (paths if isinstance(paths, dict) else ()))
        spoken = sorted({match[1] for match in found if match})
        if not spoken or CONTRACT in spoken:
            return self._no_horde()
        return WrongContract(
            _(
                "The horde at {site} speaks {theirs} of the API, this plug-in {own}: "
                "install the plug-in that belongs to the horde."
            ).format(site=self.site, theirs=", ".join(spoken), own=CONTRACT)
        )


def form(picture: bytes) -> str:
    """The ending of a picture's files. Raises NotMade if it is none that a horde makes."""
    for begin, ending in PICTURES.items():
        if picture.startswith(begin) and (ending != "webp" or picture[8:12] == b"WEBP"):
            return ending
    raise _no_picture()


def kudos(answer: Json) -> float:
    """The kudos that an answer names, as exact as the horde says them."""
    for name in ("kudos_exact", "kudos"):
        if isinstance(value := answer.get(name), int | float):
            return float(value)
    return 0.0


def _no_picture() -> NotMade:
    return NotMade(_("The horde sent something that is no picture."))


def _segment(text: str) -> str:
    return quote(text, safe="")
