"""How pictures reach clients and workers: by link, or as base64.

If the horde's public URL is https, a picture is a link whenever one was asked for. If it is plain
http, some programs read every text without `https` as base64, while others, which sent `r2: true`,
want a link in any case. The only table of the former is here.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final, Literal

from core.catalog.agents import Agent

Delivery = Literal["auto", "url", "base64"]

HTTPS_ONLY_CLIENTS: Final = (
    "Python-urllib",  # the GIMP 2.10 plug-ins
    "AIHordeFor",  # the GIMP 3 and LibreOffice plug-ins
)
"""Prefixes of the `User-Agent` or `Client-Agent` of clients that follow only https."""

HTTPS_ONLY_WORKERS: Final = frozenset(
    {"AI Horde Worker", "SD-WebUI Stable Horde Worker Bridge", "HordeAutoWebBridge"}
)
"""Workers' programs that fetch a source picture only by https, and crash if it is neither that nor
base64. Their alchemists follow any link."""


def result_by_link(
    delivery: Delivery, base_url: str, params: Mapping[str, Any], agents: Iterable[str]
) -> bool:
    """Whether a finished picture is handed out as a link.

    params: the request's, as they are stored. agents: the client's names for itself.
    """
    if delivery != "auto":
        return delivery == "url" and bool(params["r2"])
    if not params["r2"] or _is_https(base_url):
        return bool(params["r2"])
    is_named = bool(params.get("r2_named", False))
    return is_named and not any(agent.startswith(HTTPS_ONLY_CLIENTS) for agent in agents)


def source_by_link(delivery: Delivery, base_url: str, program: Agent) -> bool:
    """Whether a worker gets the source pictures of its job as links."""
    if "r2_source" not in program.features or delivery == "base64":
        return False
    if delivery == "url" or _is_https(base_url):
        return True
    return program.name.partition("~")[0] not in HTTPS_ONLY_WORKERS


def _is_https(url: str) -> bool:
    return url.startswith("https://")
