"""Version 2 of the API: a module for each family of paths, each a blueprint."""

from quart import Blueprint

from core.api.v2 import audit, generate, pop, register, status, submit, users, watch, workers


def blueprints() -> list[Blueprint]:
    """All blueprints of version 2, to be mounted below /api/v2."""
    modules = (generate, watch, pop, submit, users, register, workers, status, audit)
    return [module.blueprint for module in modules]
