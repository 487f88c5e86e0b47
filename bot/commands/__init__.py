"""The commands, one module for each group."""

from typing import TYPE_CHECKING, Any

from discord import app_commands

from bot.commands import imagine

if TYPE_CHECKING:
    from bot.app import HordeBot


def add_to(tree: "app_commands.CommandTree[HordeBot]") -> None:
    """Tell the tree of all commands."""
    every: tuple[Any, ...] = (*imagine.COMMANDS,)
    for command in every:
        tree.add_command(command)
