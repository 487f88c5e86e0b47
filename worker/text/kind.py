"""Text on the wire: `generate/text/pop`, `generate/text/submit`."""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from core.client import HordeClient
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
MAX_PROMPT_CHARS: Final = 2**20
"""The most characters that a request may have."""


@dataclass(frozen=True, kw_only=True)
class TextBatch(Batch):
    """One text. answer: the pop's. seed: random, as the wire has none for text."""

    answer: GenerationPayloadKobold
    seed: int


class Texts:
    """One worker of text. offer: what every pop declares, without the models."""

    name = "text"

    def __init__(self, client: HordeClient, offer: PopInputKobold) -> None:
        self._client = client
        self._offer = offer

    def change(self, offer: PopInputKobold) -> None:
        """Offer this from the next pop on."""
        self._offer = offer

    async def pop(self, models: Mapping[str, Model], *, device: str | None) -> Haul[TextBatch]:
        """Pop a text to write; one at a time, whatever the device."""
        del device
        update = {"models": list(models), "amount": 1}
        answer = await self._client.text.pop(self._offer.model_copy(update=update))
        ids = ids_of(answer)
        if not ids:
            return Haul(None, answer.messages)
        return Haul(understood(ids, lambda: batch(answer)), answer.messages)

    async def order(self, batch: TextBatch, models: Mapping[str, Model]) -> TextOrder:
        """Make the order."""
        check(batch, self._offer)
        return order(batch, models)

    async def pack(self, batch: TextBatch, index: int, result: Written) -> Parcel:
        """Give the text as it is submitted."""
        job = batch.ids[index]
        body = SubmitInputKobold(id=job, generation=result.text, state="ok", seed=batch.seed)
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
        del reason, notes
        await self._client.text.submit(
            SubmitInputKobold(id=job, generation="faulted", state="faulted")
        )


def batch(answer: GenerationPayloadKobold) -> TextBatch:
    """Read a popped job."""
    length = answer.payload.max_length
    return TextBatch(
        answer=answer,
        ids=ids_of(answer),
        model=answer.model or "",
        work=f"{shown(length)} tokens",
        steps=length,
        likeness=likeness(answer.model, answer.payload),
        ttl=answer.ttl,
        seed=secrets.randbelow(SEEDS),
    )


def check(jobs: TextBatch, offer: PopInputKobold) -> None:
    """Check that no more is ordered than was offered. Raises CannotRender."""
    payload = jobs.answer.payload
    if len(jobs.ids) > 1:
        raise CannotRender(f"{len(jobs.ids)} texts at once, beyond the limit of 1")
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
    if jobs.answer.softprompt:
        raise CannotRender(f"the soft prompt {jobs.answer.softprompt!r} is not here")
    return TextOrder(
        language_model=model,
        prompt=payload.prompt or "",
        length=payload.max_length,
        context=min(payload.max_context_length, model.context),
        seed=jobs.seed,
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
    )


def _sampling(payload: ModelPayloadKobold) -> Sampling:
    """Use the parameters that are set, and the usual values for the others."""
    said = USUAL | payload.model_dump(include=set(Sampling.__dataclass_fields__), exclude_none=True)
    if payload.sampler_order:
        said["order"] = tuple(dict.fromkeys(payload.sampler_order))
    return Sampling(**said)
