"""Moderation: prompts, names, addresses, and the modes of the horde."""
