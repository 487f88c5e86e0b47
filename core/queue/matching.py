"""Which worker may serve which request: the one list of conditions, and the two sides it compares.

`Needs` is what a request asks of a worker, `Offer` what a worker can do. `CONDITIONS` is used by
the claim, skip reasons, "is this possible" and the forecast; it is the only such list.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, NamedTuple, Self

from core.kinds import alchemy

UNLIMITED = 2**62

SIZES = ("pixels", "steps", "length", "context", "tiles")
"""The fields of `Needs` that are sizes, each with a limit of the same name in `Offer`."""


class _Side:
    """Either side; stored as JSON that holds only what differs from the defaults."""

    __slots__ = ()

    def to_json(self) -> dict[str, Any]:
        """A JSON document; sets become sorted lists."""
        return {
            key: sorted(value) if isinstance(value, frozenset) else value
            for key, default in _DEFAULTS[type(self)].items()
            if (value := getattr(self, key)) != default
        }

    @classmethod
    def from_json(cls, document: dict[str, Any]) -> Self:
        """The side that `to_json` wrote; keys of a newer version are ignored."""
        known = _DEFAULTS[cls]
        return cls(
            **{
                key: _read_set(value) if isinstance(value, list) else value
                for key, value in document.items()
                if key in known
            }
        )


def _read_set(listed: list[Any]) -> frozenset[Any]:
    return frozenset(tuple(one) if isinstance(one, list) else one for one in listed)


@dataclass(frozen=True, slots=True)
class Needs(_Side):
    """What a request asks of a worker."""

    kind: str = "image"
    models: frozenset[str] = frozenset()
    """Any of these; empty: whatever the worker has."""
    features: frozenset[str] = frozenset()
    """What the worker's software must be able to do (`catalog.agents`)."""
    permissions: frozenset[str] = frozenset()
    """What the worker's owner must allow: img2img, painting, lora …"""
    nsfw: bool = False
    censored: bool = False
    """Results that are unsafe for work are to be held back."""
    trusted: bool = False
    """Only workers of trusted users."""
    slow: bool = True
    """Slow workers will do."""
    extra_slow: bool = False
    """Extra-slow workers will do."""
    workers: frozenset[str] = frozenset()
    """Worker ids: only these, or, with `avoid`, any but these."""
    avoid: bool = False
    covered: bool = False
    """The whole estimate is held, or the requester is trusted."""
    pixels: int = 0
    steps: int = 0
    length: int = 0
    context: int = 0
    tiles: int = 0
    softprompt: str = ""
    """The name of the soft prompt to write the text with."""
    words: str = ""
    """The prompt in lower case; part of a request's needs, never of a lane's."""
    contains: frozenset[str] = frozenset()
    """What each prompt contains, in lower case; part of a lane's needs only."""

    def of_job(self, feature: str | None) -> Self:
        """The needs of one of the request's jobs, which may ask for one feature more.

        Tiles are what a worker can post-process: forms that only look at a picture need none.
        """
        if feature is None:
            return self
        tiles = self.tiles if alchemy.counts_tiles(feature) else 0
        return replace(self, features=self.features | {feature}, tiles=tiles)


@dataclass(frozen=True, slots=True)
class Offer(_Side):
    """What a worker can serve at the moment."""

    kind: str = "image"
    worker_id: str = ""
    user_id: int = 0
    models: frozenset[str] = frozenset()
    features: frozenset[str] = frozenset()
    permissions: frozenset[str] = frozenset()
    nsfw: bool = True
    censors: bool = True
    """It serves requests that want unsafe results held back."""
    trusted: bool = False
    """The owner is trusted."""
    fast: bool = True
    """Above the kind's least speed."""
    extra_slow: bool = False
    only_covered: bool = False
    """Only requests whose kudos are held in advance."""
    pixels: int = UNLIMITED
    steps: int = UNLIMITED
    step_limits: frozenset[tuple[str, int]] = frozenset()
    """Models with a limit of steps that differs from `steps`."""
    length: int = UNLIMITED
    context: int = UNLIMITED
    tiles: int = UNLIMITED
    softprompts: frozenset[str] = frozenset()
    blacklist: frozenset[str] = frozenset()
    """Lower-case words that a prompt must not contain."""
    users: frozenset[int] = frozenset()
    """Users whose jobs go first: the owner and prioritised users."""

    def models_for(self, needs: Needs) -> frozenset[str]:
        """Those of its models that may make a job with these needs, by name and steps."""
        named = self.models & needs.models if needs.models else self.models
        if needs.steps <= self.steps and not self.step_limits:
            return named
        limits = dict(self.step_limits)
        return frozenset(name for name in named if needs.steps <= limits.get(name, self.steps))

    def takes_steps(self, needs: Needs) -> bool:
        """Whether at least one of the models that would serve takes that many steps."""
        if not self.step_limits:
            return needs.steps <= self.steps
        has_none = needs.models and needs.models.isdisjoint(self.models)  # reported as `models`
        return bool(has_none or self.models_for(needs))


class Condition(NamedTuple):
    """A named test. The name is the contract's skip reason."""

    name: str
    holds: Callable[[Needs, Offer], bool]


def _permission(name: str, *permissions: str) -> Condition:
    wanted = frozenset(permissions or (name,))
    return Condition(name, lambda need, offer: not (need.permissions & wanted) - offer.permissions)


CONDITIONS = (
    Condition(
        "worker_id",
        lambda need, offer: not need.workers or (offer.worker_id in need.workers) != need.avoid,
    ),
    Condition(
        "performance",
        lambda need, offer: (need.slow or offer.fast) and (need.extra_slow or not offer.extra_slow),
    ),
    Condition(
        "nsfw",
        lambda need, offer: (offer.nsfw or not need.nsfw) and (offer.censors or not need.censored),
    ),
    Condition("untrusted", lambda need, offer: offer.trusted or not need.trusted),
    Condition(
        "models", lambda need, offer: not need.models or not need.models.isdisjoint(offer.models)
    ),
    Condition("bridge_version", lambda need, offer: need.features <= offer.features),
    _permission("img2img"),
    _permission("painting"),
    _permission("post-processing"),
    _permission("lora"),
    _permission("controlnet", "controlnet", "sdxl_controlnet"),
    Condition("max_pixels", lambda need, offer: need.pixels <= offer.pixels),
    Condition("step_count", lambda need, offer: offer.takes_steps(need)),
    Condition("max_length", lambda need, offer: need.length <= offer.length),
    Condition("max_context_length", lambda need, offer: need.context <= offer.context),
    Condition(
        "matching_softprompt",
        lambda need, offer: not need.softprompt or need.softprompt in offer.softprompts,
    ),
    Condition("tiles", lambda need, offer: need.tiles <= offer.tiles),
    Condition("kudos", lambda need, offer: need.covered or not offer.only_covered),
    Condition(
        "blacklist",
        lambda need, offer: (
            not any(
                word in text for text in (need.words, *need.contains) for word in offer.blacklist
            )
        ),
    ),
)


def accepts(needs: Needs, offer: Offer) -> bool:
    """Whether the worker may serve the request."""
    return needs.kind == offer.kind and all(test.holds(needs, offer) for test in CONDITIONS)


def reasons(needs: Needs, offer: Offer) -> list[str]:
    """The names of the conditions that do not hold."""
    return [test.name for test in CONDITIONS if not test.holds(needs, offer)]


def least(needs: Needs) -> Needs:
    """The coarse needs of a lane: no words, and each size at the lower end of its class.

    A size class is (2^(k-1), 2^k]. An offer that does not accept these accepts no job of the lane.
    """
    return _resized(replace(needs, words=""), _lower)


def most(coarse: Needs) -> Needs:
    """The largest needs a lane with these coarse needs can hold.

    An offer without a blacklist that accepts these accepts every job of the lane.
    """
    return _resized(coarse, _upper)


def _resized(needs: Needs, end_of_class: Callable[[int], int]) -> Needs:
    sizes: dict[str, Any] = {name: end_of_class(getattr(needs, name)) for name in SIZES}
    return replace(needs, **sizes)


def _upper(size: int) -> int:
    return 1 << (size - 1).bit_length() if size > 0 else 0


def _lower(size: int) -> int:
    return _upper(size) // 2 + 1 if size > 1 else size


_DEFAULTS: Mapping[type[Any], dict[str, Any]] = {
    side: {field.name: field.default for field in fields(side)} for side in (Needs, Offer)
}
