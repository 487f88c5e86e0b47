"""Calls a horde's API: standard library only, each call with a limit of time and of size.

Blocking: call it from a thread (`errand`). The key goes to the horde's own origin and nowhere else.
"""

import base64
import binascii
import json
import socket
import ssl
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.client import HTTPException, HTTPMessage, HTTPResponse
from time import monotonic
from typing import IO, Any, Final
from urllib.parse import quote, urlsplit

from stable_horde import AGENT, events
from stable_horde.errors import NotMade, Refused, Trouble, Unreachable, WrongContract

ANONYMOUS_KEY: Final = "0000000000"
MAX_ANSWER_BYTES: Final = 64 * 1024 * 1024
MAX_PICTURE_BYTES: Final = 20 * 1024 * 1024
CALL_SECONDS: Final = 30.0
ASK_SECONDS: Final = 180.0
"""Asking sends a picture, perhaps over a slow line."""
PICTURE_SECONDS: Final = 120.0
SILENCE_SECONDS: Final = 45.0
"""The event stream says something every 15 seconds."""
CHUNK_BYTES: Final = 64 * 1024

Json = dict[str, Any]

PICTURES: Final = {b"\x89PNG": "png", b"\xff\xd8\xff": "jpg", b"RIFF": "webp"}
"""What pictures begin with: nothing else of what a horde hands out is opened."""


class _Follow(urllib.request.HTTPRedirectHandler):
    """Follows redirects to http and https, and those of pictures only: they carry no key."""

    max_redirections = 5

    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: HTTPMessage,
        newurl: str,
    ) -> urllib.request.Request | None:
        if req.has_header("Apikey") or urlsplit(newurl).scheme not in {"http", "https"}:
            return None  # urllib raises the answer as an HTTPError
        return super().redirect_request(req, fp, code, msg, headers, newurl)


class Horde:
    """One horde, called with one key.

    site: its address, with or without `/api` or `/api/v2`. Raises Trouble for what is no address
    or no key. Its methods raise Unreachable, WrongContract or Refused.
    """

    def __init__(self, site: str, key: str = ANONYMOUS_KEY) -> None:
        self.site: Final = checked_site(site)
        if not (key.isascii() and key.isprintable()) or " " in key:
            raise Trouble("The API key has characters that no key has; look at the settings.")
        self._headers = {
            "Apikey": key or ANONYMOUS_KEY,
            "Client-Agent": AGENT,
            "User-Agent": AGENT.rpartition(":http")[0].replace(":", "/"),
            "Accept": "application/json",
        }
        self._opener = urllib.request.build_opener(
            _Follow(), urllib.request.HTTPSHandler(context=ssl.create_default_context())
        )

    # What there is

    def heartbeat(self) -> str:
        """The horde's version. Raises WrongContract if that is no horde."""
        answer = self._object("GET", "/status/heartbeat")
        version = answer.get("version")
        if not isinstance(version, str):
            raise WrongContract(self._no_horde())
        return version

    def models(self) -> list[Json]:
        """Models that are offered or asked for: name, count, queued, eta (seconds)."""
        return self._list("GET", "/status/models?type=image")

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
        path = f"/generate/events/{_segment(request_id)}"
        headers = {**self._headers, "Accept": "text/event-stream"}
        request = urllib.request.Request(f"{self.site}/api/v2{path}", headers=headers)  # noqa: S310 - checked
        with self._opened(request, SILENCE_SECONDS) as response:
            if not response.headers.get("Content-Type", "").startswith("text/event-stream"):
                raise WrongContract("The horde has no event stream.")
            yield from events.read(response)

    def download(self, img: str) -> bytes:
        """A finished picture, from a link or from base64. Raises NotMade if it is none."""
        if img.startswith(("http://", "https://")):
            headers = {"User-Agent": self._headers["User-Agent"]}
            request = urllib.request.Request(img, headers=headers)  # noqa: S310 - checked above
            picture = self._fetch(request, PICTURE_SECONDS, MAX_PICTURE_BYTES)
        else:
            try:
                picture = base64.b64decode(img[: MAX_PICTURE_BYTES * 2], validate=True)
            except (binascii.Error, ValueError):
                raise NotMade("The horde sent something that is no picture.") from None
        form(picture)
        return picture

    # Forms of a picture

    def ask_forms(self, wanted: Json) -> Json:
        """Queue forms: their request's id."""
        return self._asked("/interrogate/async", wanted)

    def forms(self, request_id: str) -> Json:
        """How far forms are, with their results."""
        return self._object("GET", f"/interrogate/status/{_segment(request_id)}")

    def cancel_forms(self, request_id: str) -> Json:
        """Cancel forms that no worker has begun."""
        return self._object("DELETE", f"/interrogate/status/{_segment(request_id)}")

    # How

    def _asked(self, path: str, wanted: Json) -> Json:
        answer = self._object("POST", path, wanted, seconds=ASK_SECONDS)
        if not isinstance(answer.get("id"), str):
            raise WrongContract(self._no_horde())
        return answer

    def _object(
        self, method: str, path: str, body: Json | None = None, *, seconds: float = CALL_SECONDS
    ) -> Json:
        answer = self._call(method, path, body, seconds)
        if not isinstance(answer, dict):
            raise WrongContract(self._no_horde())
        return answer

    def _list(self, method: str, path: str) -> list[Json]:
        answer = self._call(method, path, None, CALL_SECONDS)
        if not isinstance(answer, list):
            raise WrongContract(self._no_horde())
        return [each for each in answer if isinstance(each, dict)]

    def _call(self, method: str, path: str, body: Json | None, seconds: float) -> Any:  # noqa: ANN401 - JSON
        headers: Mapping[str, str] = self._headers
        content = None
        if body is not None:
            content = json.dumps(body).encode()
            headers = {**headers, "Content-Type": "application/json"}
        request = urllib.request.Request(  # noqa: S310 - the scheme was checked
            f"{self.site}/api/v2{path}", data=content, headers=dict(headers), method=method
        )
        answer = self._fetch(request, seconds, MAX_ANSWER_BYTES)
        try:
            return json.loads(answer)
        except ValueError:
            raise WrongContract(self._no_horde()) from None

    def _fetch(self, request: urllib.request.Request, seconds: float, max_bytes: int) -> bytes:
        ends = monotonic() + seconds
        parts: list[bytes] = []
        size = 0
        with self._opened(request, seconds) as response:
            while part := response.read1(CHUNK_BYTES):
                parts.append(part)
                size += len(part)
                if size > max_bytes:
                    raise NotMade(f"The horde's answer has more than {max_bytes} bytes.")
                if monotonic() > ends:
                    raise TimeoutError
        return b"".join(parts)

    @contextmanager
    def _opened(self, request: urllib.request.Request, seconds: float) -> Iterator[HTTPResponse]:
        """Make a call; urllib's errors become ours, also while the answer is read."""
        host = urlsplit(request.full_url).netloc.rpartition("@")[2]
        try:
            with self._opener.open(request, timeout=seconds) as response:
                yield response
        except urllib.error.HTTPError as error:
            with error:
                raise self._refused(error) from None
        except ssl.SSLCertVerificationError as error:
            raise Unreachable(_certificate(host, error)) from None
        except urllib.error.URLError as error:
            if isinstance(error.reason, ssl.SSLCertVerificationError):
                raise Unreachable(_certificate(host, error.reason)) from None
            raise Unreachable(_away(host, error.reason)) from None
        except TimeoutError as error:
            raise Unreachable(_away(host, error)) from None
        except (OSError, HTTPException) as error:
            raise Unreachable(_away(host, error)) from None

    def _refused(self, error: urllib.error.HTTPError) -> Trouble:
        if error.code in range(300, 400):
            return WrongContract(
                f"{self.site} sends programs elsewhere, to {error.headers.get('Location')}: "
                "put the address of the horde itself into the settings."
            )
        content = error.read(CHUNK_BYTES)
        try:
            answer = json.loads(content)
        except ValueError:
            answer = None
        if not isinstance(answer, dict) or not isinstance(answer.get("message"), str):
            if error.code in {404, 405}:
                return WrongContract(self._no_horde())
            answer = {"message": f"The horde answered with status {error.code}."}
        later = error.headers.get("Retry-After", "")
        return Refused(
            _explained(answer),
            status=error.code,
            code=str(answer.get("rc") or ""),
            retry_after=float(later) if later.isdecimal() else None,
        )

    def _no_horde(self) -> str:
        return (
            f"What answers at {self.site} does not speak version 2 of the horde's API: "
            "look at the address in the settings."
        )


def checked_site(url: str) -> str:
    """The address of a horde without what belongs to its API. Raises Trouble if it is none."""
    site = url.strip().rstrip("/").removesuffix("/v2").removesuffix("/api").rstrip("/")
    try:
        parts = urlsplit(site)
        is_address = parts.scheme in {"http", "https"} and bool(parts.hostname)
        _ = parts.port
    except ValueError:
        is_address = False
    if not is_address or not site.isascii() or not site.isprintable() or " " in site:
        raise Trouble(f"{url!r} is no address of a horde: it begins with https:// or http://.")
    if parts.query or parts.fragment or parts.username:
        raise Trouble("The horde's address is too long: it ends after the host and a path.")
    return site


def form(picture: bytes) -> str:
    """The ending of a picture's files. Raises NotMade if it is none that a horde makes."""
    for begin, ending in PICTURES.items():
        if picture.startswith(begin) and (ending != "webp" or picture[8:12] == b"WEBP"):
            return ending
    raise NotMade("The horde sent something that is no picture.")


def kudos(answer: Json) -> float:
    """The kudos that an answer names, as exact as the horde says them."""
    for name in ("kudos_exact", "kudos"):
        if isinstance(value := answer.get(name), int | float):
            return float(value)
    return 0.0


def _segment(text: str) -> str:
    return quote(text, safe="")


def _explained(answer: Json) -> str:
    """A refusal in the horde's words, with the fields that it did not like."""
    errors = answer.get("errors")
    parts = [answer["message"]]
    if isinstance(errors, dict):
        parts += [f"{field}: {said}" for field, said in list(errors.items())[:5]]
    return " ".join(str(part) for part in parts)


def _away(host: str, reason: object) -> str:
    if isinstance(reason, TimeoutError):
        return f"{host} did not answer in time. Is the horde running, and the address right?"
    if isinstance(reason, socket.gaierror):
        return f"There is no {host}: look at the address in the settings, and at the network."
    said = getattr(reason, "strerror", None) or reason
    return f"{host} cannot be reached ({said}). Is the horde running, and the address right?"


def _certificate(host: str, error: ssl.SSLCertVerificationError) -> str:
    return (
        f"The certificate of {host} is not valid ({error.verify_message}). If the horde has one of "
        "its own, name the file of who signed it in the environment variable SSL_CERT_FILE."
    )
