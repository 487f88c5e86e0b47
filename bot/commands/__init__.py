"""The commands, one module for each group."""

from typing import TYPE_CHECKING, Final

from discord import app_commands

from bot.commands import (
    account,
    admin,
    alchemy,
    community,
    helping,
    history,
    horde,
    imagine,
    kudos,
    party,
    people,
    presets,
    rate,
    text,
    worker,
)

if TYPE_CHECKING:
    from bot.app import HordeBot

MODULES: Final = (
    imagine,
    presets,
    text,
    history,
    alchemy,
    account,
    kudos,
    worker,
    community,
    horde,
    rate,
    party,
    helping,
    people,
    admin,
)
PRESSED: Final = (presets.Panel, rate.Stars)


def add_to(tree: "app_commands.CommandTree[HordeBot]") -> None:
    """Tell the tree of all commands."""
    for module in MODULES:
        for command in module.COMMANDS:
            tree.add_command(command)
