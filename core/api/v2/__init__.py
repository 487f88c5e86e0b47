"""Version 2 of the API: a module for each family of paths, each a blueprint."""

from quart import Blueprint

from core.api.v2 import (
    audit,
    collections,
    documents,
    export,
    filters,
    generate,
    interrogate,
    kudos,
    login,
    messages,
    modes,
    operations,
    pop,
    ratings,
    reference,
    register,
    reports,
    sharedkeys,
    stats,
    status,
    styles,
    submit,
    teams,
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
        export,
        sharedkeys,
        kudos,
        register,
        login,
        messages,
        workers,
        teams,
        styles,
        collections,
        reports,
        status,
        stats,
        documents,
        filters,
        operations,
        modes,
        audit,
        webhooks,
        reference,
        ratings,
    )
    return [module.blueprint for module in modules]
