"""Asks the horde: whether it answers, knows the key and the models, and what time it has."""

import time
from collections.abc import AsyncIterator
from email.utils import parsedate_to_datetime
from typing import Any, Final

import httpx

from core.client import ANONYMOUS_KEY, HordeClient, HordeError, NotFound, Unauthenticated
from core.wire.users import UserDetails
from worker import lookup
from worker.doctor.finding import Finding, Grade
from worker.offers import AGENT
from worker.owner import NoKey, key_of
from worker.settings import Settings

SET_KEY: Final = "set api_key to the key of the worker's owner; registering gives one"
SECONDS: Final = 10.0
MAX_CLOCK_SECONDS: Final = 60.0
"""Signed links and the deadlines of jobs are no more exact than that."""


async def asked(settings: Settings) -> AsyncIterator[Finding]:
    """Ask what there is to ask; where nobody answers, that is all.

    A key that is missing is said in any case.
    """
    key, missing = _key(settings)
    if missing is not None:
        yield missing
    site = settings.url.rstrip("/").removesuffix("/v2").removesuffix("/api")
    async with httpx.AsyncClient(timeout=SECONDS, headers={"Client-Agent": AGENT}) as http:
        try:
            answer = await http.get(f"{site}/api/v2/status/heartbeat")
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            advice = "see whether url is right, and whether this machine reaches the network"
            yield Finding("server", Grade.BAD, f"{site}: {type(error).__name__}", advice)
            return
        if answer.is_error:
            found = f"{site} answered {answer.status_code}"
            yield Finding("server", Grade.BAD, found, "see whether url is a horde's")
            return
        yield Finding("server", Grade.FINE, f"{site} answers")
        yield _clock(answer)
        known = await _known_models(http, site)
    if missing is not None:
        return
    async with HordeClient(site, key, client_agent=AGENT) as client:
        user, finding = await _owner(client, key)
        yield finding
        if user is not None and known is not None:
            for one in _unknown(settings, user, known):
                yield one


def _key(settings: Settings) -> tuple[str, Finding | None]:
    """Read the key; what is found where there is none."""
    try:
        key = key_of(settings)
    except NoKey as error:
        return "", Finding("key", Grade.BAD, str(error), SET_KEY)
    return key, None if key else Finding("key", Grade.BAD, "there is none", SET_KEY)


def _clock(answer: httpx.Response) -> Finding:
    try:
        theirs = parsedate_to_datetime(answer.headers["Date"]).timestamp()
    except (KeyError, ValueError):
        return Finding("clock", Grade.FINE, "the server does not say what time it has")
    ahead = time.time() - theirs
    if abs(ahead) > MAX_CLOCK_SECONDS:
        word = "ahead of" if ahead > 0 else "behind"
        advice = "let this machine set its clock by the network (NTP)"
        return Finding("clock", Grade.ODD, f"{abs(ahead):.0f} s {word} the server's", advice)
    return Finding("clock", Grade.FINE, "as the server's")


async def _owner(client: HordeClient, key: str) -> tuple[UserDetails | None, Finding]:
    try:
        user = await client.users.me()
    except (Unauthenticated, NotFound) as error:
        return None, Finding("key", Grade.BAD, error.message, SET_KEY)
    except HordeError as error:
        return None, Finding("key", Grade.ODD, f"not asked for: {error}", "try again later")
    if key == ANONYMOUS_KEY:
        return user, Finding("key", Grade.ODD, "nobody's: most hordes take no workers", SET_KEY)
    if user.trusted:
        return user, Finding("key", Grade.FINE, f"{user.username}, trusted")
    return user, Finding(
        "key",
        Grade.FINE,
        f"{user.username}, not trusted yet: half of each reward waits in escrow until then",
    )


async def _known_models(http: httpx.AsyncClient, site: str) -> set[str] | None:
    """Give the names of the models that the horde knows; None where it does not say."""
    try:
        answer = await http.get(f"{site}/api/v2/catalog/models")
        told: Any = answer.json() if answer.is_success else None
        return {str(one["name"]) for one in told["image"]} if told else None
    except (httpx.HTTPError, ValueError, KeyError, TypeError):
        return None


def _unknown(settings: Settings, user: UserDetails, known: set[str]) -> list[Finding]:
    """Say which models the server would drop from the offer."""
    if "image" not in settings.kinds or user.customizer:
        return []
    names = [one.partition("=")[0] for one in lookup.wanted(settings, "image")]
    return [
        Finding(
            f"model {name}",
            Grade.ODD,
            "not known to this horde, which drops it from what this worker offers",
            "ask a moderator for the role of a customizer, or offer it under a known name",
        )
        for name in names
        if name not in known and "/" not in name
    ]
