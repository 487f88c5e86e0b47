"""The checks of `horde-worker doctor`."""
