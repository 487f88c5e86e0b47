"""Checks that every call passes first: the length of its URL, its Host, its Origin.

A horde whose public address is a loopback one is private: it is meant for the programs and pages of
its machine. A foreign page in a browser there could reach it too, so such a horde answers no
foreign Origin and no foreign Host; the latter also prevents DNS rebinding, where a foreign name
leads to this machine. Every other horde is public and answers pages from anywhere.
"""

import ipaddress
import json
import re
from typing import Final
from urllib.parse import urlsplit

from quart import Quart, Response, abort, request

from core.api import errors
from core.api.operation import JSON_TYPE
from core.errors import Forbidden
from core.settings import Settings
from core.version import VERSION

MAX_URL_CHARS: Final = 2048
MAX_QUERY_CHARS_V1: Final = 16 * 1024
"""Version 1 also takes its arguments, with the prompt, in the query string."""
_FOREIGN_TO_HOSTS: Final = re.compile(r"[/?#@\\\s]")
"""Characters of a URL's other parts: `localhost` in `me@localhost` or `localhost/x` is no host."""
V1_PREFIXES: Final = ("/api/v1/", "/api/latest/", "/generate/")

ALLOWED_METHODS: Final = "POST, GET, OPTIONS, PUT, DELETE, PATCH"
ALLOWED_HEADERS: Final = (
    "Accept, Content-Type, Content-Length, Accept-Encoding, X-CSRF-Token, apikey, Client-Agent, "
    "X-Fields, X-Forwarded-For, Proxied-For, Proxy-Authorization, Idempotency-Key"
)


class ForeignHost(Forbidden):
    """A private horde is called by a name that is not its own."""

    code = "ForeignHost"


class ForeignOrigin(Forbidden):
    """A foreign page calls a private horde."""

    code = "ForeignOrigin"


def guard(app: Quart, settings: Settings) -> None:
    """Let the app refuse calls that fail the checks, and tell browsers which pages may call it."""
    headers = {
        "Access-Control-Allow-Methods": ALLOWED_METHODS,
        "Access-Control-Allow-Headers": ALLOWED_HEADERS,
        "Horde-Node": f"{settings.host}:{settings.port}:{VERSION}",
    }
    private = is_private(settings)

    @app.before_request
    async def _refuse() -> Response | None:
        _refuse_long_url()
        return _refusal(settings) if private else None

    @app.after_request
    async def _tell(response: Response) -> Response:
        response.headers.update(headers)
        if not private:
            response.headers["Access-Control-Allow-Origin"] = "*"
            return response
        response.vary.add("Origin")
        origins = request.headers.getlist("Origin")
        if len(origins) == 1 and _is_known_origin(origins[0], settings):
            response.headers["Access-Control-Allow-Origin"] = origins[0]
        return response


def is_private(settings: Settings) -> bool:
    """Whether the horde is meant for its own machine alone: its public address is loopback."""
    host = _own_host(settings)
    return is_loopback(host) or host.endswith(".localhost")


def is_loopback(host: str) -> bool:
    """Whether a host name or an address always means the machine itself."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def hostname(host: str) -> str:
    """A Host header without its port, in lower case; empty if it is malformed."""
    if _FOREIGN_TO_HOSTS.search(host):
        return ""
    try:
        return (urlsplit(f"//{host}").hostname or "").removesuffix(".")
    except ValueError:
        return ""


def _own_host(settings: Settings) -> str:
    return urlsplit(settings.base_url).hostname or ""


def _refuse_long_url() -> None:
    is_v1 = request.path.startswith(V1_PREFIXES)
    raw = request.scope.get("raw_path") or request.path.encode()
    if len(raw) > MAX_URL_CHARS or len(request.query_string) > (
        MAX_QUERY_CHARS_V1 if is_v1 else MAX_URL_CHARS - len(raw)
    ):
        abort(414, "The URL is too long.")


def _refusal(settings: Settings) -> Response | None:
    hosts, origins = request.headers.getlist("Host"), request.headers.getlist("Origin")
    if not all(_is_known_host(hostname(host), settings) for host in hosts if host):
        return _told(
            ForeignHost(
                "This horde is private to its machine and has another name. Whoever runs it can "
                "set HORDE_PUBLIC_URL, or allow the name by HORDE_ALLOWED_HOSTS."
            )
        )
    if not all(_is_known_origin(origin, settings) for origin in origins):
        return _told(
            ForeignOrigin(
                "This horde is private to its machine; foreign pages may not call it. "
                "Whoever runs it can allow one by HORDE_ALLOWED_ORIGINS."
            )
        )
    return None


def _is_known_host(host: str, settings: Settings) -> bool:
    return is_loopback(host) or host == _own_host(settings) or host in settings.allowed_hosts


def _is_known_origin(origin: str, settings: Settings) -> bool:
    """Whether a page of this machine, of an allowed host, or of an allowed origin asks."""
    if origin.lower() in settings.allowed_origins:
        return True
    scheme, _, place = origin.partition("://")
    return scheme in ("http", "https") and _is_known_host(hostname(place), settings)


def _told(refusal: Forbidden) -> Response:
    """The refusal as the contract's JSON, whatever was called."""
    told = {"message": refusal.message, "rc": refusal.code}
    status = errors.status_of(type(refusal))
    return Response(json.dumps(told), status, content_type=JSON_TYPE)
