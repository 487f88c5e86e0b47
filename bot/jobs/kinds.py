"""The kinds of requests: how each is asked for, looked at, cancelled and fetched."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol

from bot.hordes import Horde
from bot.jobs.looks import Look, Result
from bot.wanted import Wanted
from core.client import HordeError
from core.client.alchemy import ENDED
from core.wire.alchemy import ModelInterrogationInputStable
from core.wire.generate import RequestStatusCheck
from core.wire.text import GenerationInputKobold


@dataclass(frozen=True)
class Sources:
    """Pictures to start from, as base64."""

    image: str | None = None
    mask: str | None = None


class Kind(Protocol):
    """What differs between kinds."""

    async def ask(self, horde: Horde, wanted: Wanted, sources: Sources, models: list[str]) -> str:
        """Queue the request; returns its id."""

    async def look(self, horde: Horde, request_id: str) -> Look:
        """Say how far it is."""

    async def cancel(self, horde: Horde, request_id: str) -> None:
        """Stop what no worker has begun."""

    async def results(self, horde: Horde, request_id: str, max_bytes: int) -> list[Result]:
        """Fetch what is finished; files larger than that come as a link."""


class Pictures:
    """Pictures of a prompt."""

    async def ask(self, horde: Horde, wanted: Wanted, sources: Sources, models: list[str]) -> str:
        """Queue the request; returns its id."""
        asked = await horde.generate(wanted.picture(models, sources.image, sources.mask))
        return asked.id

    async def look(self, horde: Horde, request_id: str) -> Look:
        """Say how far it is."""
        return _look(await horde.check(request_id))

    async def cancel(self, horde: Horde, request_id: str) -> None:
        """Stop what no worker has begun."""
        await horde.cancel(request_id)

    async def results(self, horde: Horde, request_id: str, max_bytes: int) -> list[Result]:
        """Fetch what is finished; files larger than that come as a link."""
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
            name = f"{index + 1}.webp"
            data = await fetched(horde, made.img, max_bytes)
            url = made.img if data is None and made.img.startswith("http") else None
            found.append(Result(name=name, data=data, url=url, facts=facts))
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
        return _look(await horde.text.status(request_id))

    async def cancel(self, horde: Horde, request_id: str) -> None:
        """Stop what no worker has begun."""
        await horde.text.cancel(request_id)

    async def results(self, horde: Horde, request_id: str, max_bytes: int) -> list[Result]:
        """Fetch what is finished."""
        del max_bytes
        return [
            Result(text=made.text, facts={"worker": made.worker_name, "model": made.model})
            for made in (await horde.text.status(request_id)).generations
        ]


class Forms:
    """What can be asked about a picture, or done to it."""

    async def ask(self, horde: Horde, wanted: Wanted, sources: Sources, models: list[str]) -> str:
        """Queue the request; returns its id."""
        del models
        whole = {"forms": [{"name": form} for form in wanted.forms], "source_image": sources.image}
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

    async def results(self, horde: Horde, request_id: str, max_bytes: int) -> list[Result]:
        """Fetch what is finished; files larger than that come as a link."""
        found = []
        for form in (await horde.alchemy.status(request_id)).forms:
            if form.state != "done" or not form.result:
                continue
            said = form.result.get(form.form, form.result)
            facts = {"form": form.form}
            if isinstance(said, str) and said.startswith(("http://", "https://")):
                data = await fetched(horde, said, max_bytes)
                url = said if data is None else None
                found.append(Result(name=f"{form.form}.webp", data=data, url=url, facts=facts))
            else:
                found.append(Result(text=_told(said), facts=facts))
        return found


async def fetched(horde: Horde, url_or_base64: str, max_bytes: int) -> bytes | None:
    """A picture's bytes; None if there are too many of them, or they cannot be had."""
    try:
        return await horde.download(url_or_base64, max_bytes)
    except HordeError:
        return None


def _look(check: RequestStatusCheck) -> Look:
    reasons = [fault.reason for fault in check.faults or [] if fault.reason]
    return Look(
        finished=check.finished,
        processing=check.processing,
        waiting=check.waiting,
        position=check.queue_position,
        seconds=check.wait_time,
        kudos=check.cost,
        is_over=check.done or check.faulted,
        is_possible=check.is_possible,
        reason=reasons[-1] if reasons else None,
    )


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
