"""Publish and subscribe: in one process, or between processes by Redis or PostgreSQL.

An event says that something changed and where to look; a result is never stored in it alone. So a
subscriber that missed events reads the database and has lost nothing.
"""

from core.events.bus import Bus, LocalBus, PostgresBus, RedisBus, connect

__all__ = ["Bus", "LocalBus", "PostgresBus", "RedisBus", "connect"]
