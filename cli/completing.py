"""What shells complete: the names of models that are online now, and of what can be asked for."""

from collections.abc import Iterable
from typing import Final

SECONDS: Final = 1.0
"""Nobody waits longer for a completion."""
MAX_BYTES: Final = 1024 * 1024


def models(incomplete: str) -> list[str]:
    """Models for pictures that somebody offers; none where the horde does not answer at once."""
    import json  # noqa: PLC0415 - help would import all of this, too
    import urllib.request  # noqa: PLC0415

    from cli import profiles  # noqa: PLC0415

    try:
        url = f"{profiles.resolve(None, None, None).url}/api/v2/status/models?type=image"
        with urllib.request.urlopen(url, timeout=SECONDS) as answer:  # noqa: S310 - profiles checks it
            found = json.loads(answer.read(MAX_BYTES))
        return _beginning((str(one["name"]) for one in found if one["count"]), incomplete)
    except Exception:  # noqa: BLE001 - whatever is wrong is told when the command runs
        return []


def samplers(incomplete: str) -> list[str]:
    """Samplers."""
    from core.features import SAMPLERS  # noqa: PLC0415

    return _beginning(SAMPLERS, incomplete)


def post_processors(incomplete: str) -> list[str]:
    """Post-processors."""
    from core.features import POST_PROCESSORS  # noqa: PLC0415

    return _beginning(POST_PROCESSORS, incomplete)


def control_types(incomplete: str) -> list[str]:
    """Control types."""
    from core.features import CONTROL_TYPES  # noqa: PLC0415

    return _beginning(CONTROL_TYPES, incomplete)


def forms(incomplete: str) -> list[str]:
    """Forms of alchemy."""
    from core.features import FORMS  # noqa: PLC0415

    return _beginning(FORMS, incomplete)


def _beginning(names: Iterable[str], incomplete: str) -> list[str]:
    wanted = incomplete.lower()
    return [name for name in names if name.isprintable() and name.lower().startswith(wanted)]
