"""Text on the wire: `generate/text/pop`, `generate/text/submit`."""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from core.client import HordeClient
from core.wire.submit import GenerationMetadataStable
from core.wire.text import (
    GenerationPayloadKobold,
    ModelPayloadKobold,
    PopInputKobold,
    SubmitInputKobold,
)
from worker.kind import Batch, Popped
from worker.renderer import CannotRender, Model
from worker.text.order import Format, LanguageModel, Sampling, TextOrder, Written

SEEDS: Final = 2**32


@dataclass(frozen=True, kw_only=True)
class TextBatch(Batch):
    """One text. answer: the pop's. seed: drawn here, as the wire has none for text."""

    answer: GenerationPayloadKobold
    seed: int


class Texts:
    """One worker of text. offer: what every pop says, but for the models."""

    def __init__(self, client: HordeClient, offer: PopInputKobold) -> None:
        self._client = client
        self._offer = offer

    async def pop(self, models: Sequence[str], *, device: str | None) -> Popped[TextBatch]:
        """Ask for a text to write; one at a time, whatever the device."""
        del device
        update = {"models": list(models), "amount": 1}
        answer = await self._client.text.pop(self._offer.model_copy(update=update))
        return Popped(batch(answer) if answer.ids else None, answer.messages)

    async def order(self, batch: TextBatch, models: Mapping[str, Model]) -> TextOrder:
        """Say what is to be written."""
        return order(batch, models)

    async def submit(self, batch: TextBatch, index: int, result: Written) -> float:
        """Submit the text."""
        submitted = await self._client.text.submit(
            SubmitInputKobold(
                id=batch.ids[index], generation=result.text, state="ok", seed=batch.seed
            )
        )
        return 0.0 if submitted is None else submitted.reward

    async def fault(
        self, batch: TextBatch, index: int, notes: Sequence[GenerationMetadataStable]
    ) -> None:
        """Give the text back; the wire has no place for notes about one."""
        del notes
        await self._client.text.submit(
            SubmitInputKobold(id=batch.ids[index], generation="faulted", state="faulted")
        )


def batch(answer: GenerationPayloadKobold) -> TextBatch:
    """Read which job was popped."""
    length = answer.payload.max_length
    return TextBatch(
        answer=answer,
        ids=tuple(answer.ids),
        model=answer.model or "",
        work=f"{length} tokens",
        steps=length,
        seed=secrets.randbelow(SEEDS),
    )


def order(jobs: TextBatch, models: Mapping[str, Model]) -> TextOrder:
    """Say what is to be written for a popped job. Raises CannotRender."""
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
    """Take what is said; the rest is as if it were not there."""
    said = payload.model_dump(include=set(Sampling.__dataclass_fields__), exclude_none=True)
    if payload.sampler_order:
        said["order"] = tuple(dict.fromkeys(payload.sampler_order))
    return Sampling(**said)
