"""Which requests are heavy: they need their kudos in advance, or are made smaller."""

from dataclasses import replace
from typing import Self

from core.catalog import models as catalog
from core.errors import Forbidden
from core.generation.horde import Horde
from core.generation.quotes import ImageAsk, Quote
from core.kinds import image

FREE_SIDE_LEAST, FREE_SIDE_MOST = 576, 1024
FREE_CONTROL_STEPS, FREE_LCM_STEPS = 20, 10
NATIVE_SIDES = {
    "stable diffusion 2": 768,
    "stable_diffusion_xl": 1024,
    "stable_cascade": 1024,
    "flux_1": 1024,
}


class KudosUpfront(Forbidden):
    """A heavy request that the account cannot cover in advance."""

    code = "KudosUpfront"

    @classmethod
    def asking(cls, quoted: Quote) -> Self:
        """The refusal that says how much is needed."""
        return cls(
            "Due to heavy demand, for requests of this size, number of steps or speed, the client "
            f"needs to have the kudos already. This request requires {quoted.total / 100:.2f} "
            "kudos. Set allow_downgrade to have less made instead."
        )


def free_side(horde: Horde, wanted: ImageAsk) -> int:
    """The side of the square that may be asked without kudos in advance, by how busy it is."""
    threads = sum(server.threads for server in horde.online.servers if server.offer.kind == "image")
    waiting = sum(horde.counts.jobs.values())
    side = 1024 + 10 * threads - round(0.9 * waiting)
    native = max((NATIVE_SIDES.get(b, 0) for b in catalog.baselines(wanted.models)), default=0)
    return max(native, min(FREE_SIDE_MOST, max(FREE_SIDE_LEAST, side)))


def is_heavy(wanted: ImageAsk, free_side: int) -> bool:
    """Whether the request needs its kudos in advance."""
    params = wanted.params
    return (
        not wanted.slow_workers
        or params.effective_steps > _free_steps(wanted)
        or params.pixels > free_side**2
    )


def _free_steps(wanted: ImageAsk) -> int:
    if wanted.params.sampler_name == "lcm":
        return FREE_LCM_STEPS
    if wanted.params.control_type is not None:
        return FREE_CONTROL_STEPS
    most = (catalog.image_model(name).most_steps for name in wanted.models)
    return min(most, default=image.ADAPTIVE_STEPS)


def downgraded(wanted: ImageAsk, free_side: int) -> ImageAsk:
    """The same within what needs no kudos in advance: sides in 64s, at least 512."""
    params = wanted.params
    scale = min(1.0, free_side / params.pixels**0.5)
    steps = _free_steps(wanted) if params.effective_steps > _free_steps(wanted) else params.steps
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
    return replace(wanted, params=smaller, slow_workers=True)


def _snapped(side: int, scale: float) -> int:
    return side if scale >= 1 else min(side, max(512, int(side * scale) // 64 * 64))
