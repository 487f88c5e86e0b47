"""`/settings` and `/preset`: what stays the same from one picture to the next."""

from collections.abc import Callable
from typing import Any, Final

import discord
from discord import app_commands

from bot import answering, embeds, forms
from bot.commands import reach, suggest
from bot.pressing import Pressed, view
from bot.refusals import Refused
from bot.store import presets
from bot.wanted import SIZES, Options
from bot.words import cut, plain
from core import features

NONE: Final = "-"
group = reach.Group("preset", "Settings of pictures under a name.")
CHOICES: Final[dict[str, list[str]]] = {
    "size": list(SIZES),
    "sampler": list(features.SAMPLERS),
    "post_processing": list(features.POST_PROCESSORS),
    "control_type": list(features.CONTROL_TYPES),
}
SWITCHES: Final = ("karras", "tiling", "hires_fix", "share")


class Panel(Pressed, template=r"set:(?P<name>\w+)"):
    """One part of the panel: a select or a button, whose choice is stored at once."""

    async def pressed(self, interaction: discord.Interaction, values: list[str]) -> None:
        """Store what was chosen, and show it."""
        name = self.match["name"]
        if name == "more":
            await interaction.response.send_modal(MoreForm(await _in_use(interaction)))
            return
        await interaction.response.defer()
        options = await _change(interaction, lambda stored: _chosen(stored, name, values))
        await interaction.edit_original_response(embed=_embed(options), view=_view(options))


class MoreForm(forms.Form):
    """What is typed: numbers and names."""

    def __init__(self, now: Options) -> None:
        super().__init__(title="More settings", timeout=3600)
        self.steps = forms.text("Steps (1-500)", default=_shown(now.steps), required=False)
        self.cfg = forms.text("Guidance (0-100)", default=_shown(now.cfg_scale), required=False)
        self.clip = forms.text("Clip skip (1-12)", default=_shown(now.clip_skip), required=False)
        self.loras = forms.text(
            "LoRAs, as name or name:strength, by comma",
            default=", ".join(now.loras),
            required=False,
            max_length=1000,
        )
        self.tis = forms.text(
            "Textual inversions, in the same way",
            default=", ".join(now.tis),
            required=False,
            max_length=1000,
        )
        for item in (self.steps, self.cfg, self.clip, self.loras, self.tis):
            self.add_item(item)

    async def submitted(self, interaction: discord.Interaction) -> None:
        """Store it."""
        await answering.defer(interaction, ephemeral=True)
        changes = {
            "steps": _number(self.steps.value, "Steps", 1, 500, whole=True),
            "cfg_scale": _number(self.cfg.value, "Guidance", 0, 100),
            "clip_skip": _number(self.clip.value, "Clip skip", 1, 12, whole=True),
            "loras": _names(self.loras.value),
            "tis": _names(self.tis.value),
        }
        await _show(interaction, await _change(interaction, lambda stored: {**stored, **changes}))


@reach.everywhere
@app_commands.command(description="Sampler, steps and the rest, for all your pictures.")
async def settings(interaction: discord.Interaction) -> None:
    """Show the panel."""
    await answering.defer(interaction, ephemeral=True)
    await _show(interaction, await _in_use(interaction))


async def _suggest(interaction: discord.Interaction, typed: str) -> suggest.Choices:
    bot = answering.bot_of(interaction)
    async with bot.database.transaction() as connection:
        found = await presets.names(connection, interaction.user.id)
    return suggest.suggestions(((name, name) for name in found), typed)


@group.command(description="Keep your present settings under a name.")
@app_commands.describe(name="The name.")
async def save(interaction: discord.Interaction, name: app_commands.Range[str, 1, 50]) -> None:
    """Save the settings in use."""
    await answering.defer(interaction, ephemeral=True)
    bot = answering.bot_of(interaction)
    async with bot.database.transaction() as connection:
        known = await presets.names(connection, interaction.user.id)
        if name not in known and len(known) >= presets.MAX_PRESETS:
            raise Refused(f"You have {presets.MAX_PRESETS} presets: delete one first.")
        now = await presets.get(connection, interaction.user.id) or {}
        await presets.put(connection, interaction.user.id, now, name)
    await answering.say(interaction, f"Saved as {plain(name)}.")


@group.command(description="Use saved settings from now on.")
@app_commands.describe(name="Which one.")
@app_commands.autocomplete(name=_suggest)
async def use(interaction: discord.Interaction, name: app_commands.Range[str, 1, 50]) -> None:
    """Take a preset's settings."""
    await answering.defer(interaction, ephemeral=True)
    bot = answering.bot_of(interaction)
    async with bot.database.transaction() as connection:
        saved = await presets.get(connection, interaction.user.id, name)
        if saved is None:
            raise Refused(f"You have no preset {plain(name)}: `/preset list`.")
        await presets.put(connection, interaction.user.id, saved)
    await _show(interaction, Options.model_validate(saved))


@group.command(name="list", description="Your presets.")
async def listed(interaction: discord.Interaction) -> None:
    """List presets."""
    await answering.defer(interaction, ephemeral=True)
    bot = answering.bot_of(interaction)
    async with bot.database.transaction() as connection:
        found = await presets.names(connection, interaction.user.id)
    said = ", ".join(plain(name) for name in found)
    await answering.say(interaction, said or "You have none yet: `/preset save`.")


@group.command(description="Delete a preset.")
@app_commands.describe(name="Which one.")
@app_commands.autocomplete(name=_suggest)
async def delete(interaction: discord.Interaction, name: app_commands.Range[str, 1, 50]) -> None:
    """Delete a preset."""
    await answering.defer(interaction, ephemeral=True)
    bot = answering.bot_of(interaction)
    async with bot.database.transaction() as connection:
        was_there = await presets.drop(connection, interaction.user.id, name)
    await answering.say(interaction, f"{plain(name)} is {'deleted' if was_there else 'not there'}.")


async def _in_use(interaction: discord.Interaction) -> Options:
    bot = answering.bot_of(interaction)
    async with bot.database.transaction() as connection:
        return Options.model_validate(await presets.get(connection, interaction.user.id) or {})


async def _change(
    interaction: discord.Interaction, change: Callable[[dict[str, Any]], dict[str, Any]]
) -> Options:
    """Change the settings in use. Returns what they are then."""
    bot = answering.bot_of(interaction)
    async with bot.database.transaction() as connection:
        stored = await presets.get(connection, interaction.user.id) or {}
        options = Options.model_validate(change(stored))
        await presets.put(connection, interaction.user.id, options.said())
    return options


async def _show(interaction: discord.Interaction, options: Options) -> None:
    await answering.say(interaction, embed=_embed(options), view=_view(options))


def _chosen(stored: dict[str, Any], name: str, values: list[str]) -> dict[str, Any]:
    if name == "clear":
        return {}
    if name in SWITCHES:
        return {**stored, name: not stored.get(name, False)}
    chosen = [value for value in values if value != NONE]
    if name == "post_processing":
        return {**stored, name: chosen}
    return {**stored, name: chosen[0] if chosen else None}


def _embed(options: Options) -> discord.Embed:
    embed = discord.Embed(title="Your settings for pictures", colour=0x3B82F6)
    embeds.fields(embed, **{name: _shown(value) for name, value in options.said().items()})
    if not embed.fields:
        embed.description = "All as the horde likes it."
    return embed


def _view(options: Options) -> discord.ui.View:
    choosers = [_chooser(name, values, getattr(options, name)) for name, values in CHOICES.items()]
    switches = [
        _switch(name, _label(name), is_on=bool(getattr(options, name))) for name in SWITCHES
    ]
    return view(*choosers, *switches, _switch("more", "More …"))


def _chooser(name: str, values: list[str], now: Any) -> discord.ui.Item[Any]:  # noqa: ANN401 - a setting
    listed = [discord.SelectOption(label="as the horde likes", value=NONE)]
    for value in values[: suggest.MAX_CHOICES - 1]:
        is_on = value in now if isinstance(now, list) else value == now
        listed.append(discord.SelectOption(label=cut(value, 100), value=value, default=is_on))
    return discord.ui.Select(
        placeholder=_label(name),
        custom_id=f"set:{name}",
        options=listed,
        max_values=min(5, len(listed)) if name == "post_processing" else 1,
        min_values=0,
    )


def _switch(name: str, label: str, *, is_on: bool = False) -> discord.ui.Item[Any]:
    style = discord.ButtonStyle.success if is_on else discord.ButtonStyle.secondary
    return discord.ui.Button(label=label, custom_id=f"set:{name}", style=style, row=4)


def _label(name: str) -> str:
    return name.replace("_", " ").capitalize()


def _shown(value: Any) -> str:  # noqa: ANN401 - of a setting
    if value is None:
        return ""
    return ", ".join(value) if isinstance(value, list) else f"{value}"


def _names(typed: str) -> list[str]:
    return [part.strip() for part in typed.split(",") if part.strip()][:20]


def _number(
    typed: str, name: str, low: float, high: float, *, whole: bool = False
) -> float | int | None:
    """Read a number. Raises Refused."""
    if not typed.strip():
        return None
    try:
        number = int(typed) if whole else float(typed.replace(",", "."))
    except ValueError:
        number = None
    if number is None or not low <= number <= high:
        raise Refused(f"{name}: a number from {low} to {high}, please.")
    return number


COMMANDS: tuple[Any, ...] = (settings, group)
