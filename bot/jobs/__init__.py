"""Requests of the horde that somebody at Discord waits for."""
