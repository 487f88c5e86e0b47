"""Text on the wire: `generate/text/pop`, `generate/text/submit`."""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from core.client import HordeClient
from core.wire.limits import MAX_REASON_CHARS
from core.wire.progress import ProgressHeard, ProgressInput
from core.wire.submit import GenerationMetadataStable
from core.wire.text import (
    GenerationPayloadKobold,
    ModelPayloadKobold,
    ModelPayloadRootKobold,
    PopInputKobold,
    SubmitInputKobold,
)
from worker.kind import Batch, Haul, Parcel, held_to, ids_of, likeness, shown, understood
from worker.renderer import CannotRender, Model
from worker.text.order import Format, LanguageModel, Sampling, TextOrder, Written

SEEDS: Final = 2**32
USUAL: Final = {
    "temperature": 0.75,
    "top_p": 0.92,
    "top_k": 100,
    "rep_pen": 1.07,
    "rep_pen_range": 360,
    "rep_pen_slope": 0.7,
}
"""What clients get that say nothing, as other workers of the horde have it (KoboldCpp's values): a
model that draws from all of its words writes none that anybody would read."""
TEXTS: Final = {"cpu": 4, "cuda": 8, "mps": 4}
"""Written at once, by device; other programs see to that themselves."""
MAX_PROMPT_CHARS: Final = 2**20
"""The most characters that a request may have."""


@dataclass(frozen=True, kw_only=True)
class TextBatch(Batch):
    """Texts of one prompt. answer: the pop's. seeds: random, as the wire has none for text."""

    answer: GenerationPayloadKobold
    seeds: tuple[int, ...]


class Texts:
    """One worker of text.

    offer: what every pop declares, without the models. batch: texts of one request that are written
    together; 0 lets the device decide: each step reads all weights, for one text or for several.
    """

    name = "text"

    def __init__(self, client: HordeClient, offer: PopInputKobold, batch: int = 0) -> None:
        self._client = client
        self._asked = 1  # texts at once, as in the last pop
        self.change(offer, batch)

    def change(self, offer: PopInputKobold, batch: int) -> None:
        """Offer this from the next pop on."""
        self._offer = offer
        self._batch = batch

    async def pop(self, models: Mapping[str, Model], *, device: str | None) -> Haul[TextBatch]:
        """Pop texts to write."""
        usual = TEXTS.get(device or "")
        self._asked = 1 if usual is None else self._batch or usual
        chats = all(isinstance(one, LanguageModel) and one.chats for one in models.values())
        update = {"models": list(models), "amount": self._asked, "allow_chat": chats}
        answer = await self._client.text.pop(self._offer.model_copy(update=update))
        ids = ids_of(answer)
        if not ids:
            return Haul(None, answer.messages)
        return Haul(understood(ids, lambda: batch(answer)), answer.messages)

    async def order(self, batch: TextBatch, models: Mapping[str, Model]) -> TextOrder:
        """Make the order."""
        check(batch, self._offer, self._asked)
        return order(batch, models)

    async def pack(self, batch: TextBatch, index: int, result: tuple[Written, ...]) -> Parcel:
        """Give the text as it is submitted."""
        job = batch.ids[index]
        body = SubmitInputKobold(
            id=job, generation=result[index].text, state="ok", seed=batch.seeds[index]
        )
        return Parcel(job, body.model_dump(mode="json", exclude_unset=True))

    async def tell(self, said: ProgressInput) -> ProgressHeard:
        """Say how far jobs are."""
        return await self._client.progress(said)

    async def send(self, parcel: Parcel) -> float:
        """Submit the text."""
        submitted = await self._client.text.submit(SubmitInputKobold.model_validate(parcel.body))
        return 0.0 if submitted is None else submitted.reward

    async def fault(self, job: str, reason: str, notes: Sequence[GenerationMetadataStable]) -> None:
        """Give the text back; the wire has no field for notes about it."""
        del notes
        why = reason[:MAX_REASON_CHARS]
        await self._client.text.submit(
            SubmitInputKobold(id=job, generation="faulted", state="faulted", reason=why)
        )


def batch(answer: GenerationPayloadKobold) -> TextBatch:
    """Read popped jobs."""
    length, ids = answer.payload.max_length, ids_of(answer)
    many = f" x{len(ids)}" if len(ids) > 1 else ""
    return TextBatch(
        answer=answer,
        ids=ids,
        model=answer.model or "",
        work=f"{shown(length)} tokens{many}",
        steps=length,
        likeness=likeness(answer.model, answer.payload),
        ttl=answer.ttl,
        seeds=tuple(secrets.randbelow(SEEDS) for _ in ids),
    )


def check(jobs: TextBatch, offer: PopInputKobold, amount: int) -> None:
    """Check that no more is ordered than was offered. Raises CannotRender."""
    payload = jobs.answer.payload
    if len(jobs.ids) > amount:
        raise CannotRender(f"{len(jobs.ids)} texts at once, beyond the limit of {amount}")
    if len(payload.prompt or "") > MAX_PROMPT_CHARS:
        raise CannotRender(f"a prompt of {len(payload.prompt or '')} characters")
    held_to(ModelPayloadRootKobold, payload, exclude={"prompt", "n"})
    if payload.max_length > offer.max_length:
        raise CannotRender(f"{payload.max_length} tokens, beyond the limit of {offer.max_length}")
    if payload.max_context_length > offer.max_context_length:
        raise CannotRender(
            f"{payload.max_context_length} tokens of context, "
            f"beyond the limit of {offer.max_context_length}"
        )


def order(jobs: TextBatch, models: Mapping[str, Model]) -> TextOrder:
    """Make the order for a popped job. Raises CannotRender."""
    payload = jobs.answer.payload
    model = models.get(jobs.model)
    if not isinstance(model, LanguageModel):
        raise CannotRender(f"the model {jobs.model!r} is not served here")
    if payload.chat and not model.chats:
        raise CannotRender(f"{jobs.model} has no chat template")
    if jobs.answer.softprompt:
        raise CannotRender(f"the soft prompt {jobs.answer.softprompt!r} is not here")
    return TextOrder(
        language_model=model,
        prompt=payload.prompt or "",
        length=payload.max_length,
        context=min(payload.max_context_length, model.context),
        seeds=jobs.seeds,
        sampling=_sampling(payload),
        format=Format(
            spaced=bool(payload.frmtadsnsp),
            no_blank_lines=bool(payload.frmtrmblln),
            plain=bool(payload.frmtrmspch),
            whole=bool(payload.frmttriminc),
        ),
        stops=tuple(stop for stop in payload.stop_sequence or () if stop),
        single_line=bool(payload.singleline),
        endless=bool(payload.use_default_badwordsids),
        chat=bool(payload.chat),
    )


def _sampling(payload: ModelPayloadKobold) -> Sampling:
    """Use the parameters that are set, and the usual values for the others."""
    said = USUAL | payload.model_dump(include=set(Sampling.__dataclass_fields__), exclude_none=True)
    if payload.sampler_order:
        said["order"] = tuple(dict.fromkeys(payload.sampler_order))
    return Sampling(**said)
