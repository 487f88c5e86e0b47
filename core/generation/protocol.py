"""What a kind decides about its requests; the rest of this package is the same for all kinds.

Each kind is a class with these methods, in a module of its own, and a line in `kind`. Its rules for
the layers below are in `core.kinds`. A kind overrides only what differs from most.
"""

from abc import ABC, abstractmethod
from typing import Any, Generic, TypeVar

from core.generation.delivery import Amounts, Delivery, Open
from core.generation.horde import Horde
from core.generation.specs import Quote, RequestSpec
from core.kinds.kind import Rules
from core.kinds.params import Advice, Params
from core.queue.matching import Needs, Offer
from core.queue.requests import NewJob
from core.users.tables import User

P = TypeVar("P", bound=Params)


class Kind(ABC, Generic[P]):
    """What the five steps ask of a kind. Each kind subclasses it once."""

    rules: Rules

    @property
    def name(self) -> str:
        """The kind's name, as requests and workers have it."""
        return self.rules.name

    def check_user(self, user: User, ask: RequestSpec[P]) -> None:
        """Raise the reason why a user of these roles may not ask for this in particular."""

    def check(self, ask: RequestSpec[P]) -> None:
        """Raise the first rule that the request breaks."""

    def advice(self, ask: RequestSpec[P]) -> list[Advice]:  # noqa: ARG002 - most give none
        """Why the results may not turn out well."""
        return []

    @abstractmethod
    def needs(self, ask: RequestSpec[P]) -> Needs:
        """What the parameters need of a worker."""

    @abstractmethod
    def jobs(self, ask: RequestSpec[P]) -> list[NewJob]:
        """A job for each result."""

    @abstractmethod
    def quote(self, ask: RequestSpec[P]) -> Quote:
        """The price of it all, by the same functions that settle it."""

    def lighter(self, horde: Horde, ask: RequestSpec[P]) -> RequestSpec[P] | None:  # noqa: ARG002
        """The request reduced to what needs no kudos in advance; None if it needs none already."""
        return None

    def free(self, horde: Horde, ask: RequestSpec[P]) -> str:  # noqa: ARG002
        """The limits beyond which a request needs its kudos in advance, in words."""
        return ""

    def baseline(self, model: str) -> str | None:  # noqa: ARG002
        """What the model was made from, where that decides its speed."""
        return None

    @abstractmethod
    def amounts(self, found: Open, delivery: Delivery) -> Amounts:
        """What the worker's owner gets and the requester pays, by the rates that were agreed."""

    def state(self, delivery: Delivery) -> str:  # noqa: ARG002
        """The state that is stored with the result."""
        return "ok"

    @abstractmethod
    def told(self, horde: Horde, found: Open, delivery: Delivery) -> dict[str, Any]:
        """What is sent to the requester's webhook about a result."""

    def uptime_reward(self, offer: Offer) -> int:  # noqa: ARG002
        """What a worker with this offer gets for each 600 s of uptime."""
        return 0
