"""What differs between pictures, texts and forms; everything else in this package is the same.

Each kind is a module with these functions. A fourth kind is a fourth module and a line here.
"""

from collections.abc import Mapping
from typing import Any, Protocol, cast

from core.generation import forms, pictures, texts
from core.generation.delivery import Amounts, Delivery, Open
from core.generation.horde import Horde
from core.generation.specs import Quote, RequestSpec
from core.kinds.params import Advice, Params
from core.queue.matching import Needs
from core.queue.requests import NewJob


class Kind(Protocol):
    """What the five steps ask of a kind."""

    def params_from(self, document: dict[str, Any], /) -> Params:
        """The parameters that `to_json` wrote."""
        ...

    def check(self, ask: RequestSpec[Any], /) -> None:
        """Raise the first rule that the request breaks."""
        ...

    def advice(self, ask: RequestSpec[Any], /) -> list[Advice]:
        """Why the results may not turn out well."""
        ...

    def needs(self, ask: RequestSpec[Any], /) -> Needs:
        """What the parameters ask of a worker."""
        ...

    def jobs(self, ask: RequestSpec[Any], /) -> list[NewJob]:
        """A job for each result."""
        ...

    def quote(self, ask: RequestSpec[Any], /) -> Quote:
        """The price of it all, by the same functions that settle it."""
        ...

    def lighter(self, horde: Horde, ask: RequestSpec[Any], /) -> RequestSpec[Any] | None:
        """The request within what needs no kudos in advance; None where it is there already."""
        ...

    def free(self, horde: Horde, ask: RequestSpec[Any], /) -> str:
        """The limits beyond which such a request needs its kudos in advance, in words."""
        ...

    def baseline(self, model: str, /) -> str | None:
        """What the model was made from, where that decides its speed."""
        ...

    def amounts(self, found: Open, delivery: Delivery, /) -> Amounts:
        """What the worker's owner gets and the requester pays."""
        ...


KINDS: Mapping[str, Kind] = {
    "image": cast("Kind", pictures),
    "text": cast("Kind", texts),
    "alchemy": cast("Kind", forms),
}


def of(name: str) -> Kind:
    """The kind of this name: image, text or alchemy."""
    return KINDS[name]
