"""Texts: their prices, which requests are heavy, what they ask of a worker."""

import secrets
from dataclasses import replace
from typing import Any

from core.catalog import agents
from core.catalog import models as catalog
from core.generation.delivery import Amounts, Delivery, Open
from core.generation.horde import Horde
from core.generation.protocol import Kind
from core.generation.specs import Quote, RequestSpec
from core.kinds import registry
from core.kinds.text import TextParams, check_prompt, check_result, tokens_of
from core.kudos import prices, uptime
from core.queue.matching import Needs, Offer
from core.queue.requests import NewJob
from core.users.tables import Role

MIN_FREE_TOKENS, MAX_FREE_TOKENS = 256, 512


def check_delivery(found: Open, delivery: Delivery) -> None:
    """Raise TooLongResult for a text that is longer than what was asked for."""
    if not delivery.is_fault:
        params = TextParams.from_json(found.attempt.params)
        check_result(delivery.text or "", max_length=params.max_length)


class Texts(Kind[TextParams]):
    """What becomes of a request for texts."""

    rules = registry.of("text")

    def check(self, ask: RequestSpec[TextParams]) -> None:
        """Raise TokenOverflow for too long an answer, InvalidPromptSize for too long a prompt."""
        ask.params.check()
        check_prompt(ask.prompt, max_context=ask.params.max_context_length)

    def needs(self, ask: RequestSpec[TextParams]) -> Needs:
        """What the parameters need of a worker."""
        wanted = {agents.VALIDATED: ask.validated_backends, agents.CHAT: ask.params.is_chat}
        return Needs(
            kind=self.name,
            features=frozenset(name for name, needed in wanted.items() if needed),
            length=ask.params.max_length,
            context=ask.params.max_context_length,
            softprompt=ask.params.softprompt or "",
        )

    def jobs(self, ask: RequestSpec[TextParams]) -> list[NewJob]:
        """A job for each text; seeds are consecutive, so that several may be claimed at once."""
        first = secrets.randbelow(2**31)
        return [NewJob(first + number, ask.params.things) for number in range(ask.n)]

    def quote(self, ask: RequestSpec[TextParams]) -> Quote:
        """The most that it can cost, by the same function that settles it.

        The dearest of the named models, and of possible owners, decides; without a named model, a
        usual one does.
        """
        usual = prices.NEWEST.usual_billions
        price = max(
            prices.text_price(
                prices.TextWork(
                    tokens=ask.params.max_length,
                    context=tokens_of(ask.prompt, most=ask.params.max_context_length),
                    billions=billions,
                    trusted=trusted,
                )
            )
            for billions in {_billions(name) for name in ask.models} or {usual}
            for trusted in (True, False)
        )
        results = ask.n * prices.text_charge(price)
        return Quote(price=0, results=results, tax=prices.request_tax(styled=ask.style is not None))

    def lighter(self, horde: Horde, ask: RequestSpec[TextParams]) -> RequestSpec[TextParams] | None:
        """The request reduced to what needs no kudos in advance; None if it needs none already."""
        free = free_tokens(horde)
        if ask.slow_workers and ask.params.max_length <= free:
            return None
        shorter = replace(ask.params, max_length=min(free, ask.params.max_length))
        return replace(ask, params=shorter, slow_workers=True)

    def amounts(self, found: Open, delivery: Delivery) -> Amounts:
        """What the worker's owner gets for the text and the requester pays, by its length."""
        attempt = found.attempt
        agreed = prices.agreed(attempt.terms)
        params = TextParams.from_json(attempt.params)
        work = prices.TextWork(
            tokens=tokens_of(delivery.text or "", most=params.max_length),
            context=tokens_of(attempt.prompt, most=params.max_context_length),
            billions=_billions(attempt.model),
            validated=agents.VALIDATED in agents.agent(found.worker.agent).features,
            trusted=found.owner.has(Role.TRUSTED),
        )
        price = prices.text_price(work, rates=agreed)
        charge = prices.text_charge(price, rates=agreed)
        return Amounts(announced_reward=price, reward=price, charge=charge, things=work.tokens)

    def free(self, horde: Horde, ask: RequestSpec[TextParams]) -> str:
        """The limits beyond which a text needs its kudos in advance, in words."""
        most = f"a max_length of {free_tokens(horde)} at most"
        return most if ask.slow_workers else f"{most} and has to take slow workers, too"

    def state(self, delivery: Delivery) -> str:
        """The state according to the worker or its notes."""
        return delivery.text_state

    def told(self, _horde: Horde, found: Open, delivery: Delivery) -> dict[str, Any]:
        """The text itself."""
        return {
            "text": delivery.text,
            "seed": delivery.seed,
            "model": found.attempt.model,
            "state": delivery.text_state,
            "gen_metadata": delivery.metadata,
        }

    def uptime_reward(self, offer: Offer) -> int:
        """The reward by the worker's context and its largest model."""
        billions = catalog.most_billions(offer.models)
        validated = agents.VALIDATED in offer.features
        return uptime.text_reward(offer.context, billions=billions, validated=validated)


def free_tokens(horde: Horde) -> int:
    """How long a text may be without kudos in advance, by how busy the horde is."""
    tokens = 512 + 5 * horde.threads("text") - round(0.9 * horde.waiting("text"))
    return min(MAX_FREE_TOKENS, max(MIN_FREE_TOKENS, tokens))


def _billions(model: str) -> float | None:
    """The size of the model, None if the horde does not know it."""
    known = catalog.text_model(model)
    return None if known is None else known.billions
