"""Forms of pictures: asks for them, some pictures at once, and tells what came."""

import asyncio
import contextlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from cli import pictures, saving, sources, terminal, words
from cli.exits import Exit, Failure
from cli.session import Session
from core.client import HordeError
from core.wire.alchemy import InterrogationFormStatus, ModelInterrogationInputStable

AT_ONCE: Final = 4
MAX_FILES: Final = 10_000
CANCEL_SECONDS: Final = 5.0
SUFFIXES: Final = frozenset({".webp", ".png", ".jpg", ".jpeg", ".gif", ".bmp", ".tif", ".tiff"})


@dataclass(frozen=True)
class Order:
    """What is wanted of each picture."""

    forms: Sequence[str]
    folder: Path
    trusted: bool
    timeout_seconds: float


async def make(
    session: Session,
    places: Sequence[str],
    forms: Sequence[str],
    out: str,
    *,
    trusted: bool,
    timeout_seconds: float,
) -> None:
    """Ask for forms of pictures, and print or save what comes. Raises Failure if some did not."""
    folder = saving.folder(out)
    found = list(_files(places))
    order = Order(forms, folder, trusted, timeout_seconds)
    room = asyncio.Semaphore(AT_ONCE)
    told = list[dict[str, Any]]()

    async def one(place: str) -> None:
        async with room:
            for entry in await _of_one(session, place, order):
                told.append(entry)
                session.say(_line(entry, several=len(found) > 1))

    with terminal.progress(f"asking for {words.count(len(found), 'picture')}"):
        try:
            async with asyncio.TaskGroup() as group:
                for place in found:
                    group.create_task(one(place))
        except BaseExceptionGroup as errors:
            raise errors.exceptions[0] from None
    if session.as_json:
        session.show(told, "")
    if lost := [entry for entry in told if entry["state"] != "done"]:
        raise Failure(Exit.FAULTED, f"{words.count(len(lost), 'form')} could not be made.")


async def _of_one(session: Session, place: str, order: Order) -> list[dict[str, Any]]:
    source = await asyncio.to_thread(sources.picture, place)
    asked = ModelInterrogationInputStable.model_validate(
        {
            "forms": [{"name": form} for form in order.forms],
            "source_image": source,
            "trusted_workers": order.trusted,
        }
    )
    client = session.client.alchemy
    request = (await client.ask(asked)).id
    try:
        done = await client.wait_for(request, order.timeout_seconds)
    except BaseException:
        with contextlib.suppress(HordeError, TimeoutError):
            async with asyncio.timeout(CANCEL_SECONDS):
                await client.cancel(request)
        raise
    return [await _entry(session, place, form, order.folder) for form in done.forms]


async def _entry(
    session: Session, place: str, form: InterrogationFormStatus, folder: Path
) -> dict[str, Any]:
    entry: dict[str, Any] = {"picture": place, "form": form.form, "state": form.state}
    if form.reason and form.state != "done":
        entry["reason"] = form.reason
    result = (form.result or {}).get(form.form, form.result)
    if isinstance(result, str) and result.startswith(("http://", "https://")):
        content = await session.client.download(result)
        path = folder / f"{pictures.part(_stem(place))}-{pictures.part(form.form)}.webp"
        await asyncio.to_thread(pictures.write, path, content)
        entry["file"] = str(path)
    elif result is not None:
        entry["result"] = result
    return entry


def _line(entry: dict[str, Any], *, several: bool) -> str:
    begin = f"{entry['picture']}: " if several else ""
    if "file" in entry:
        return f"{begin}{entry['file']}"
    if entry["state"] != "done":
        why = f": {entry['reason']}" if "reason" in entry else ""
        return f"{begin}{entry['form']} is {entry['state']}{why}"
    result = entry.get("result")
    return f"{begin}{result if isinstance(result, str) else json.dumps(result)}"


def _files(places: Sequence[str]) -> Iterator[str]:
    """The pictures that are meant: those of a folder, too. Raises Failure if there are none."""
    number = 0
    for place in places:
        if Path(place).is_dir():
            inside = sorted(one for one in Path(place).iterdir() if one.suffix.lower() in SUFFIXES)
            if not inside:
                raise Failure(Exit.USAGE, f"{place} has no pictures.")
            found = [str(one) for one in inside]
        else:
            found = [place]
        number += len(found)
        if number > MAX_FILES:
            raise Failure(Exit.USAGE, f"That is more than {MAX_FILES} pictures: please split them.")
        yield from found


def _stem(place: str) -> str:
    return Path(urlsplit(place).path if "://" in place else place).stem or "picture"
