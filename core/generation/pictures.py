"""Pictures: their prices, which requests are heavy, what they ask of a worker."""

import secrets
from dataclasses import replace
from typing import Any

from core.catalog import agents, vocabularies
from core.catalog import models as catalog
from core.catalog.agents import Standing
from core.errors import Invalid
from core.features import SAMPLERS
from core.generation import sizes
from core.generation.delivery import Amounts, Delivery, Open
from core.generation.horde import Horde
from core.generation.protocol import Kind
from core.generation.specs import Quote, RequestSpec
from core.kinds import image, registry, rules
from core.kinds.image import ImageParams
from core.kinds.params import Advice
from core.kudos import prices, uptime
from core.queue.matching import Needs, Offer
from core.queue.requests import NewJob
from core.users.tables import Role, User

MIN_FREE_SIDE, MAX_FREE_SIDE = 576, 1024
FREE_CONTROL_STEPS = 20
UNKNOWN_WORDS = "UnknownWords"
"""Our code for a warning: the contract has none for it."""
PLAIN_SAMPLER = "k_euler_a"
"""The substitute for a sampler that chooses its own number of steps."""
NATIVE_SIDES = {
    "stable diffusion 2": 768,
    "stable_diffusion_xl": 1024,
    "stable_cascade": 1024,
    "flux_1": 1024,
}


class InpaintingMissingMask(Invalid):
    """Inpainting without a mask or transparency."""

    code = "InpaintingMissingMask"


class MoreExtraImagesNeedTrust(Invalid):
    """More than one extra source picture needs a trusted user."""

    code = "MoreThanMinExtraSourceImage."


class SpecialFieldNeedsSpecialUser(Invalid):
    """A special payload from a user who is not special."""

    code = "BadRequest"


class Pictures(Kind[ImageParams]):
    """What becomes of a request for pictures."""

    rules = registry.of("image")

    def check_user(self, user: User, ask: RequestSpec[ImageParams]) -> None:
        """Raise MoreExtraImagesNeedTrust and SpecialFieldNeedsSpecialUser."""
        if len(ask.params.extra_source_images) > 1 and not user.has(Role.TRUSTED):
            raise MoreExtraImagesNeedTrust("More than one extra source image needs a trusted user.")
        if ask.params.special and not user.has(Role.SPECIAL):
            raise SpecialFieldNeedsSpecialUser("Only special users may send a special payload.")

    def check(self, ask: RequestSpec[ImageParams]) -> None:
        """Raise the first rule that the request breaks."""
        rules.check(ask.prompt, ask.params, ask.models)

    def advice(self, ask: RequestSpec[ImageParams]) -> list[Advice]:
        """Why the pictures may not turn out well."""
        unknown = [
            Advice(UNKNOWN_WORDS, f"{model} {'; '.join(notes)}.")
            for model in dict.fromkeys(ask.models)
            if (notes := vocabularies.notes(model, ask.prompt))
        ]
        return [*rules.warnings(ask.params, ask.models), *unknown]

    def needs(self, ask: RequestSpec[ImageParams]) -> Needs:
        """What the parameters need of a worker."""
        return Needs(
            kind=self.name,
            features=ask.params.features(catalog.baselines(ask.models)),
            permissions=ask.params.permissions(),
            censored=ask.params.use_nsfw_censor,
            nsfw=ask.nsfw,
            pixels=ask.params.pixels,
            steps=ask.params.effective_steps,
        )

    def jobs(self, ask: RequestSpec[ImageParams]) -> list[NewJob]:
        """A job for each picture, with its seed."""
        first = image.seed_from(ask.seed) if ask.seed else secrets.randbelow(2**32)
        seeds = image.seeds(first, ask.n, ask.seed_variation)
        return [NewJob(seed, ask.params.things) for seed in seeds]

    def quote(self, ask: RequestSpec[ImageParams]) -> Quote:
        """The price of it all, by the same functions that settle it."""
        params = ask.params
        price = prices.image_price(prices.ImageWork.of(params))
        asked = {"slow_workers": ask.slow_workers, "worker_blacklist": ask.worker_blacklist}
        terms = prices.Terms.of(params, asked)
        results = prices.estimate(price, catalog.baselines(ask.models), terms, n=ask.n)
        tax = prices.request_tax(
            extra_source_images=len(params.extra_source_images), styled=ask.style is not None
        )
        return Quote(price, results, tax)

    def lighter(
        self, horde: Horde, ask: RequestSpec[ImageParams]
    ) -> RequestSpec[ImageParams] | None:
        """The request reduced to what needs no kudos in advance; None if it needs none already."""
        side = free_side(horde, ask)
        return downgraded(ask, side) if is_heavy(ask, side) else None

    def free(self, horde: Horde, ask: RequestSpec[ImageParams]) -> str:
        """The limits beyond which a picture needs its kudos in advance, in words."""
        side, sampler = free_side(horde, ask), ask.params.sampler_name
        counted = ""
        if SAMPLERS[sampler].passes > 1:
            counted = f" ({sampler} counts each of its steps twice)"
        elif (fixed := SAMPLERS[sampler].counts_as) is not None:
            counted = f" ({sampler} counts as {fixed})"
        most = f"{_free_steps(ask)} steps{counted} and the pixels of {side}x{side} at most"
        return most if ask.slow_workers else f"{most} and has to take slow workers, too"

    def baseline(self, model: str) -> str | None:
        """What the model was made from, which decides its price and its speed."""
        return catalog.image_model(model).baseline

    def amounts(self, found: Open, delivery: Delivery) -> Amounts:
        """What the worker's owner gets for the picture and the requester pays."""
        attempt = found.attempt
        agreed = prices.agreed(attempt.terms)
        made_by = catalog.image_model(attempt.model).baseline
        params = ImageParams.from_json(attempt.params)
        terms = prices.Terms.of(params, attempt.terms)
        price, standing = attempt.terms["price"], agents.agent(found.worker.agent).standing
        whole = Amounts(
            announced_reward=prices.reward(price, made_by, Standing.NEWEST, terms, rates=agreed),
            reward=prices.reward(price, made_by, standing, terms, rates=agreed),
            charge=prices.charge(
                price, made_by, terms, censored=delivery.is_censored, rates=agreed
            ),
        )
        return sizes.adjusted(whole, params, delivery)

    def told(self, horde: Horde, found: Open, delivery: Delivery) -> dict[str, Any]:
        """The picture is always a link: receivers read JSON, and a letter stays small."""
        return {
            "img": horde.store.download_url(found.picture),
            "seed": delivery.seed,
            "model": found.attempt.model,
            "censored": delivery.is_censored,
            "gen_metadata": delivery.metadata,
        }

    def state(self, delivery: Delivery) -> str:
        """The state according to the worker's notes."""
        return delivery.state_by_metadata

    def uptime_reward(self, offer: Offer) -> int:
        """The reward by how many models the worker has, and whether it applies LoRAs."""
        return uptime.image_reward(len(offer.models), lora="lora" in offer.permissions)


def free_side(horde: Horde, ask: RequestSpec[ImageParams]) -> int:
    """The side of the largest square that needs no kudos in advance, by how busy the horde is."""
    side = 1024 + 10 * horde.threads("image") - round(0.9 * horde.waiting("image"))
    native = max((NATIVE_SIDES.get(b, 0) for b in catalog.baselines(ask.models)), default=0)
    return max(native, min(MAX_FREE_SIDE, max(MIN_FREE_SIDE, side)))


def is_heavy(ask: RequestSpec[ImageParams], side: int) -> bool:
    """Whether the request needs its kudos in advance. side: of the largest square that does not."""
    return (
        not ask.slow_workers
        or ask.params.effective_steps > _free_steps(ask)
        or ask.params.pixels > side**2
    )


def _free_steps(ask: RequestSpec[ImageParams]) -> int:
    sampler = SAMPLERS.get(ask.params.sampler_name)
    if sampler is not None and sampler.free_steps is not None:
        return sampler.free_steps
    if ask.params.control_type is not None:
        return FREE_CONTROL_STEPS
    most = (catalog.image_model(name).most_steps for name in ask.models)
    return min(most, default=image.MAX_STEPS)


def downgraded(ask: RequestSpec[ImageParams], side: int) -> RequestSpec[ImageParams]:
    """The request reduced so that it is not heavy: sides are multiples of 64, at least 512."""
    params = ask.params
    scale = min(1.0, side / params.pixels**0.5)
    steps = _free_steps(ask) if params.effective_steps > _free_steps(ask) else params.steps
    if steps != params.steps:
        steps //= image.passes(params.sampler_name)
    smaller = replace(
        params,
        width=_snapped(params.width, scale),
        height=_snapped(params.height, scale),
        steps=steps,
        sampler_name=PLAIN_SAMPLER
        if image.chooses_steps(params.sampler_name)
        else params.sampler_name,
    )
    return replace(ask, params=smaller, slow_workers=True)


def _snapped(side: int, scale: float) -> int:
    return side if scale >= 1 else min(side, max(512, int(side * scale) // 64 * 64))
