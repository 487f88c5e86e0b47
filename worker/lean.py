"""Has an engine import the model libraries without those of their parts that it does not use.

Whatever they are asked for, diffusers and transformers also import torch's compiler, its
distributed tensors, scipy, and every architecture that they know: two thirds of the time that an
engine takes to start. After `begin`,

- packages in SHALLOW give each of their names when it is asked for, not all of them at once;
- modules in DEFERRED are imported when something of them is used, and not before;
- torch says that it has no distributed part, as it does where it was built without.

It is for a process that is an engine and nothing else, and which compiles no networks.
"""

import ast
import contextlib
import functools
import importlib
import sys
from collections.abc import Callable, Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from types import ModuleType
from typing import Any, Final

import torch

SHALLOW: Final = frozenset(
    f"diffusers.models.{part}" for part in ("autoencoders", "controlnets", "transformers", "unets")
)
"""Packages that consist of imports from their own modules."""
DEFERRED: Final = ("torch._dynamo", "scipy")
"""Modules that are named and hardly ever used, each with all below it."""
MARKS: Final = frozenset({"allow_in_graph", "assume_constant_result", "disable"})
"""What marks functions for torch's compiler, which never sees them here."""


def begin() -> None:
    """From now on, import no more of the libraries than is used."""
    torch.distributed.is_available = lambda: False
    sys.meta_path.insert(0, _Finder())


class _Finder(MetaPathFinder):
    """Finds what is imported in another way than usual."""

    def __init__(self) -> None:
        self._roots = [root for root in DEFERRED if root not in sys.modules]
        self._stand_ins: set[str] = set()

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Find one of SHALLOW and DEFERRED."""
        del target
        if name in SHALLOW:
            spec = PathFinder.find_spec(name, path)
            if spec is None or spec.origin is None:
                return None
            spec.loader = _Shallow(Path(spec.origin))
            return spec
        root = self._root(name)
        if root is None or (name == root and PathFinder.find_spec(name, path) is None):
            return None
        self._stand_ins.add(name)
        return ModuleSpec(name, _Deferring(self), is_package=True)

    def is_deferred(self, name: str) -> bool:
        """Whether a module has not really been imported yet."""
        return self._root(name) is not None

    def imported(self, name: str) -> ModuleType:
        """Import a module after all, and from now on all of its root."""
        root = self._root(name)
        if root is not None:
            self._roots.remove(root)
            for other in [one for one in self._stand_ins if _is_of(one, root)]:
                self._stand_ins.remove(other)
                sys.modules.pop(other, None)  # whoever only asks whether it is there has found it
                parent, _, child = other.rpartition(".")
                with contextlib.suppress(KeyError, AttributeError):
                    delattr(sys.modules[parent], child)
        return importlib.import_module(name)

    def _root(self, name: str) -> str | None:
        return next((root for root in self._roots if _is_of(name, root)), None)


class _Shallow(Loader):
    """Loads a package that imports each of its names when it is asked for."""

    def __init__(self, source: Path) -> None:
        self._source = source

    def exec_module(self, module: ModuleType) -> None:
        """Read where the names come from, and import none of them."""
        homes = {
            alias.asname or alias.name: f".{node.module}"
            for node in ast.walk(ast.parse(self._source.read_bytes()))
            if isinstance(node, ast.ImportFrom) and node.level == 1 and node.module
            for alias in node.names
        }

        def give(name: str) -> Any:  # noqa: ANN401 - whatever the library has by this name
            if name not in homes:
                raise AttributeError(f"module {module.__name__!r} has no attribute {name!r}")
            return getattr(importlib.import_module(homes[name], module.__name__), name)

        module.__getattr__ = give  # type: ignore[method-assign]


class _Deferring(Loader):
    """Loads a module of stand-ins."""

    def __init__(self, finder: _Finder) -> None:
        self._finder = finder

    def exec_module(self, module: ModuleType) -> None:
        """Give a stand-in for whatever is asked for."""

        def give(name: str) -> Any:  # noqa: ANN401 - whatever the library has by this name
            if name.startswith("__"):
                raise AttributeError(name)
            return _mark if name in MARKS else _StandIn(self._finder, module.__name__, name)

        module.__getattr__ = give  # type: ignore[method-assign]


class _StandIn:
    """Stands for something of a deferred module, which is imported once it is used."""

    def __init__(self, finder: _Finder, module: str, path: str) -> None:
        self._finder = finder
        self._module = module
        self._path = path

    def __getattr__(self, name: str) -> "_StandIn":
        if name.startswith("__"):
            raise AttributeError(name)
        return _StandIn(self._finder, self._module, f"{self._path}.{name}")

    def __call__(self, *given: Any, **named: Any) -> Any:  # noqa: ANN401 - as the real one
        return self._real()(*given, **named)

    def __bool__(self) -> bool:
        return bool(self._real())

    def __mro_entries__(self, bases: tuple[Any, ...]) -> tuple[Any, ...]:
        return (self._real(),)

    def __instancecheck__(self, one: object) -> bool:
        # Of a class that has not been imported, there is no instance.
        return not self._finder.is_deferred(self._module) and isinstance(one, self._real())

    def _real(self) -> Any:  # noqa: ANN401 - whatever it is
        module = self._finder.imported(self._module)
        return functools.reduce(getattr, self._path.split("."), module)


def _mark(function: Callable[..., Any] | None = None, *_: Any, **__: Any) -> Any:  # noqa: ANN401 - a decorator
    return (lambda marked: marked) if function is None else function


def _is_of(name: str, root: str) -> bool:
    return name == root or name.startswith(f"{root}.")
