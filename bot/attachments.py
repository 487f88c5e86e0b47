"""Pictures that users attach: looked at before they are taken, never decoded here.

The horde decodes them in a process of its own. What is obviously no still picture is refused here,
so that the answer comes at once.
"""

import asyncio
from typing import Final

import aiohttp
import discord

from bot.refusals import Refused
from bot.words import plain

MAX_BYTES: Final = 10 * 1024 * 1024
READ_SECONDS: Final = 20.0
AVATAR_PIXELS: Final = 512
PNG, JPEG, GIF = b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF8"
ONE_AT_A_TIME: Final = asyncio.Semaphore(2)
"""A picture takes several times its size in memory on its way."""


async def read(attachment: discord.Attachment) -> bytes:
    """An attached picture's bytes. Raises Refused."""
    name = plain(attachment.filename)
    if attachment.size > MAX_BYTES:
        size = attachment.size / 1024 / 1024
        raise Refused(f"{name} has {size:.0f} MB; a picture may have {MAX_BYTES // 1024 // 1024}.")
    try:
        async with ONE_AT_A_TIME, asyncio.timeout(READ_SECONDS):
            content = await attachment.read()
    except (discord.HTTPException, aiohttp.ClientError, TimeoutError) as error:
        raise Refused(f"Discord does not give me {name}; attach it again.") from error
    check(content, name)
    return content


async def avatar(user: discord.abc.User) -> bytes:
    """An avatar's bytes. Raises Refused."""
    try:
        asset = user.display_avatar.replace(size=AVATAR_PIXELS, static_format="png")
        async with ONE_AT_A_TIME, asyncio.timeout(READ_SECONDS):
            content = await asset.read()
    except (discord.HTTPException, aiohttp.ClientError, TimeoutError, ValueError) as error:
        raise Refused("Discord does not give me that avatar; try again.") from error
    check(content, "The avatar")
    return content


def check(content: bytes, name: str) -> None:
    """Raise Refused unless it looks like a still picture."""
    if content.startswith(GIF) or is_animated(content):
        raise Refused(f"{name} is animated or a GIF; attach a still PNG, JPEG or WebP picture.")
    if not (content.startswith((PNG, JPEG)) or is_webp(content)):
        raise Refused(f"{name} is no picture that I know; attach a PNG, JPEG or WebP picture.")


def is_webp(content: bytes) -> bool:
    """Whether it is a WebP file."""
    return content[:4] == b"RIFF" and content[8:12] == b"WEBP"


def is_animated(content: bytes) -> bool:
    """Whether a PNG or WebP file has several frames."""
    if content.startswith(PNG):
        head = content.partition(b"IDAT")[0]
        return b"acTL" in head
    return (
        is_webp(content)
        and content[12:16] == b"VP8X"
        and content[20:21] != b""
        and bool(content[20] & 2)
    )


def suffix(content: bytes) -> str:
    """How the file's name ends."""
    if content.startswith(PNG):
        return ".png"
    return ".jpg" if content.startswith(JPEG) else ".webp"
