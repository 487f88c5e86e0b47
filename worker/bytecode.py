"""Keeps compiled modules where Python itself would compile them at every start.

Installers that do not compile, and containers in which nothing is written beside the sources, leave
the engine's libraries uncompiled: their import then takes twice as long.
"""

import importlib.util
import os
import sys
from pathlib import Path

from worker.settings import cache_dir


def keep(library: str) -> None:
    """Keep what is compiled from now on in the user's cache, where it would be lost otherwise.

    library: one that is to be imported; where it was compiled at its installation, so were others.
    """
    spec = importlib.util.find_spec(library)
    if spec is None or spec.origin is None:
        return
    beside = Path(importlib.util.cache_from_source(spec.origin))
    is_lost = sys.dont_write_bytecode or not os.access(beside.parent.parent, os.W_OK)
    if is_lost and not beside.exists():
        sys.pycache_prefix = str(cache_dir() / "bytecode")
        sys.dont_write_bytecode = False
