"""Logging in: the key is checked, then kept; and what people do with their own account."""

import asyncio
import getpass
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from cli import profiles
from cli.claim import privately
from cli.exits import Exit, Failure
from cli.session import Session, jsonable
from core.wire.users import ModifyUserInput

MAX_KEY_CHARS: Final = 1000
MAX_PAGES: Final = 10_000


async def log_in(
    session: Session, *, code: str | None, register: str | None, name: str | None
) -> None:
    """Get a key, check it, keep it in the settings file."""
    made = None
    if code is not None:
        key = (await session.client.users.log_in(code)).token
    elif register is not None:
        made = await session.client.users.register(register)
        key = made.api_key
    else:
        given = session.profile.sources["key"] == "--key"
        key = session.profile.key if given else await asyncio.to_thread(_asked, session.profile.url)
    me = await session.client.with_key(key).users.me()
    profile = name or session.profile.name
    place = profiles.keep(profile, session.profile.url, key)
    told = {"user": me.username, "profile": profile, "file": str(place)}
    session.show(told, f"{me.username} is logged in at {session.profile.url}; kept in {place}.")


def forget(session: Session, name: str | None) -> None:
    """Forget a key."""
    profile = name or session.profile.name
    place = profiles.keep(profile, session.profile.url, None)
    session.show({"profile": profile, "file": str(place)}, f"{place} has no key for it any more.")


async def change(session: Session, user_id: int, changes: Mapping[str, Any]) -> None:
    """Change the own account."""
    await session.client.users.edit(user_id, ModifyUserInput.model_validate(changes))


async def export(session: Session, user_id: int, place: Path) -> None:
    """Write everything that a horde keeps of somebody into a file that only they can read."""
    pages, before = list[Any](), None
    for _ in range(MAX_PAGES):
        page = await session.client.users.export(user_id, before)
        pages.append(jsonable(page))
        before = page.entries_before
        if before is None:
            break
    await asyncio.to_thread(_write, place, pages)
    session.show({"file": str(place)}, f"All that is kept of you is in {place}.")


def _write(place: Path, content: object) -> None:
    try:
        with open(place, "w", encoding="utf-8", opener=privately) as file:
            json.dump(content, file, indent=2)
    except OSError as error:
        raise Failure(Exit.FAILED, f"{place} cannot be written: {error.strerror}.") from None


def _asked(url: str) -> str:
    """The key that people type, unseen, or that stands in the input."""
    try:
        if sys.stdin.isatty():
            key = getpass.getpass(f"API key for {url}: ").strip()
        else:
            key = sys.stdin.readline(MAX_KEY_CHARS).strip()
    except EOFError:
        key = ""
    if not key or not (key.isascii() and key.isprintable()):
        raise Failure(Exit.USAGE, "That is no key; the page shows one when you register.")
    return key
