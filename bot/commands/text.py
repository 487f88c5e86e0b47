"""`/text`: a text that goes on where a prompt ends."""

from typing import Any

import discord
from discord import app_commands

from bot import asking
from bot.commands import reach, suggest
from bot.wanted import MAX_PROMPT, Wanted


@reach.everywhere
@app_commands.command(description="Let a language model write on.")
@app_commands.describe(
    prompt="How the text begins, or a question.",
    length="The most tokens, about three quarters of a word each.",
    model="The model that writes.",
    count="How many texts.",
)
@app_commands.autocomplete(prompt=suggest.prompt, model=suggest.text_model)
async def text(
    interaction: discord.Interaction,
    prompt: app_commands.Range[str, 1, MAX_PROMPT],
    length: app_commands.Range[int, 16, 1024] | None = None,
    model: app_commands.Range[str, 1, 255] | None = None,
    count: app_commands.Range[int, 1, 4] = 1,
) -> None:
    """Take a request for a text."""
    wanted = Wanted(prompt=prompt, max_length=length, model=model, n=count)
    await asking.ask(interaction, "text", wanted)


COMMANDS: tuple[Any, ...] = (text,)
