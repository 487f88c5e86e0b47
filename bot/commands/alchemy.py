"""`/describe` and `/upscale`, and the same for pictures in messages: alchemy."""

from typing import Any, Final

import discord
from discord import app_commands

from bot import actions, answering, asking, forms
from bot.asking import Given
from bot.commands import reach, suggest
from bot.refusals import Refused
from bot.wanted import Wanted
from core import features

CAPTION: Final = "caption"
DESCRIPTIONS = [app_commands.Choice(name=name, value=name) for name in features.DESCRIPTIONS]
CHANGES = [
    app_commands.Choice(name=name.replace("_", " "), value=name)
    for name, form in features.FORMS.items()
    if form.makes_picture
][: suggest.MAX_CHOICES]


@reach.everywhere
@app_commands.command(description="Say what a picture shows.")
@app_commands.describe(image="The picture.", how="What to find out; without it, a caption.")
@app_commands.choices(how=DESCRIPTIONS)
async def describe(
    interaction: discord.Interaction, image: discord.Attachment, how: str | None = None
) -> None:
    """Describe an attached picture."""
    await asking.ask(interaction, "alchemy", Wanted(forms=[how or CAPTION]), Given(image))


@reach.everywhere
@app_commands.command(description="Enlarge or repair a picture, or take its background away.")
@app_commands.describe(image="The picture.", how="What to do; without it, it is enlarged.")
@app_commands.choices(how=CHANGES)
async def upscale(
    interaction: discord.Interaction, image: discord.Attachment, how: str | None = None
) -> None:
    """Change an attached picture."""
    await answering.defer(interaction)
    form = how or await actions.upscaler(answering.bot_of(interaction).live)
    await asking.ask(interaction, "alchemy", Wanted(forms=[form]), Given(image))


@reach.everywhere
@app_commands.context_menu(name="Describe picture")
async def describe_message(interaction: discord.Interaction, message: discord.Message) -> None:
    """Describe the first picture of a message."""
    await asking.ask(interaction, "alchemy", Wanted(forms=[CAPTION]), Given(picture_of(message)))


@reach.everywhere
@app_commands.context_menu(name="Upscale picture")
async def upscale_message(interaction: discord.Interaction, message: discord.Message) -> None:
    """Enlarge the first picture of a message."""
    picture = picture_of(message)
    await answering.defer(interaction)
    form = await actions.upscaler(answering.bot_of(interaction).live)
    await asking.ask(interaction, "alchemy", Wanted(forms=[form]), Given(picture))


@reach.everywhere
@app_commands.context_menu(name="Rework picture")
async def rework_message(interaction: discord.Interaction, message: discord.Message) -> None:
    """Make something of the first picture of a message."""
    await interaction.response.send_modal(forms.Rework(Given(picture_of(message))))


def picture_of(message: discord.Message) -> discord.Attachment:
    """The first picture of a message. Raises Refused if there is none."""
    for one in message.attachments:
        if (one.content_type or "").startswith("image/"):
            return one
    raise Refused("That message has no picture.")


COMMANDS: tuple[Any, ...] = (describe, upscale, describe_message, upscale_message, rework_message)
