"""What is asked for, and what it costs."""

from collections.abc import Sequence
from dataclasses import dataclass

from core.catalog import models as catalog
from core.kinds.image import ImageParams
from core.kudos import prices


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageAsk:
    """A request for pictures, checked for form only."""

    prompt: str
    params: ImageParams
    n: int
    models: Sequence[str]
    """Empty: any."""
    seed: str | None
    seed_variation: int | None
    nsfw: bool
    trusted_workers: bool
    slow_workers: bool
    extra_slow_workers: bool
    workers: Sequence[str]
    worker_blacklist: bool
    allow_downgrade: bool
    client_agent: str


@dataclass(frozen=True, slots=True)
class Quote:
    """What a request costs."""

    price: int
    """Of one picture by a plain model, before taxes."""
    terms: prices.Terms
    pictures: int
    """All pictures, their taxes included, at the dearest model's price."""
    tax: int
    """Of the request itself, due at once."""

    @property
    def total(self) -> int:
        """Hundredths of a kudos, at most."""
        return self.pictures + self.tax


def quote(wanted: ImageAsk) -> Quote:
    """The price of it all, by the same functions that settle it."""
    params = wanted.params
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
    terms = terms_of(
        params, slow_workers=wanted.slow_workers, worker_blacklist=wanted.worker_blacklist
    )
    pictures = prices.estimate(price, catalog.baselines(wanted.models), terms, n=wanted.n)
    tax = prices.request_tax(extra_source_images=len(params.extra_source_images))
    return Quote(price, terms, pictures, tax)


def terms_of(params: ImageParams, *, slow_workers: bool, worker_blacklist: bool) -> prices.Terms:
    """What of a request changes its charges: at the quote, and again at each settlement."""
    return prices.Terms(
        img2img=params.source_image is not None,
        upscalers=len(params.upscalers),
        slow_workers=slow_workers,
        worker_blacklist=worker_blacklist,
        hires_fix=params.hires_fix,
        qr_code=params.workflow == "qr_code",
    )
