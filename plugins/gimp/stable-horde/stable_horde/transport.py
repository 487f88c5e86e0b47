"""Carries calls to a horde: standard library only, each with a limit of time and of size.

Blocking: call it from a thread. The key goes to the horde's own origin and nowhere else.
"""

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
from urllib.parse import urlsplit

from stable_horde import AGENT
from stable_horde.errors import NotMade, Refused, Trouble, Unreachable, WrongContract
from stable_horde.words import _

ANONYMOUS_KEY: Final = "0000000000"
MAX_ANSWER_BYTES: Final = 64 * 1024 * 1024
CALL_SECONDS: Final = 30.0
CHUNK_BYTES: Final = 64 * 1024

Json = dict[str, Any]


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


class Transport:
    """Calls one horde with one key.

    site: its address, with or without `/api` or `/api/v2`. Raises Trouble for what is no address
    or no key. Its methods raise Unreachable, WrongContract, Refused or NotMade.
    """

    def __init__(self, site: str, key: str) -> None:
        self.site: Final = checked_site(site)
        if not (key.isascii() and key.isprintable()) or " " in key:
            raise Trouble(_("The API key has characters that no key has; look at the settings."))
        self._headers = {
            "Apikey": key or ANONYMOUS_KEY,
            "Client-Agent": AGENT,
            "User-Agent": AGENT.rpartition(":http")[0].replace(":", "/"),
            "Accept": "application/json",
        }
        self._opener = urllib.request.build_opener(
            _Follow(), urllib.request.HTTPSHandler(context=ssl.create_default_context())
        )

    def call(
        self, method: str, path: str, body: Json | None = None, seconds: float = CALL_SECONDS
    ) -> Any:  # noqa: ANN401 - JSON
        """Make a call and read its answer. path: below `/api`."""
        headers: Mapping[str, str] = self._headers
        content = None
        if body is not None:
            content = json.dumps(body).encode()
            headers = {**headers, "Content-Type": "application/json"}
        request = self._request(path, headers, content, method)
        answer = self._fetch(request, seconds, MAX_ANSWER_BYTES)
        try:
            return json.loads(answer)
        except (ValueError, RecursionError):
            raise WrongContract(self.no_horde()) from None

    @contextmanager
    def stream(self, path: str, content_type: str, seconds: float) -> Iterator[HTTPResponse]:
        """Open an answer that goes on. seconds: of silence that end it."""
        request = self._request(path, {**self._headers, "Accept": content_type})
        with self._opened(request, seconds) as response:
            if not response.headers.get("Content-Type", "").startswith(content_type):
                raise WrongContract(_("The horde has no event stream."))
            yield response

    def fetch(self, url: str, seconds: float, max_bytes: int) -> bytes:
        """What a link leads to, wherever that is: without the key."""
        headers = {"User-Agent": self._headers["User-Agent"]}
        request = urllib.request.Request(url, headers=headers)  # noqa: S310 - whoever calls has looked
        return self._fetch(request, seconds, max_bytes)

    def no_horde(self) -> str:
        """That the address is wrong, as a sentence."""
        return _(
            "What answers at {site} does not speak version 2 of the horde's API: "
            "look at the address in the settings."
        ).format(site=self.site)

    def _request(
        self,
        path: str,
        headers: Mapping[str, str],
        content: bytes | None = None,
        method: str = "GET",
    ) -> urllib.request.Request:
        return urllib.request.Request(  # noqa: S310 - the scheme was checked
            f"{self.site}/api{path}", data=content, headers=dict(headers), method=method
        )

    def _fetch(self, request: urllib.request.Request, seconds: float, max_bytes: int) -> bytes:
        ends = monotonic() + seconds
        parts: list[bytes] = []
        size = 0
        with self._opened(request, seconds) as response:
            while part := response.read1(CHUNK_BYTES):
                parts.append(part)
                size += len(part)
                if size > max_bytes:
                    raise NotMade(
                        _("The horde's answer has more than {most} bytes.").format(most=max_bytes)
                    )
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
        except urllib.error.URLError as error:
            raise _away(host, error.reason) from None
        except (OSError, HTTPException) as error:
            raise _away(host, error) from None

    def _refused(self, error: urllib.error.HTTPError) -> Trouble:
        if error.code in range(300, 400):
            return WrongContract(
                _(
                    "{site} sends programs elsewhere, to {place}: "
                    "put the address of the horde itself into the settings."
                ).format(site=self.site, place=error.headers.get("Location"))
            )
        content = error.read(CHUNK_BYTES)
        try:
            answer = json.loads(content)
        except (ValueError, RecursionError):
            answer = None
        if not isinstance(answer, dict) or not isinstance(answer.get("message"), str):
            if error.code in {404, 405}:
                return WrongContract(self.no_horde())
            said = _("The horde answered with status {status}.").format(status=error.code)
            answer = {"message": said}
        later = error.headers.get("Retry-After", "")
        return Refused(
            _explained(answer),
            status=error.code,
            code=str(answer.get("rc") or ""),
            retry_after=float(later) if later.isdecimal() else None,
        )


def checked_site(url: str) -> str:
    """The address of a horde without what belongs to its API. Raises Trouble if it is none."""
    site = url.strip().rstrip("/").removesuffix("/v2").removesuffix("/api").rstrip("/")
    try:
        parts = urlsplit(site)
        is_address = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_address = False
    if not is_address or not site.isascii() or not site.isprintable() or " " in site:
        raise Trouble(
            _("“{url}” is no address of a horde: it begins with https:// or http://.").format(
                url=url
            )
        )
    if parts.query or parts.fragment or parts.username:
        raise Trouble(_("The horde's address is too long: it ends after the host and a path."))
    return site


def _explained(answer: Json) -> str:
    """A refusal in the horde's words, with the fields that it did not like."""
    errors = answer.get("errors")
    parts = [answer["message"]]
    if isinstance(errors, dict):
        parts += [f"{field}: {said}" for field, said in list(errors.items())[:5]]
    return " ".join(str(part) for part in parts)


def _away(host: str, reason: object) -> Unreachable:
    """Why a host did not answer, with what to look at."""
    if isinstance(reason, ssl.SSLCertVerificationError):
        said = _(
            "The certificate of {host} is not valid ({why}). If the horde has one of its own, "
            "name the file of who signed it in the environment variable SSL_CERT_FILE."
        )
        return Unreachable(said.format(host=host, why=reason.verify_message))
    if isinstance(reason, TimeoutError):
        said = _("{host} did not answer in time. Is the horde running, and the address right?")
    elif isinstance(reason, socket.gaierror):
        said = _("There is no {host}: look at the address in the settings, and at the network.")
    else:
        said = _("{host} cannot be reached ({why}). Is the horde running, and the address right?")
    why = getattr(reason, "strerror", None) or reason
    return Unreachable(said.format(host=host, why=why))
