"""Every refusal of the core, found by importing all of it."""

import functools
import importlib
import pkgutil

import core
from core.api.errors import status_of
from core.errors import Refusal


@functools.cache
def found():
    """Every kind of refusal and every refusal of a kind."""
    for module in pkgutil.walk_packages(core.__path__, "core."):
        importlib.import_module(module.name)
    known, new = set(), {Refusal}
    while new:
        new = {sub for kind in new for sub in kind.__subclasses__()} - known
        known |= new
    return frozenset(known)


def statuses():
    """The HTTP statuses of each code: most have one."""
    by_code = {}
    for refusal in found():
        by_code.setdefault(refusal.code, set()).add(status_of(refusal))
    return by_code
