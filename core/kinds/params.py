"""What the pipeline needs of a request's parameters, whatever its kind."""

from typing import Any, NamedTuple, Protocol


class Params(Protocol):
    """Parameters of a request of one kind: pictures, texts or forms."""

    @property
    def things(self) -> int:
        """Size of one job's work: pixel steps, tokens or forms."""
        ...

    @property
    def sources(self) -> list[str]:
        """The names of all source pictures in the store."""
        ...

    @property
    def disable_batching(self) -> bool:
        """Each job has to be done on its own."""
        ...

    def to_json(self) -> dict[str, Any]:
        """The JSON document stored with the request."""
        ...

    def seconds(self, baseline: str | None, *, extra_slow: bool) -> int:
        """How long a worker may take before its attempt is given up (the contract's ttl)."""
        ...

    def safe_batch(self, amount: int, max_pixels: int) -> int:
        """How many jobs a worker that asked for `amount` may have at once, at least 1."""
        ...


HTTP = "http"


def is_url(source: str) -> bool:
    """Whether a source picture is given by its address, and not as base64."""
    return source[: len(HTTP)].lower() == HTTP


def with_plain_scheme(url: str) -> str:
    """The same URL with its scheme in lower case, as every program knows it."""
    scheme, colon, rest = url.partition(":")
    return scheme.lower() + colon + rest


MEGA = 1_000_000
"""Pixel steps are shown in millions."""
EXTRA_SLOW = 3
"""How many times as long an extra-slow worker may take."""


class Advice(NamedTuple):
    """Why a result may not turn out well, or not at all; `code` is the contract's."""

    code: str
    message: str
