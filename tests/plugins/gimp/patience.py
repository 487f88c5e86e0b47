"""Waiting for what nobody tells: what another process has written, what a screen shows."""

import time

SECONDS = 120


def until(happens):
    """Ask until something is the case, and what it is."""
    ends = time.monotonic() + SECONDS
    while not (found := happens()):
        assert time.monotonic() < ends
        time.sleep(0.1)
    return found
