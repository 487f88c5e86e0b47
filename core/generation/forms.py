"""Forms: what alchemists find out about a picture, or make of it."""

from typing import Any

from core.generation.delivery import UPLOADED, Amounts, Delivery, Open
from core.generation.horde import Horde
from core.generation.protocol import Kind
from core.generation.specs import Quote, RequestSpec
from core.kinds import alchemy, registry
from core.kinds.alchemy import AlchemyParams
from core.kudos import prices, uptime
from core.queue.matching import Needs, Offer
from core.queue.requests import NewJob


class Forms(Kind[AlchemyParams]):
    """What becomes of a request for forms. None needs kudos in advance."""

    rules = registry.of("alchemy")

    def needs(self, ask: RequestSpec[AlchemyParams]) -> Needs:
        """What all forms of the request need of a worker; each also needs its own feature."""
        return Needs(kind=self.name, tiles=ask.params.tiles)

    def jobs(self, ask: RequestSpec[AlchemyParams]) -> list[NewJob]:
        """A job for each form. Equal seeds: none continues another, so each is claimed alone."""
        return [
            NewJob(0, ask.params.things, alchemy.feature_of(form["name"]))
            for form in ask.params.forms
        ]

    def quote(self, ask: RequestSpec[AlchemyParams]) -> Quote:
        """The price of all forms; there is no tax on the request itself."""
        each = (
            prices.form_price(form["name"], tiles=ask.params.tiles) for form in ask.params.forms
        )
        results = sum(prices.form_charge(price, slow_workers=ask.slow_workers) for price in each)
        return Quote(price=0, results=results, tax=0)

    def amounts(self, found: Open, _delivery: Delivery) -> Amounts:
        """What the worker's owner gets for the form and the requester pays."""
        attempt = found.attempt
        agreed = prices.agreed(attempt.terms)
        tiles = AlchemyParams.from_json(attempt.params).tiles
        price = prices.form_price(attempt.model, tiles=tiles, rates=agreed)
        slow_workers = attempt.terms["slow_workers"]
        charge = prices.form_charge(price, slow_workers=slow_workers, rates=agreed)
        return Amounts(announced_reward=price, reward=price, charge=charge)

    def told(self, horde: Horde, found: Open, delivery: Delivery) -> dict[str, Any]:
        """The form's result; a picture is told as a link."""
        result = {
            name: horde.store.download_url(found.picture) if value == UPLOADED else value
            for name, value in (delivery.form or {}).items()
        }
        form = alchemy.form_of(found.attempt.feature or "")
        return {"form": form, "state": "done", "result": result}

    def uptime_reward(self, _offer: Offer) -> int:
        """The same for all alchemists."""
        return uptime.ALCHEMY
