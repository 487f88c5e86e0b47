"""The environment that the engine's libraries find."""

import os
from typing import Final

ENGINE_ENVIRONMENT: Final = {
    # A waiting thread sleeps: spinning ones starve the server beside them.
    "OMP_WAIT_POLICY": "PASSIVE",
    # What convolutions keep for each shape that they have met: a hundred megabytes for the default
    # of 1,024, and one size of a model has fewer shapes than this.
    "ONEDNN_PRIMITIVE_CACHE_CAPACITY": "128",
    # Nothing is fetched behind the operator's back; HF_HUB_OFFLINE=0 lets models come from a hub.
    "HF_HUB_OFFLINE": "1",
    "TRANSFORMERS_VERBOSITY": "error",
}
"""Settings for the engine's libraries, unless the operator's own environment sets them."""


def prepare_environment() -> None:
    """Set environment variables that libraries read when they are imported, in children too."""
    for name, value in ENGINE_ENVIRONMENT.items():
        os.environ.setdefault(name, value)
