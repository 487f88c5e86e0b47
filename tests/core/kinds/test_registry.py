"""A kind's rules stand with the kind: nothing else asks which kind it has before it."""

import ast
from pathlib import Path

import pytest

from core.generation import kind
from core.kinds import registry
from core.queue.tables import RequestRow

ROOT = Path(__file__).parents[3]
NAMES = {"image", "text", "alchemy"}
PARAMS = {"ImageParams", "TextParams", "AlchemyParams"}
OWN = (
    "core/kinds/",
    "core/generation/pictures.py",
    "core/generation/texts.py",
    "core/generation/forms.py",
    "core/wire/",
    "core/api/v1/",
    "core/api/v2/",
    "worker/crew.py",
    "worker/model_kinds.py",
)
"""The kinds' own modules, what translates between them and the wire, the worker's list of kinds."""


def test_both_registries_have_the_same_kinds():
    assert registry.KINDS.keys() == kind.KINDS.keys() == NAMES
    assert all(its.rules is registry.of(name) for name, its in kind.KINDS.items())


def test_the_queue_has_room_for_each_name():
    assert max(map(len, NAMES)) <= RequestRow.__table__.c.kind.type.length


def test_nothing_else_asks_for_the_kind():
    found = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for package in ("core", "worker")
        for path in (ROOT / package).rglob("*.py")
        if not str(path.relative_to(ROOT)).startswith(OWN)
        for node in ast.walk(ast.parse(path.read_text()))
        if asks_for_the_kind(node)
    ]
    assert found == []


@pytest.mark.parametrize(
    "code",
    [
        'row.kind == "image"',
        'kind not in ("image", "alchemy")',
        "kind == Kind.TEXT",
        'FACTORS = {"image": 1, "text": 2}',
        "isinstance(params, ImageParams)",
        "match params:\n    case TextParams():\n        pass",
    ],
)
def test_it_would_be_found(code):
    assert any(map(asks_for_the_kind, ast.walk(ast.parse(code))))


def asks_for_the_kind(node):
    if isinstance(node, ast.Compare):
        sides = [node.left, *node.comparators]
        return any(map(_is_kind, sides)) and any(map(_names_a_kind, sides))
    if isinstance(node, ast.Dict):
        return len(NAMES & {k.value for k in node.keys if isinstance(k, ast.Constant)}) > 1
    if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "isinstance":
        return any(isinstance(n, ast.Name) and n.id in PARAMS for n in ast.walk(node.args[1]))
    return isinstance(node, ast.MatchClass) and getattr(node.cls, "id", "") in PARAMS


def _is_kind(node):
    return getattr(node, "attr", getattr(node, "id", "")).endswith("kind")


def _names_a_kind(node):
    if isinstance(node, ast.Attribute):
        return getattr(node.value, "id", "") == "Kind"
    return any(isinstance(n, ast.Constant) and n.value in NAMES for n in ast.walk(node))
