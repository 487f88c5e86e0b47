"""What a kind decides about its requests; everything else in this package is the same for all.

Each kind is a class with these methods, in a module of its own, and a line in `kind`. Its rules for
the layers below are in `core.kinds`. What a kind does not say is as it is for most.
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
    """What the five steps ask of a kind. Subclassed by each, once."""

    rules: Rules

    @property
    def name(self) -> str:
        """The kind's name, as requests and workers have it."""
        return self.rules.name

    def check_user(self, user: User, ask: RequestSpec[P]) -> None:
        """Raise what keeps users of these roles from asking for this in particular."""

    def check(self, ask: RequestSpec[P]) -> None:
        """Raise the first rule that the request breaks."""

    def advice(self, ask: RequestSpec[P]) -> list[Advice]:  # noqa: ARG002 - most give none
        """Why the results may not turn out well."""
        return []

    @abstractmethod
    def needs(self, ask: RequestSpec[P]) -> Needs:
        """What the parameters ask of a worker."""

    @abstractmethod
    def jobs(self, ask: RequestSpec[P]) -> list[NewJob]:
        """A job for each result."""

    @abstractmethod
    def quote(self, ask: RequestSpec[P]) -> Quote:
        """The price of it all, by the same functions that settle it."""

    def lighter(self, horde: Horde, ask: RequestSpec[P]) -> RequestSpec[P] | None:  # noqa: ARG002
        """The request within what needs no kudos in advance; None where it is there already."""
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
        """What is kept as the result's state."""
        return "ok"

    @abstractmethod
    def told(self, horde: Horde, found: Open, delivery: Delivery) -> dict[str, Any]:
        """What the requester's webhook is told of a result."""

    def uptime_reward(self, offer: Offer) -> int:  # noqa: ARG002
        """What a worker with this offer gets for each 600 s that it is there."""
        return 0
