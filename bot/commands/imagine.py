"""`/imagine`: pictures of a prompt, or of another picture."""

from typing import Any

import discord
from discord import app_commands

from bot import asking
from bot.wanted import MAX_PROMPT, SIZES, Wanted

SIZE_CHOICES = [
    app_commands.Choice(name=f"{name} ({width} x {height})", value=name)
    for name, (width, height) in SIZES.items()
]


@app_commands.command(description="Make pictures of what you describe.")
@app_commands.describe(
    prompt="What the pictures are to show.",
    negative="What they are not to show.",
    count="How many pictures.",
    size="Their shape.",
    model="The model that draws them.",
    style="A style of the horde.",
    seed="The same seed and settings give the same picture.",
    image="A picture to start from.",
    strength="How much of it is drawn anew, in percent.",
    mask="A picture whose white parts are drawn anew.",
)
@app_commands.choices(size=SIZE_CHOICES)
@app_commands.allowed_installs(guilds=True, users=True)
@app_commands.allowed_contexts(guilds=True, dms=True, private_channels=True)
async def imagine(
    interaction: discord.Interaction,
    prompt: app_commands.Range[str, 1, MAX_PROMPT],
    negative: app_commands.Range[str, 1, 1000] | None = None,
    count: app_commands.Range[int, 1, 10] = 1,
    size: str | None = None,
    model: str | None = None,
    style: str | None = None,
    seed: app_commands.Range[str, 1, 40] | None = None,
    image: discord.Attachment | None = None,
    strength: app_commands.Range[int, 1, 100] | None = None,
    mask: discord.Attachment | None = None,
) -> None:
    """Take a request for pictures."""
    said: dict[str, Any] = {"prompt": prompt, "n": count}
    named = {"negative": negative, "size": size, "model": model, "style": style, "seed": seed}
    said |= {name: value for name, value in named.items() if value is not None}
    if strength is not None:
        said["strength"] = strength / 100
    if image is not None:
        said["processing"] = "img2img"
    await asking.pictures(interaction, Wanted(**said), image, mask)


COMMANDS: tuple[Any, ...] = (imagine,)
