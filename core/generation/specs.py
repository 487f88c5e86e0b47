"""What is asked for, by whom, and what it costs."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, NamedTuple, Self, TypeVar
from uuid import UUID

from core.errors import Forbidden
from core.kinds.params import Params
from core.moderation.scores import Verdict
from core.queue.repeats import ClientKey
from core.users.tables import SharedKey, User

P = TypeVar("P", bound=Params, covariant=True)  # noqa: PLC0105 - a RequestSpec only gives its params


@dataclass(frozen=True, slots=True, kw_only=True)
class Styling:
    """The style that shaped a request."""

    style_id: UUID
    collection_id: UUID | None
    """The collection that it was drawn from."""
    owner_id: int
    account_id: int
    """The account on which the owner is rewarded, unless they use it themselves."""
    shared_key_id: UUID | None
    """The shared key that pays for the request, if it is good."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestSpec(Generic[P]):
    """A request for pictures, texts or forms, checked for form only."""

    kind: str
    prompt: str
    params: P
    n: int
    models: Sequence[str] = ()
    """Empty: any."""
    seed: str | None = None
    seed_variation: int | None = None
    nsfw: bool = False
    trusted_workers: bool = False
    validated_backends: bool = False
    slow_workers: bool = True
    extra_slow_workers: bool = False
    workers: Sequence[str] = ()
    worker_blacklist: bool = False
    allow_downgrade: bool = False
    client_agent: str = "unknown:0:unknown"
    proxied_account: str | None = None
    webhook: str | None = None
    shared: bool = False
    style: Styling | None = None
    replacement_filter: bool = True
    """Whether a prompt that would be refused may be rewritten."""
    client_key: ClientKey | None = None
    """What tells a repeated call from another request."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Requester:
    """The user who asks, and as what."""

    user: User
    verdict: Verdict = Verdict.SAFE
    """What is known of the client's address."""
    address: str | None = None
    """The client's address. Stored with anonymous requests only, as long as they live."""
    shared_key: SharedKey | None = None
    """The shared key by which somebody asks as this user, who pays."""


class Quote(NamedTuple):
    """What a request costs, in hundredths of a kudos."""

    price: int
    """The price of one picture by a plain model, before taxes; 0 for other kinds."""
    results: int
    """The most for all results, their taxes included."""
    tax: int
    """The tax of the request itself, due at once."""

    @property
    def total(self) -> int:
        """The most that all of it costs."""
        return self.results + self.tax


class KudosUpfront(Forbidden):
    """A heavy request that the account cannot cover in advance."""

    code = "KudosUpfront"

    @classmethod
    def asking(cls, quoted: Quote, free: str = "") -> Self:
        """The refusal that says how much is needed, and what would need no kudos (`Kind.free`)."""
        return cls(
            "Due to heavy demand, for requests of this size, number of steps or speed, the client "
            f"needs to have the kudos already. This request requires {quoted.total / 100:.2f} "
            f"kudos.{f' Without them it may have {free}.' if free else ''} Set allow_downgrade to "
            "have less made instead."
        )
