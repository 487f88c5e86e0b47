"""Forms: what alchemists find out about a picture, or make of it."""

from core.generation.delivery import Amounts, Delivery, Open
from core.generation.horde import Horde
from core.generation.specs import Quote, RequestSpec
from core.kinds import alchemy
from core.kinds.alchemy import AlchemyParams
from core.kinds.params import Advice
from core.kudos import prices
from core.queue.matching import Needs
from core.queue.requests import NewJob

params_from = AlchemyParams.from_json


def check(_ask: RequestSpec[AlchemyParams]) -> None:
    """Forms have no rules beyond single fields."""


def advice(_ask: RequestSpec[AlchemyParams]) -> list[Advice]:
    """There is none for forms."""
    return []


def needs(ask: RequestSpec[AlchemyParams]) -> Needs:
    """What all forms of the request ask of a worker; each asks for its own feature besides."""
    return Needs(kind="alchemy", tiles=ask.params.tiles)


def jobs(ask: RequestSpec[AlchemyParams]) -> list[NewJob]:
    """A job for each form. Equal seeds: none continues another, so each is claimed by itself."""
    return [
        NewJob(0, ask.params.things, alchemy.feature_of(form["name"])) for form in ask.params.forms
    ]


def quote(ask: RequestSpec[AlchemyParams]) -> Quote:
    """The price of all forms; there is no tax on the request itself."""
    each = (prices.form_price(form["name"], tiles=ask.params.tiles) for form in ask.params.forms)
    results = sum(prices.form_charge(price, slow_workers=ask.slow_workers) for price in each)
    return Quote(price=0, results=results, tax=0)


def lighter(_horde: Horde, _ask: RequestSpec[AlchemyParams]) -> None:
    """No form needs kudos in advance."""


def free(_horde: Horde, _ask: RequestSpec[AlchemyParams]) -> str:
    """No form needs kudos in advance, so there is nothing to say."""
    return ""


def baseline(_name: str) -> None:
    """Forms are not priced by baseline."""


def amounts(found: Open, _delivery: Delivery) -> Amounts:
    """What the worker's owner gets for the form and the requester pays."""
    attempt = found.attempt
    tiles = AlchemyParams.from_json(attempt.params).tiles
    price = prices.form_price(attempt.model, tiles=tiles)
    charge = prices.form_charge(price, slow_workers=attempt.terms["slow_workers"])
    return Amounts(announced_reward=price, reward=price, charge=charge)
