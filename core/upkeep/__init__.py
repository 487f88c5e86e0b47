"""Periodic work: expiry, stale attempts, speed, roll-ups, pictures; one process at a time."""
