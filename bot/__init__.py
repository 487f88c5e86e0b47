"""The Discord bot: a client of a horde, and of Discord. It keeps no rule of the horde itself."""
