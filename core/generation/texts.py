"""Texts: their prices, which requests are heavy, what they ask of a worker."""

import secrets
from dataclasses import replace

from core.catalog import agents
from core.catalog import models as catalog
from core.generation.delivery import Amounts, Delivery, Open
from core.generation.horde import Horde
from core.generation.specs import Quote, RequestSpec
from core.kinds.params import Advice
from core.kinds.text import TextParams, tokens_of
from core.kudos import prices
from core.queue.matching import Needs
from core.queue.requests import NewJob
from core.users.tables import Role

MIN_FREE_TOKENS, MAX_FREE_TOKENS = 256, 512

params_from = TextParams.from_json


def check(ask: RequestSpec[TextParams]) -> None:
    """Raise TokenOverflow where the answer does not fit into the context."""
    ask.params.check()


def advice(_ask: RequestSpec[TextParams]) -> list[Advice]:
    """There is none for texts."""
    return []


def needs(ask: RequestSpec[TextParams]) -> Needs:
    """What the parameters ask of a worker."""
    return Needs(
        kind="text",
        features=frozenset({agents.VALIDATED} if ask.validated_backends else ()),
        length=ask.params.max_length,
        context=ask.params.max_context_length,
        softprompt=ask.params.softprompt or "",
    )


def jobs(ask: RequestSpec[TextParams]) -> list[NewJob]:
    """A job for each text; their seeds go on by one, so that several may be claimed at once."""
    first = secrets.randbelow(2**31)
    return [NewJob(first + number, ask.params.things) for number in range(ask.n)]


def quote(ask: RequestSpec[TextParams]) -> Quote:
    """The most that it can cost, by the same function that settles it."""
    work = prices.TextWork(
        tokens=ask.params.max_length,
        context=tokens_of(ask.prompt, most=ask.params.max_context_length),
        billions=catalog.most_billions(ask.models) or prices.USUAL_BILLIONS,
    )
    results = ask.n * prices.text_charge(prices.text_price(work))
    return Quote(price=0, results=results, tax=prices.request_tax(styled=ask.style is not None))


def lighter(horde: Horde, ask: RequestSpec[TextParams]) -> RequestSpec[TextParams] | None:
    """The request within what needs no kudos in advance; None where it is there already."""
    most = free_tokens(horde)
    if ask.slow_workers and ask.params.max_length <= most:
        return None
    shorter = replace(ask.params, max_length=min(most, ask.params.max_length))
    return replace(ask, params=shorter, slow_workers=True)


def free(horde: Horde, ask: RequestSpec[TextParams]) -> str:
    """The limits beyond which a text needs its kudos in advance, in words."""
    most = f"a max_length of {free_tokens(horde)} at most"
    return most if ask.slow_workers else f"{most} and has to take slow workers, too"


def free_tokens(horde: Horde) -> int:
    """How long a text may be without kudos in advance, by how busy it is."""
    tokens = 512 + 5 * horde.threads("text") - round(0.9 * horde.waiting("text"))
    return min(MAX_FREE_TOKENS, max(MIN_FREE_TOKENS, tokens))


def baseline(_name: str) -> None:
    """Texts are not priced by baseline."""


def amounts(found: Open, delivery: Delivery) -> Amounts:
    """What the worker's owner gets for the text and the requester pays, by its length."""
    attempt = found.attempt
    params = TextParams.from_json(attempt.params)
    known = catalog.text_model(attempt.model)
    work = prices.TextWork(
        tokens=tokens_of(delivery.text or "", most=params.max_length),
        context=tokens_of(attempt.prompt, most=params.max_context_length),
        billions=None if known is None else known.billions,
        validated=agents.VALIDATED in agents.agent(found.worker.agent).features,
        trusted=found.owner.has(Role.TRUSTED),
    )
    price = prices.text_price(work)
    charge = prices.text_charge(price)
    return Amounts(announced_reward=price, reward=price, charge=charge, things=work.tokens)
