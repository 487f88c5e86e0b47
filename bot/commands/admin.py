"""`/admin`: a guild's own rules, set by who may manage it."""

import io
from typing import Any, Final

import discord
from discord import app_commands

from bot import answering, blocklists, embeds
from bot.refusals import Refused
from bot.store import prompts
from bot.store.guilds import MAX_BLOCKED, RoleLimits, Rules
from bot.words import counted, cut, plain

LISTS: Final = ("words", "patterns", "models", "styles")
LIST_CHOICES = [app_commands.Choice(name=name, value=name) for name in LISTS]
FITTING = [
    app_commands.Choice(name="who is logged in", value="login"),
    app_commands.Choice(name="who has a worker", value="worker"),
    app_commands.Choice(name="whom the horde trusts", value="trusted"),
]
FEEDS = [
    app_commands.Choice(name="news of the horde", value="news_channel"),
    app_commands.Choice(name="workers that come and go", value="alert_channel"),
]
MAX_EMOJIS: Final = 20
MAX_LIMITS: Final = 50

group = app_commands.Group(
    name="admin",
    description="Rules of this server for the horde's bot.",
    guild_only=True,
    default_permissions=discord.Permissions(manage_guild=True),
)


@group.command(description="Limits of a role; a member's best role counts, @everyone is for all.")
@app_commands.describe(
    role="Which role.",
    at_once="Requests at a time.",
    hourly="Requests in an hour.",
    pictures="Pictures in a request.",
    pixels="Width times height.",
    steps="Steps of a picture.",
    nsfw="Whether unsafe pictures may be asked for in age-restricted channels.",
    remove="Take the role's limits away.",
)
async def limits(
    interaction: discord.Interaction,
    role: discord.Role,
    at_once: app_commands.Range[int, 0, 1000] | None = None,
    hourly: app_commands.Range[int, 0, 100_000] | None = None,
    pictures: app_commands.Range[int, 0, 10] | None = None,
    pixels: app_commands.Range[int, 4096, 9_437_184] | None = None,
    steps: app_commands.Range[int, 1, 500] | None = None,
    nsfw: bool = True,
    remove: bool = False,
) -> None:
    """Set the limits of a role."""
    rules = await _rules(interaction)
    known = {key: value for key, value in rules.limits.items() if key != str(role.id)}
    if not remove:
        known[str(role.id)] = RoleLimits(
            at_once=at_once, hourly=hourly, pictures=pictures, pixels=pixels, steps=steps, nsfw=nsfw
        )
    if len(known) > MAX_LIMITS:
        raise Refused(f"{MAX_LIMITS} roles have limits already: remove one.")
    await _set(interaction, rules.model_copy(update={"limits": known}), "Noted.")


@group.command(description="Refuse prompts with a word or expression, a model, or a style.")
@app_commands.choices(what=LIST_CHOICES)
@app_commands.describe(what="Which list.", value="A word, an RE2 expression, or a name.")
async def block(
    interaction: discord.Interaction, what: str, value: app_commands.Range[str, 1, 300]
) -> None:
    """Add to a blocklist."""
    rules = await _rules(interaction)
    if what == "patterns":
        blocklists.compiled(value)
    known: list[str] = getattr(rules, what)
    if len(known) >= MAX_BLOCKED:
        raise Refused(f"That list has {MAX_BLOCKED} entries already.")
    changed = sorted({*known, value.strip()})
    await _set(interaction, rules.model_copy(update={what: changed}), f"{what}: {len(changed)}.")


@group.command(description="Take something from a blocklist.")
@app_commands.choices(what=LIST_CHOICES)
@app_commands.describe(what="Which list.", value="What it is.")
async def unblock(
    interaction: discord.Interaction, what: str, value: app_commands.Range[str, 1, 300]
) -> None:
    """Remove from a blocklist."""
    rules = await _rules(interaction)
    known: list[str] = getattr(rules, what)
    if value not in known:
        raise Refused("That is not in the list: `/admin show`.")
    changed = [one for one in known if one != value]
    await _set(interaction, rules.model_copy(update={what: changed}), "Removed.")


@group.command(description="Let a reaction give kudos.")
@app_commands.describe(emoji="An emoji, of this server or any.", kudos="How many; 0 ends it.")
async def emoji(
    interaction: discord.Interaction,
    emoji: app_commands.Range[str, 1, 100],
    kudos: app_commands.Range[int, 0, 1_000_000],
) -> None:
    """Set what an emoji gives."""
    rules = await _rules(interaction)
    parsed = discord.PartialEmoji.from_str(emoji.strip())
    key = str(parsed.id or parsed.name)
    known = {name: amount for name, amount in rules.emojis.items() if name != key}
    if kudos:
        known[key] = kudos
    if len(known) > MAX_EMOJIS:
        raise Refused(f"{MAX_EMOJIS} emojis give kudos already.")
    said = f"{parsed} gives {kudos:,} kudos." if kudos else f"{parsed} gives nothing now."
    await _set(interaction, rules.model_copy(update={"emojis": known}), said)


@group.command(description="Give a role to members by their account at the horde.")
@app_commands.choices(to=FITTING)
@app_commands.describe(to="Who gets it.", role="Without one, nobody gets any for that.")
async def role(interaction: discord.Interaction, to: str, role: discord.Role | None = None) -> None:
    """Set which role an account brings."""
    rules = await _rules(interaction)
    known = {key: value for key, value in rules.roles.items() if key != to}
    if role is not None:
        known[to] = str(role.id)
    await _set(interaction, rules.model_copy(update={"roles": known}), "Noted; given at login.")


@group.command(description="Tell of news, or of workers, in a channel.")
@app_commands.choices(what=FEEDS)
@app_commands.describe(what="What to tell of.", channel="Without one, nowhere.")
async def feed(
    interaction: discord.Interaction, what: str, channel: discord.TextChannel | None = None
) -> None:
    """Set where a feed goes."""
    rules = await _rules(interaction)
    value = None if channel is None else str(channel.id)
    await _set(interaction, rules.model_copy(update={what: value}), "Noted.")


@group.command(description="How long prompts are kept, and who may ask.")
@app_commands.describe(
    prompt_days="Days that prompts are kept for you; 0: never.",
    login="Whether one has to be logged in to ask.",
)
async def rules(
    interaction: discord.Interaction,
    prompt_days: app_commands.Range[int, 0, 365] | None = None,
    login: bool | None = None,
) -> None:
    """Set the rest."""
    known = await _rules(interaction)
    changes: dict[str, Any] = {}
    changes |= {} if prompt_days is None else {"prompt_days": prompt_days}
    changes |= {} if login is None else {"login_needed": login}
    await _set(interaction, known.model_copy(update=changes), "Noted.")


@group.command(description="The latest prompts on this server, as a file.")
@app_commands.describe(user="Only what they asked for.")
async def audit(interaction: discord.Interaction, user: discord.User | None = None) -> None:
    """Show what was asked for."""
    await _rules(interaction)
    bot = answering.bot_of(interaction)
    async with bot.database.transaction() as connection:
        number = user.id if user else None
        found = await prompts.of_guild(connection, interaction.guild_id or 0, number)
    lines = [f"{one.created:%Y-%m-%d %H:%M} {one.user_id} {one.kind} {one.prompt}" for one in found]
    file = discord.File(io.BytesIO("\n".join(lines).encode()), "prompts.txt")
    await answering.say(interaction, f"{counted(len(lines), 'prompt')}, newest first.", file=file)


@group.command(description="The rules of this server.")
async def show(interaction: discord.Interaction) -> None:
    """Show all rules."""
    known = await _rules(interaction)
    embed = discord.Embed(title="Rules of this server")
    roles = [f"<@&{key}>: {_told(value)}" for key, value in known.limits.items()]
    embeds.fields(
        embed,
        limits="\n".join(roles),
        **{name: plain(", ".join(getattr(known, name))) for name in LISTS},
        emojis=", ".join(f"{key}: {value}" for key, value in known.emojis.items()),
        roles=", ".join(f"{key}: <@&{value}>" for key, value in known.roles.items()),
        news=f"<#{known.news_channel}>" if known.news_channel else None,
        workers=f"<#{known.alert_channel}>" if known.alert_channel else None,
        login_needed="yes" if known.login_needed else None,
        prompts_kept=known.prompt_days,
    )
    if not embed.fields:
        embed.description = "None of its own."
    await answering.say(interaction, embed=embed)


def _told(value: RoleLimits) -> str:
    said = value.model_dump(exclude_none=True)
    return cut(", ".join(f"{name} {amount}" for name, amount in said.items()), 200)


async def _rules(interaction: discord.Interaction) -> Rules:
    """Acknowledge, and get the rules for who may change them. Raises Refused."""
    await answering.defer(interaction, ephemeral=True)
    if interaction.guild_id is None or not interaction.permissions.manage_guild:
        raise Refused("Only who may manage this server can do that.")
    return await answering.bot_of(interaction).rules.of(interaction.guild_id)


async def _set(interaction: discord.Interaction, changed: Rules, said: str) -> None:
    bot = answering.bot_of(interaction)
    await bot.rules.set(interaction.guild_id or 0, changed)
    await answering.say(interaction, said)


COMMANDS: tuple[Any, ...] = (group,)
