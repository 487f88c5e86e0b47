"""The `horde` command: starts a whole horde on this machine, and is a client of any horde."""
