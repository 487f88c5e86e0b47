"""Which addresses hide their users (VPNs, proxies), according to a service that operators choose.

A score is looked up once in 6 h for an address, outside of any transaction, and only if the
operator names a service. If it does not answer, nothing is known about the address.
"""

import json
import time
from collections import OrderedDict
from enum import Enum
from typing import Protocol

import structlog

from core.outside import Outside, OutsideFailure

UNSAFE_FROM = 0.93
KEPT_SECONDS = 6 * 3600.0
MAX_KEPT = 10_000
ANSWER_SECONDS = 2.0
ANSWER_BYTES = 1000
PLACE = "{address}"

_log = structlog.get_logger(__name__)


class Verdict(Enum):
    """What is known about an address."""

    SAFE = "safe"
    UNSAFE = "unsafe"
    """It hides its user."""
    UNKNOWN = "unknown"
    """The service did not say."""


class Scorer(Protocol):
    """Judges addresses."""

    async def judge(self, address: str) -> Verdict:
        """What is known about the address. Never call it in a transaction: it may ask a service."""


class OutsideScorer:
    """Asks a service by HTTP.

    url: with `{address}` in it. The answer is a number from 0 to 1, alone or as JSON: how likely
        the address hides its user.
    """

    def __init__(self, url: str, outside: Outside) -> None:
        self._url = url
        self._outside = outside
        self._known: OrderedDict[str, tuple[float, Verdict]] = OrderedDict()

    async def judge(self, address: str) -> Verdict:
        """The service's answer, kept for 6 h. UNKNOWN, which is not kept, if it fails."""
        found = self._known.get(address)
        if found is not None and found[0] > time.monotonic():
            return found[1]
        try:
            score = await self._ask(address)
        except (OutsideFailure, ValueError) as failure:
            _log.warning("no score for an address", why=type(failure).__name__)
            return Verdict.UNKNOWN
        verdict = Verdict.UNSAFE if score >= UNSAFE_FROM else Verdict.SAFE
        self._keep(address, verdict)
        return verdict

    async def _ask(self, address: str) -> float:
        url = self._url.replace(PLACE, address)
        answer = await self._outside.get(url, max_bytes=ANSWER_BYTES, seconds=ANSWER_SECONDS)
        score = json.loads(answer)
        if isinstance(score, bool) or not isinstance(score, int | float) or not 0 <= score <= 1:
            raise ValueError("the score is not a number from 0 to 1")
        return float(score)

    def _keep(self, address: str, verdict: Verdict) -> None:
        self._known.pop(address, None)
        self._known[address] = (time.monotonic() + KEPT_SECONDS, verdict)
        if len(self._known) > MAX_KEPT:
            self._known.popitem(last=False)
