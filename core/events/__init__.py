"""Publish and subscribe: in one process, or between processes by Redis or PostgreSQL.

An event says that something changed and where to look; it is never the only place where a result
stands. So a subscriber that missed some reads the database and has lost nothing.
"""

from core.events.bus import Bus, LocalBus, PostgresBus, RedisBus, connect

__all__ = ["Bus", "LocalBus", "PostgresBus", "RedisBus", "connect"]
