"""The subcommands of `horde`, one module each."""
