"""Sets up what a client calls with: addresses, headers, connections, limits."""

from collections.abc import Mapping, Sequence
from importlib.metadata import version
from typing import Final, TypedDict, Unpack

import httpx

from core.client import calls, guard
from core.client.api import Api, key_header
from core.client.retries import Retries

ANONYMOUS_KEY: Final = "0000000000"
TIMEOUT_SECONDS: Final = 30.0
POLL_SECONDS: Final = 2.0


class Options(TypedDict, total=False):
    """The options of a client; `HordeClient` says what they mean."""

    client_agent: str | None
    transport: httpx.AsyncBaseTransport | None
    timeout_seconds: float
    retries: Retries | None
    poll_seconds: float
    private: Sequence[str] | None


def connect(url: str, api_key: str, **options: Unpack[Options]) -> Api:
    """Describe the way to a horde; nothing is connected before the first call."""
    release = version("stable-horde")
    agent = options.get("client_agent")
    site = url.rstrip("/").removesuffix("/v2").removesuffix("/api")
    transport, private = options.get("transport"), options.get("private")
    mounts = {calls.origin(site): transport} if transport else None
    program = {"User-Agent": f"stable-horde/{release}"}
    http = httpx.AsyncClient(headers=program, mounts=mounts)
    return Api(
        http=http,
        files=http if private is None else _guarded(site, private, program, mounts),
        site=site,
        headers={
            **key_header(api_key),
            "Client-Agent": agent
            or f"stable-horde:{release}:https://github.com/stable-horde/stable-horde",
        },
        timeout_seconds=options.get("timeout_seconds", TIMEOUT_SECONDS),
        retries=options.get("retries") or Retries(),
        poll_seconds=options.get("poll_seconds", POLL_SECONDS),
    )


def _guarded(
    site: str,
    private: Sequence[str],
    headers: Mapping[str, str],
    mounts: Mapping[str, httpx.AsyncBaseTransport] | None,
) -> httpx.AsyncClient:
    return guard.client(guard.PublicOnly(site, private), headers=headers, mounts=mounts)
