"""The life of a request in five steps: ask, pop, submit, status, cancel. Here the parts meet."""
