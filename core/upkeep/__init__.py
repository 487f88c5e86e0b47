"""Periodic work: expiry, stale attempts, speed, roll-ups, pictures. One process does it at a time."""
