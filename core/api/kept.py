"""Answers that are the same for everybody: their bytes are made once and identified by a tag."""

from collections.abc import Awaitable, Callable, Sequence
from functools import cached_property
from hashlib import blake2b

from core.wire.model import Answer, to_json

TAG_BYTES = 12


class Encoded(bytes):
    """An answer that is JSON already: a long list that is kept for a while, say."""

    @cached_property
    def etag(self) -> str:
        """The tag that identifies the answer."""
        return f'"{blake2b(self, digest_size=TAG_BYTES).hexdigest()}"'

    def is_known(self, if_none_match: str | None) -> bool:
        """Whether a client that sent this header has the answer already."""
        return if_none_match is not None and (
            self.etag in if_none_match or if_none_match.strip() == "*"
        )


def encoded(answer: Answer | Sequence[Answer]) -> Encoded:
    """The answer's bytes, with all nulls."""
    return Encoded(to_json(answer, omit_nulls=False))


class KeptAnswers:
    """Public answers, with few different keys, each made at most once a second."""

    def __init__(self, clock: Callable[[], float], seconds: float = 1.0) -> None:
        self._clock, self._seconds = clock, seconds
        self._kept: dict[str, tuple[float, object, Encoded]] = {}

    async def get(
        self,
        key: str,
        make: Callable[[], Awaitable[Encoded]],
        *,
        of: Callable[[], object] = lambda: None,
    ) -> Encoded:
        """The answer. of: returns what it is made from; if that has changed, it is made again."""
        until, made_of, answer = self._kept.get(key, (float("-inf"), None, Encoded()))
        if self._clock() < until and made_of == of():
            return answer
        answer = await make()
        self._kept[key] = (self._clock() + self._seconds, of(), answer)
        return answer
