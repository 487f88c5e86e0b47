"""What a style makes of any prompt and any parameters."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.community import templates
from core.kinds import registry
from core.wire.image import ModelGenerationInputStable
from core.wire.styles import ModelStyleInputParamsKobold, ModelStyleInputParamsStable
from core.wire.text import ModelGenerationInputKobold

# Full of braces, placeholders and marks, where templates are easily led astray.
PROMPTS = st.lists(
    st.sampled_from(["{p}", "{np}", "{", "}", "{}", "{x}", "###", "#", "a fox", " ", "\\1", "é"]),
    max_size=8,
).map("".join)
PLAIN = PROMPTS.filter(lambda text: "###" not in text)
TEMPLATES = st.tuples(PLAIN, PLAIN).map(lambda ends: ends[0] + "{p}{np}" + ends[1])


@given(PROMPTS.filter(lambda text: not text.endswith("###")))
def test_the_default_template_changes_nothing(prompt):
    assert templates.fill("{p}{np}", prompt, kind="image") == prompt


@given(PROMPTS)
def test_the_default_template_of_texts_changes_nothing(prompt):
    assert templates.fill("{p}", prompt, kind="text") == prompt


@given(TEMPLATES, PLAIN, PLAIN.filter(bool))
def test_positive_and_negative_prompt_are_in_the_result_to_the_letter(template, prompt, negative):
    filled = templates.fill(template, f"{prompt}###{negative}", kind="image")
    assert f"{prompt}###{negative}" in filled


@given(PLAIN, PLAIN.filter(bool))
def test_a_template_with_a_mark_gets_no_second_one(prompt, negative):
    both = f"{prompt}###{negative}"
    assert templates.fill("{p}###{np}", both, kind="image") == both


# Parts of a template, and what becomes of them.
PARTS = {"{x}": "", "{style_2}": "", "{np}": "", "{}": "{}", "{1}": "{1}", "{a b}": "{a b}"}
PARTS |= {"{ ": "{ ", "} ": "} ", "a fox ": "a fox ", "{p}": None}


@given(st.lists(st.sampled_from(list(PARTS)), max_size=8), PLAIN)
def test_unknown_placeholders_vanish_and_other_braces_stay(parts, prompt):
    expected = "".join(prompt if PARTS[part] is None else PARTS[part] for part in parts)
    for kind in ("image", "text"):
        assert templates.fill("".join(parts), prompt, kind=kind) == expected


@pytest.mark.parametrize(
    ("template", "prompt", "filled"),
    [
        ("{p}, oil{np}", "a fox###blurry", "a fox, oil###blurry"),
        ("{p}, oil{np}", "a fox", "a fox, oil"),
        ("{p}###ugly, {np}", "a fox###blurry", "a fox###ugly, blurry"),
        ("{p}###ugly, {np}", "a fox", "a fox###ugly, "),
        ("{p} {style} {1} {} {a b}{np}", "a fox", "a fox  {1} {} {a b}"),
        ("{p}{np}", "{np} {p} {x}", "{np} {p} {x}"),
        ("{p}{p}{np}", "a###b###c", "aa###b###c"),
    ],
)
def test_pictures(template, prompt, filled):
    assert templates.fill(template, prompt, kind="image") == filled


def test_a_text_has_no_negative_prompt():
    assert templates.fill("Q: {p}{np}\n###A:", "why###?", kind="text") == "Q: why###?\n###A:"


@pytest.mark.parametrize(
    ("kind", "template", "has"),
    [
        ("image", "{p}{np}", True),
        ("image", "{p}", False),
        ("image", "{np}", False),
        ("text", "{p}", True),
        ("text", "p", False),
    ],
)
def test_variables(kind, template, has):
    assert templates.has_variables(template, kind=kind) is has


SIDES = {
    "image": (ModelStyleInputParamsStable, ModelGenerationInputStable),
    "text": (ModelStyleInputParamsKobold, ModelGenerationInputKobold),
}


@pytest.mark.parametrize("kind", SIDES)
def test_what_only_requests_may_say_is_what_styles_cannot(kind):
    style, request = SIDES[kind]
    assert request.model_fields.keys() - style.model_fields.keys() == registry.of(kind).request_only


NAMES = st.sampled_from(["n", "seed", "steps", "width", "height", "cfg_scale", "control_type"])
PARAMS = st.dictionaries(NAMES, st.integers(1, 9))


@given(PARAMS, PARAMS)
def test_the_style_decides_but_for_what_only_the_request_can_say(styled, asked):
    styled = {name: value for name, value in styled.items() if name in ("steps", "width", "height")}
    merged = templates.merge("image", styled, asked)
    for name, value in merged.items():
        if name in styled:
            assert value == styled[name]
        else:
            assert value == asked[name]
            assert name in registry.of("image").request_only | templates.SIZE
    assert styled.items() <= merged.items()
    assert {name for name in asked if name in ("n", "seed", "control_type")} <= merged.keys()
