"""Parameters of a text request, and what follows from them."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from math import ceil
from typing import Any, Self

from core.errors import Invalid
from core.kinds.params import EXTRA_SLOW
from core.kinds.rules import InvalidPromptSize

SECONDS = 150
LETTERS_A_TOKEN = 4
MAX_TOKEN_CHARS = 32
"""The most characters a token has on average, in any text that a model reads or writes."""
MIN_RESULT_CHARS = 1000
"""Room for a worker's words in place of a short text."""
MIN_TOKENS = 20


MAX_STOPS, MAX_STOP_CHARS = 128, 2000
"""How many stop sequences a text may have, and their characters in all."""
SAMPLERS = 7


class MissingFullSamplerOrder(Invalid):
    """An order of samplers that leaves some out."""

    code = "MissingFullSamplerOrder"


class TooManyStopSequences(Invalid):
    """More stop sequences than allowed."""

    code = "TooManyStopSequences"


class ExcessiveStopSequence(Invalid):
    """The stop sequences are too long."""

    code = "ExcessiveStopSequence"


class TooLongResult(Invalid):
    """The text is longer than the request allows."""

    code = "BadRequest"


class TokenOverflow(Invalid):
    """More tokens are requested than fit into the context."""

    code = "TokenOverflow"


@dataclass(frozen=True, slots=True, kw_only=True)
class TextParams:
    """What a worker is to write. Stored with the request as JSON."""

    max_length: int = 80
    """The most tokens to be written."""
    max_context_length: int = 2048
    """Tokens of prompt and answer that the model may look at."""
    softprompt: str | None = None
    sampling: dict[str, Any] = field(default_factory=dict)
    """Further parameters (temperature, top_k, stop_sequence …), passed on unchanged."""
    disable_batching: bool = False

    def to_json(self) -> dict[str, Any]:
        """The JSON document stored with the request."""
        return asdict(self)

    @classmethod
    def from_json(cls, document: dict[str, Any]) -> Self:
        """The parameters that `to_json` wrote."""
        return cls(**document)

    def check(self) -> None:
        """Raise TokenOverflow if the answer does not fit into the context.

        Also raises what `check_sampling` does.
        """
        check_sampling(self.sampling)
        if self.max_length > self.max_context_length:
            raise TokenOverflow(
                f"You cannot request more tokens ({self.max_length}) than the context has "
                f"({self.max_context_length})."
            )

    @property
    def is_chat(self) -> bool:
        """Whether the prompt is said to the model, which answers."""
        return bool(self.sampling.get("chat"))

    @property
    def things(self) -> int:
        """Size of the work in tokens."""
        return self.max_length

    @property
    def sources(self) -> list[str]:
        """A text has no source pictures."""
        return []

    def seconds(self, _baseline: str | None, *, extra_slow: bool) -> int:
        """How long a worker may take before its attempt is given up (the contract's ttl)."""
        return SECONDS * (EXTRA_SLOW if extra_slow else 1)

    def safe_batch(self, amount: int, _max_pixels: int) -> int:
        """How many texts a worker that asked for `amount` may have at once, at least 1."""
        return 1 if self.disable_batching else amount


def check_prompt(prompt: str, *, max_context: int) -> None:
    """Raise InvalidPromptSize for a prompt that no worker could read."""
    most = MAX_TOKEN_CHARS * max_context
    if len(prompt) > most:
        raise InvalidPromptSize(
            f"Too large prompt. A context of {max_context} tokens has room for {most} characters "
            f"at most, not {len(prompt)}."
        )


def check_result(text: str, *, max_length: int) -> None:
    """Raise TooLongResult for a text that is longer than so many tokens can be."""
    most = max(MIN_RESULT_CHARS, MAX_TOKEN_CHARS * max_length)
    if len(text) > most:
        raise TooLongResult(
            f"A text of {max_length} tokens has at most {most} characters, not {len(text)}."
        )


def check_sampling(sampling: Mapping[str, Any]) -> None:
    """Raise the reason why these sampling parameters are refused, in a request or a style."""
    order = sampling.get("sampler_order")
    if order is not None and len(set(order)) < SAMPLERS:
        raise MissingFullSamplerOrder(f"sampler_order has to name all {SAMPLERS} samplers.")
    stops = set(sampling.get("stop_sequence", ()))
    if len(stops) > MAX_STOPS:
        raise TooManyStopSequences(f"You can specify {MAX_STOPS} stop sequences at most.")
    if sum(map(len, stops)) > MAX_STOP_CHARS:
        raise ExcessiveStopSequence(
            f"Your stop sequences have more than {MAX_STOP_CHARS} characters in all."
        )


def tokens_of(text: str, *, most: int) -> int:
    """About how many tokens a text has, 20 … `most`; every model counts differently."""
    return min(most, max(MIN_TOKENS, ceil(len(text) / LETTERS_A_TOKEN)))
