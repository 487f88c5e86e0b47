"""`horde-worker bench`: the worker against a loop of nothing but the library, on the same jobs."""
