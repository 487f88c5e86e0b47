"""The `horde` command: a client of the REST API, and the one command that starts a private horde."""
