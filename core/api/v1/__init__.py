"""The API of 2022, as a thin translation onto version 2. A server there is a worker here.

Its first generation (v1a) also had some of the paths without a prefix and below /api/latest.
"""

from quart import Blueprint

from core.api.v1 import generate, kudos, rating, servers, status, users, work

ALL = (generate, work, users, servers, kudos, status, rating)
EVERYWHERE = (generate, work, users, servers)
"""The paths that version 1 also served without a prefix."""

PREFIXES = {"/api/v1": ALL, "/api/latest": ALL, "": EVERYWHERE}


def mounted() -> list[tuple[str, Blueprint, str]]:
    """Its blueprints with their prefixes, and a unique name for each."""
    return [
        (
            prefix,
            module.blueprint,
            f"{prefix.removeprefix('/api/') or 'bare'}_{module.blueprint.name}",
        )
        for prefix, modules in PREFIXES.items()
        for module in modules
    ]
