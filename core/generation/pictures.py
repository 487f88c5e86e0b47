"""Pictures: their prices, which requests are heavy, what they ask of a worker."""

import secrets
from dataclasses import replace
from typing import Any

from core.catalog import agents
from core.catalog import models as catalog
from core.generation.delivery import Amounts, Delivery, Open
from core.generation.horde import Horde
from core.generation.specs import Quote, RequestSpec
from core.kinds import image, rules
from core.kinds.image import ImageParams
from core.kinds.params import Advice
from core.kudos import prices
from core.queue.matching import Needs
from core.queue.requests import NewJob

MIN_FREE_SIDE, MAX_FREE_SIDE = 576, 1024
FREE_CONTROL_STEPS, FREE_LCM_STEPS = 20, 10
NATIVE_SIDES = {
    "stable diffusion 2": 768,
    "stable_diffusion_xl": 1024,
    "stable_cascade": 1024,
    "flux_1": 1024,
}

params_from = ImageParams.from_json


def check(ask: RequestSpec[ImageParams]) -> None:
    """Raise the first rule that the request breaks."""
    rules.check(ask.prompt, ask.params, ask.models)


def advice(ask: RequestSpec[ImageParams]) -> list[Advice]:
    """Why the pictures may not turn out well."""
    return rules.warnings(ask.params, ask.models)


def needs(ask: RequestSpec[ImageParams]) -> Needs:
    """What the parameters ask of a worker."""
    return Needs(
        kind="image",
        features=ask.params.features(catalog.baselines(ask.models)),
        permissions=ask.params.permissions(),
        nsfw=ask.nsfw,
        pixels=ask.params.pixels,
        steps=ask.params.effective_steps,
    )


def jobs(ask: RequestSpec[ImageParams]) -> list[NewJob]:
    """A job for each picture, with its seed."""
    first = image.seed_from(ask.seed) if ask.seed else secrets.randbelow(2**32)
    seeds = image.seeds(first, ask.n, ask.seed_variation)
    return [NewJob(seed, ask.params.things) for seed in seeds]


def quote(ask: RequestSpec[ImageParams]) -> Quote:
    """The price of it all, by the same functions that settle it."""
    params = ask.params
    price = prices.image_price(
        prices.ImageWork(
            width=params.width,
            height=params.height,
            steps=params.steps,
            sampler=params.sampler_name,
            control_type=params.control_type,
            return_control_map=params.return_control_map,
            post_processing=tuple(params.post_processing),
            hires_fix=params.hires_fix,
            loras=len(params.loras),
            tis=len(params.tis),
        )
    )
    terms = _terms(
        params, {"slow_workers": ask.slow_workers, "worker_blacklist": ask.worker_blacklist}
    )
    results = prices.estimate(price, catalog.baselines(ask.models), terms, n=ask.n)
    tax = prices.request_tax(
        extra_source_images=len(params.extra_source_images), styled=ask.style is not None
    )
    return Quote(price, results, tax)


def lighter(horde: Horde, ask: RequestSpec[ImageParams]) -> RequestSpec[ImageParams] | None:
    """The request within what needs no kudos in advance; None where it is there already."""
    side = free_side(horde, ask)
    return downgraded(ask, side) if is_heavy(ask, side) else None


def free(horde: Horde, ask: RequestSpec[ImageParams]) -> str:
    """The limits beyond which a picture needs its kudos in advance, in words."""
    side, sampler = free_side(horde, ask), ask.params.sampler_name
    counted = ""
    if sampler in image.TWO_PASSES:
        counted = f" ({sampler} counts each of its steps twice)"
    elif sampler == "k_dpm_adaptive":
        counted = f" ({sampler} counts as {image.ADAPTIVE_STEPS})"
    most = f"{_free_steps(ask)} steps{counted} and the pixels of {side}x{side} at most"
    return most if ask.slow_workers else f"{most} and has to take slow workers, too"


def baseline(name: str) -> str | None:
    """What the model was made from, which decides its price and its speed."""
    return catalog.image_model(name).baseline


def amounts(found: Open, delivery: Delivery) -> Amounts:
    """What the worker's owner gets for the picture and the requester pays."""
    attempt = found.attempt
    made_by = catalog.image_model(attempt.model).baseline
    terms = _terms(ImageParams.from_json(attempt.params), attempt.terms)
    price = attempt.terms["price"]
    factor = agents.agent(found.worker.agent).reward_factor
    return Amounts(
        announced_reward=prices.reward(price, made_by, prices.NEWEST_WORKER, terms),
        reward=prices.reward(price, made_by, factor, terms),
        charge=prices.charge(price, made_by, terms, censored=delivery.is_censored),
    )


def free_side(horde: Horde, ask: RequestSpec[ImageParams]) -> int:
    """The side of the square that may be asked without kudos in advance, by how busy it is."""
    side = 1024 + 10 * horde.threads("image") - round(0.9 * horde.waiting("image"))
    native = max((NATIVE_SIDES.get(b, 0) for b in catalog.baselines(ask.models)), default=0)
    return max(native, min(MAX_FREE_SIDE, max(MIN_FREE_SIDE, side)))


def is_heavy(ask: RequestSpec[ImageParams], side: int) -> bool:
    """Whether the request needs its kudos in advance. side: of the square that does not."""
    return (
        not ask.slow_workers
        or ask.params.effective_steps > _free_steps(ask)
        or ask.params.pixels > side**2
    )


def _terms(params: ImageParams, agreed: dict[str, Any]) -> prices.Terms:
    """What of a request changes its charges: at the quote, and again at each settlement."""
    return prices.Terms(
        img2img=params.source_image is not None,
        upscalers=len(params.upscalers),
        slow_workers=agreed["slow_workers"],
        worker_blacklist=agreed["worker_blacklist"],
        hires_fix=params.hires_fix,
        qr_code=params.workflow == "qr_code",
    )


def _free_steps(ask: RequestSpec[ImageParams]) -> int:
    if ask.params.sampler_name == "lcm":
        return FREE_LCM_STEPS
    if ask.params.control_type is not None:
        return FREE_CONTROL_STEPS
    most = (catalog.image_model(name).most_steps for name in ask.models)
    return min(most, default=image.ADAPTIVE_STEPS)


def downgraded(ask: RequestSpec[ImageParams], side: int) -> RequestSpec[ImageParams]:
    """The same within what needs no kudos in advance: sides in 64s, at least 512."""
    params = ask.params
    scale = min(1.0, side / params.pixels**0.5)
    steps = _free_steps(ask) if params.effective_steps > _free_steps(ask) else params.steps
    if params.sampler_name in image.TWO_PASSES and steps != params.steps:
        steps //= 2
    smaller = replace(
        params,
        width=_snapped(params.width, scale),
        height=_snapped(params.height, scale),
        steps=steps,
        sampler_name="k_euler_a"
        if params.sampler_name == "k_dpm_adaptive"
        else params.sampler_name,
    )
    return replace(ask, params=smaller, slow_workers=True)


def _snapped(side: int, scale: float) -> int:
    return side if scale >= 1 else min(side, max(512, int(side * scale) // 64 * 64))
