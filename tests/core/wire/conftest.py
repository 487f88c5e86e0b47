"""The contract as it is written down, and the classes of the wire by its names."""

import importlib
import pkgutil

import pytest
from pydantic import BaseModel

import core.wire
import shapes


@pytest.fixture(scope="session")
def contract():
    return shapes.load()


@pytest.fixture(scope="session")
def wire_classes():
    """Every model of the wire by its class's name."""
    found = {}
    for module in pkgutil.iter_modules(core.wire.__path__, "core.wire."):
        for value in vars(importlib.import_module(module.name)).values():
            if isinstance(value, type) and issubclass(value, BaseModel):
                assert found.setdefault(value.__name__, value) is value
    return found
