"""Version 2 of the API: a module for each family of paths, each a blueprint."""

from quart import Blueprint

from core.api.v2 import (
    audit,
    filters,
    generate,
    interrogate,
    modes,
    operations,
    pop,
    reference,
    register,
    stats,
    status,
    submit,
    text,
    users,
    watch,
    webhooks,
    workers,
)


def blueprints() -> list[Blueprint]:
    """All blueprints of version 2, to be mounted below /api/v2."""
    modules = (
        generate,
        watch,
        pop,
        submit,
        text,
        interrogate,
        users,
        register,
        workers,
        status,
        stats,
        audit,
        webhooks,
        reference,
    )
    return [module.blueprint for module in modules]
