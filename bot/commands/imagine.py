"""`/imagine`: pictures of a prompt, or of another picture."""

from typing import Any

import discord
from discord import app_commands

from bot import answering, asking
from bot.asking import Given
from bot.commands import reach, suggest
from bot.refusals import Refused
from bot.wanted import MAX_PROMPT, SIZES

SIZE_CHOICES = [
    app_commands.Choice(name=f"{name} ({width} x {height})", value=name)
    for name, (width, height) in SIZES.items()
]
INPAINTING, REMIX = "inpainting", "remix"
MODE_CHOICES = [
    app_commands.Choice(name="draw it anew (img2img)", value="img2img"),
    app_commands.Choice(name="fill in its mask, or where it is transparent", value=INPAINTING),
    app_commands.Choice(name="go on beyond its edges (transparent)", value="outpainting"),
    app_commands.Choice(name="mix it with the prompt (remix)", value=REMIX),
]


@reach.everywhere
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
    mode="What to do with the picture.",
    image2="Another picture, to be mixed with the first one.",
    image3="A third one.",
    share="Give the pictures to the public data set, where others rate them.",
    spoiler="Hide the pictures until somebody clicks.",
)
@app_commands.choices(size=SIZE_CHOICES, mode=MODE_CHOICES)
@app_commands.autocomplete(prompt=suggest.prompt, model=suggest.model, style=suggest.style)
async def imagine(
    interaction: discord.Interaction,
    prompt: app_commands.Range[str, 1, MAX_PROMPT],
    negative: app_commands.Range[str, 1, 1000] | None = None,
    count: app_commands.Range[int, 1, 10] = 1,
    size: str | None = None,
    model: app_commands.Range[str, 1, 255] | None = None,
    style: app_commands.Range[str, 3, 255] | None = None,
    seed: app_commands.Range[str, 1, 40] | None = None,
    image: discord.Attachment | None = None,
    strength: app_commands.Range[int, 1, 100] | None = None,
    mask: discord.Attachment | None = None,
    mode: str | None = None,
    image2: discord.Attachment | None = None,
    image3: discord.Attachment | None = None,
    share: bool | None = None,
    spoiler: bool = False,
) -> None:
    """Take a request for pictures."""
    await answering.defer(interaction)
    said: dict[str, Any] = {"prompt": prompt, "n": count}
    named = {"negative": negative, "size": size, "model": model, "style": style, "seed": seed}
    said |= {name: value for name, value in {**named, "share": share}.items() if value is not None}
    if strength is not None:
        said["strength"] = strength / 100
    given = Given(image, mask, tuple(one for one in (image2, image3) if one is not None))
    if image is not None:
        said["processing"] = _processing(given, mode)
    bot = answering.bot_of(interaction)
    wanted = await asking.with_settings(bot, interaction.user.id, said)
    await asking.ask(interaction, "image", wanted, given, spoiler=spoiler)


def _processing(given: Given, mode: str | None) -> str:
    """How the horde is to use the pictures. Raises Refused where they do not go together."""
    usual = REMIX if given.more else INPAINTING if given.mask is not None else "img2img"
    chosen = mode or usual
    if given.more and chosen != REMIX:
        raise Refused("Several pictures can only be mixed: leave out `mode`, or say remix.")
    if given.mask is not None and chosen != INPAINTING:
        raise Refused("A mask says what to fill in: leave out `mode`, or the mask.")
    return chosen


COMMANDS: tuple[Any, ...] = (imagine,)
