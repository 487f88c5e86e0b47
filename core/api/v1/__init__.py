"""The API of 2022, as a thin translation onto what version 2 does. A server there is a worker here.

Its first generation (v1a) had some of the paths also without a prefix and below /api/latest.
"""

from quart import Blueprint

from core.api.v1 import generate, kudos, rating, servers, status, users, work

ALL = (generate, work, users, servers, kudos, status, rating)
EVERYWHERE = (generate, work, users, servers)
"""What version 1 also served without a prefix."""

PREFIXES = {"/api/v1": ALL, "/api/latest": ALL, "": EVERYWHERE}


def mounted() -> list[tuple[str, Blueprint, str]]:
    """Where its blueprints go: prefix, blueprint, and a name that is unique among all."""
    return [
        (
            prefix,
            module.blueprint,
            f"{prefix.removeprefix('/api/') or 'bare'}_{module.blueprint.name}",
        )
        for prefix, modules in PREFIXES.items()
        for module in modules
    ]
