"""What workers' programs can do, by name and version, read from the table of features.

Every pop names the worker's program (`bridge_agent`, `name:version:url`). An unknown program is
trusted to sample and nothing more: it gets no request that needs a result by URL, a source picture,
a LoRA and so on. After a `~` a name may add the engine that the program runs: it can do what the
program can. The numbers are those of the contract.
"""

from collections import defaultdict
from collections.abc import Mapping
from enum import Enum
from typing import NamedTuple

from core import features
from core.features import OURS, REGEN

SAMPLERS = frozenset(
    f"sampler:{name}" for name, sampler in features.SAMPLERS.items() if sampler.since is None
) | {"karras"}
"""The samplers that every program has."""

CHAT = "chat"
"""The feature of programs that put a model's own chat template around a prompt."""

VALIDATED = "validated"
"""The feature of programs that are known to use the text model that they declare."""


def _programs() -> Mapping[str, Mapping[int, frozenset[str]]]:
    """New features by program and version."""
    found: dict[str, dict[int, frozenset[str]]] = defaultdict(dict)
    for feature, since in features.features():
        for program, version in since.items():
            new = found[program]
            new[version] = new.get(version, frozenset()) | {feature}
    return dict(found)


_PROGRAMS = _programs()
OFFICIAL = frozenset({OURS, REGEN})


class Standing(Enum):
    """How a program's age and origin rate its work; the price table has a factor for each."""

    NEWEST = "newest"
    """An official program at its newest version."""
    OLDER = "older"
    """An official program at an older one."""
    OTHER = "other"


class Agent(NamedTuple):
    """A worker's program."""

    name: str
    version: int
    features: frozenset[str]
    standing: Standing


def agent(declared: str) -> Agent:
    """Read a `bridge_agent`. Never fails: an unreadable one is an unknown program."""
    name, _, rest = declared.partition(":")
    digits = rest.partition(":")[0].partition(".")[0]
    version = int(digits) if digits.isascii() and digits.isdecimal() else 0
    return Agent(name, version, _able(name, version) | SAMPLERS, _standing(name, version))


def _able(name: str, version: int) -> frozenset[str]:
    """The features of the program; one with an engine is not validated by its name alone."""
    if name in _PROGRAMS:
        return _known(_PROGRAMS[name], version)
    return _known(_PROGRAMS.get(name.partition("~")[0], {}), version) - {VALIDATED}


def _known(versions: Mapping[int, frozenset[str]], version: int) -> frozenset[str]:
    return frozenset[str]().union(*(new for since, new in versions.items() if since <= version))


def _standing(name: str, version: int) -> Standing:
    if name not in OFFICIAL:
        return Standing.OTHER
    return Standing.NEWEST if version >= max(_PROGRAMS[name]) else Standing.OLDER
