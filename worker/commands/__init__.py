"""What `horde-worker` can do: one module for each of its commands."""
