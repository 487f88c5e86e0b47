import ast
from pathlib import Path
from typing import get_args

import pytest

from core import features
from core.kudos.prices import NEWEST
from core.wire.alchemy import Form
from core.wire.image import ControlType, PostProcessor, Sampler

ROOT = Path(__file__).parents[2]
NAMES = {*features.SAMPLERS, *features.POST_PROCESSORS, *features.CONTROL_TYPES, *features.FORMS}


@pytest.mark.parametrize(
    ("literal", "table"),
    [
        (Sampler, features.SAMPLERS),
        (PostProcessor, features.POST_PROCESSORS),
        (ControlType, features.CONTROL_TYPES),
        (Form, features.FORMS),
    ],
)
def test_the_wire_knows_what_the_table_has(literal, table):
    assert get_args(literal) == tuple(table)


def test_every_form_costs_what_the_price_table_has():
    assert all(getattr(NEWEST, form.rate) > 0 for form in features.FORMS.values())


def test_a_post_processor_is_a_form_that_enlarges_as_much():
    for name, processor in features.POST_PROCESSORS.items():
        form = features.FORMS[name]
        assert (form.makes_picture, form.enlarges_by) == (True, processor.enlarges_by)


def test_lists_of_features_stand_nowhere_else():
    """A list, set or mapping that names three or more of them belongs in the table.

    Exempt is what only a worker's renderers know of a sampler, a map or a form, by name.
    """
    found = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in _modules()
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.List | ast.Set | ast.Tuple | ast.Dict) and len(_named(node)) > 2
    ]
    assert found == []


def _modules():
    renderers = (
        *("image/samplers.py", "image/annotators.py", "alchemy/alchemist.py"),
        *("proxy/a1111.py", "proxy/comfyui.py"),
    )
    own = {ROOT / "core/features.py", *(ROOT / "worker" / its for its in renderers)}
    for package in ("core", "worker", "cli", "web"):
        yield from (path for path in (ROOT / package).rglob("*.py") if path not in own)


def _named(node):
    parts = node.keys if isinstance(node, ast.Dict) else node.elts
    texts = {part.value for part in parts if isinstance(part, ast.Constant)}
    return texts & (NAMES - {"depth", "normal", "nsfw", "caption"})  # words of other things, too
