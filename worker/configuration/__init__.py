"""The settings file `worker.toml`: found, made, read, and read again while the worker runs."""
