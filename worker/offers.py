"""What pops declare, by the settings; each kind adds its models, and what depends on the device."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from core.features import OURS, version_of
from core.wire.alchemy import InterrogationPopInput
from core.wire.pop import PopInputStable
from core.wire.text import PopInputKobold
from worker.downloads.adaptations import FromCivitAI
from worker.image.library import Library
from worker.settings import Settings

AGENT: Final = f"{OURS}:{version_of(OURS)}:https://github.com/stable-horde/stable-horde"
"""`name:version:url`; the version is the newest that the table of features has of this worker."""


def image_offer(settings: Settings) -> PopInputStable:
    """What each pop declares about pictures, without the models and the size of batches."""
    return PopInputStable(
        name=settings.name,
        bridge_agent=AGENT,
        threads=1,
        max_pixels=settings.max_pixels,
        nsfw=settings.nsfw,
        blacklist=settings.blacklist,
        priority_usernames=settings.priority_usernames,
        require_upfront_kudos=settings.require_upfront_kudos,
        extra_slow_worker=settings.extra_slow,
        wait=settings.wait_seconds,
        allow_img2img=settings.img2img,
        allow_painting=settings.painting,
        allow_unsafe_ipaddr=True,
        allow_post_processing=settings.post_processing,
        allow_controlnet=settings.controlnet,
        allow_sdxl_controlnet=False,
        allow_lora=False,
    )


def text_offer(settings: Settings) -> PopInputKobold:
    """What each pop declares about text, without the models."""
    return PopInputKobold(
        name=f"{settings.name} text",
        bridge_agent=AGENT,
        threads=1,
        max_length=settings.max_length,
        max_context_length=settings.max_context_length,
        nsfw=settings.nsfw,
        priority_usernames=settings.priority_usernames,
        require_upfront_kudos=settings.require_upfront_kudos,
        extra_slow_worker=settings.extra_slow,
        wait=settings.wait_seconds,
    )


def alchemy_offer(settings: Settings) -> InterrogationPopInput:
    """What each pop declares about alchemy, without the forms and the size of pictures."""
    return InterrogationPopInput(
        name=f"{settings.name} alchemy",
        bridge_agent=AGENT,
        threads=1,
        priority_usernames=settings.priority_usernames,
        wait=settings.wait_seconds,
    )


def library(settings: Settings, folders: Sequence[Path]) -> Library | None:
    """Give what pictures can be adapted by; None where that is not offered."""
    fetch = None
    if settings.lora == "fetch":
        token = settings.civitai_token.get_secret_value()
        fetch = FromCivitAI(settings.civitai_url, token)
    kept = settings.data_dir / "fetched"
    found = Library(folders, kept, round(settings.lora_cache_gb * 2**30), fetch)
    return found if settings.lora != "off" and found.is_open else None
