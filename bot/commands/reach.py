"""Where commands are there: in guilds, in direct messages, and for who installed the bot."""

from typing import TypeVar

from discord import app_commands

C = TypeVar("C")


def everywhere(command: C) -> C:
    """Let a command be there in guilds, in direct messages, and for who installed the bot."""
    installs = app_commands.allowed_installs(guilds=True, users=True)
    contexts = app_commands.allowed_contexts(guilds=True, dms=True, private_channels=True)
    return installs(contexts(command))


class Group(app_commands.Group):
    """A group of commands that is there everywhere."""

    def __init__(self, name: str, description: str) -> None:
        super().__init__(
            name=name,
            description=description,
            allowed_installs=app_commands.AppInstallationType(guild=True, user=True),
            allowed_contexts=app_commands.AppCommandContext(
                guild=True, dm_channel=True, private_channel=True
            ),
        )
