"""The kinds of requests: how each is asked for, looked at, cancelled and fetched."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol

from bot.hordes import Horde
from bot.jobs.looks import Look, Result
from bot.wanted import Wanted
from core.client import HordeError
from core.client.alchemy import ENDED
from core.wire.alchemy import ModelInterrogationInputStable
from core.wire.text import GenerationInputKobold

SOURCE, MASK = "source", "mask"
"""Files of the pictures that others were made from."""


@dataclass(frozen=True)
class Sources:
    """Pictures to start from: their files."""

    image: bytes | None = None
    mask: bytes | None = None
    more: tuple[bytes, ...] = ()
    """To be mixed with the first one."""

    @property
    def files(self) -> dict[str, bytes]:
        """All of them, by the names that a message has them under."""
        found = {SOURCE: self.image, MASK: self.mask}
        found |= {f"{SOURCE}-{number}": one for number, one in enumerate(self.more, 2)}
        return {name: content for name, content in found.items() if content is not None}


class Kind(Protocol):
    """What differs between kinds."""

    async def ask(self, horde: Horde, wanted: Wanted, sources: Sources, models: list[str]) -> str:
        """Queue the request; returns its id."""

    async def look(self, horde: Horde, request_id: str) -> Look:
        """Say how far it is."""

    async def cancel(self, horde: Horde, request_id: str) -> None:
        """Stop what no worker has begun."""

    async def results(self, horde: Horde, request_id: str, room: int) -> list[Result]:
        """Fetch what is finished; files beyond so many bytes come as links."""


class Pictures:
    """Pictures of a prompt."""

    async def ask(self, horde: Horde, wanted: Wanted, sources: Sources, models: list[str]) -> str:
        """Queue the request; returns its id."""
        image = None if sources.image is None else _base64(sources.image)
        mask = None if sources.mask is None else _base64(sources.mask)
        more = [_base64(one) for one in sources.more]
        return (await horde.generate(wanted.picture(models, image, mask, more))).id

    async def look(self, horde: Horde, request_id: str) -> Look:
        """Say how far it is."""
        return Look.of(await horde.check(request_id))

    async def cancel(self, horde: Horde, request_id: str) -> None:
        """Stop what no worker has begun."""
        await horde.cancel(request_id)

    async def results(self, horde: Horde, request_id: str, room: int) -> list[Result]:
        """Fetch what is finished; files beyond so many bytes come as links."""
        found = []
        for index, made in enumerate((await horde.status(request_id)).generations):
            facts = {
                "id": made.id,
                "seed": made.seed,
                "worker": made.worker_name,
                "model": made.model,
                "censored": made.censored or made.state != "ok",
                "nsfw": any(note.value == "nsfw" for note in made.gen_metadata),
            }
            data = await _fetched(horde, made.img, room)
            room -= len(data or b"")
            url = made.img if made.img.startswith("http") else None
            found.append(Result(name=f"{index + 1}.webp", data=data, url=url, facts=facts))
        return found


class Texts:
    """Texts that go on where a prompt ends."""

    async def ask(self, horde: Horde, wanted: Wanted, sources: Sources, models: list[str]) -> str:
        """Queue the request; returns its id."""
        del sources, models
        params: dict[str, Any] = {"n": wanted.n, "max_length": wanted.max_length or 120}
        if wanted.max_length and wanted.max_length > 1024:  # noqa: PLR2004 - the default context is 2048
            params["max_context_length"] = 2 * wanted.max_length
        whole: dict[str, Any] = {"prompt": wanted.prompt, "params": params}
        if wanted.model:
            whole["models"] = [wanted.model]
        return (await horde.text.generate(GenerationInputKobold.model_validate(whole))).id

    async def look(self, horde: Horde, request_id: str) -> Look:
        """Say how far it is."""
        return Look.of(await horde.text.status(request_id))

    async def cancel(self, horde: Horde, request_id: str) -> None:
        """Stop what no worker has begun."""
        await horde.text.cancel(request_id)

    async def results(self, horde: Horde, request_id: str, room: int) -> list[Result]:
        """Fetch what is finished."""
        del room
        return [
            Result(
                text=made.text,
                facts={"text": made.text, "worker": made.worker_name, "model": made.model},
            )
            for made in (await horde.text.status(request_id)).generations
        ]


class Forms:
    """What can be asked about a picture, or done to it."""

    async def ask(self, horde: Horde, wanted: Wanted, sources: Sources, models: list[str]) -> str:
        """Queue the request; returns its id."""
        del models
        whole: dict[str, Any] = {"forms": [{"name": form} for form in wanted.forms]}
        whole["source_image"] = None if sources.image is None else _base64(sources.image)
        return (await horde.alchemy.ask(ModelInterrogationInputStable.model_validate(whole))).id

    async def look(self, horde: Horde, request_id: str) -> Look:
        """Say how far it is."""
        states = [form.state for form in (await horde.alchemy.status(request_id)).forms]
        return Look(
            finished=states.count("done"),
            processing=states.count("processing"),
            waiting=states.count("waiting"),
            is_over=all(state in ENDED for state in states),
        )

    async def cancel(self, horde: Horde, request_id: str) -> None:
        """Stop what no worker has begun."""
        await horde.alchemy.cancel(request_id)

    async def results(self, horde: Horde, request_id: str, room: int) -> list[Result]:
        """Fetch what is finished; files beyond so many bytes come as links."""
        found = []
        for form in (await horde.alchemy.status(request_id)).forms:
            if form.state != "done" or not form.result:
                continue
            said = form.result.get(form.form, form.result)
            facts = {"form": form.form}
            if isinstance(said, str) and said.startswith(("http://", "https://")):
                data = await _fetched(horde, said, room)
                room -= len(data or b"")
                found.append(Result(name=f"{form.form}.webp", data=data, url=said, facts=facts))
            else:
                found.append(Result(text=_told(said), facts=facts))
        return found


async def _fetched(horde: Horde, url_or_base64: str, max_bytes: int) -> bytes | None:
    """A picture's bytes; None if there are too many of them, or they cannot be had."""
    try:
        return await horde.download(url_or_base64, max_bytes)
    except HordeError:
        return None


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode()


def _told(said: Any) -> str:  # noqa: ANN401 - JSON that an alchemist made
    """What a form found out, in words."""
    if isinstance(said, bool):
        return "yes" if said else "no"
    if isinstance(said, list):
        return ", ".join(_told(one) for one in said[:30])
    if isinstance(said, dict):
        if "text" in said and "confidence" in said:
            return f"{said['text']} ({said['confidence']:.0f} %)"
        return "\n".join(f"{key}: {_told(value)}" for key, value in list(said.items())[:30])
    return f"{said:g}" if isinstance(said, float) else str(said)


KINDS: Final[Mapping[str, Kind]] = {"image": Pictures(), "text": Texts(), "alchemy": Forms()}
