from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.catalog import agents

REGEN = "AI Horde Worker reGen"


@pytest.mark.parametrize(
    ("declared", "has", "lacks", "factor"),
    [
        (f"{REGEN}:13:x", {"r2", "lora", "flux", "post:RestoreFormer"}, set(), Fraction(1)),
        (f"{REGEN}:14.2:x", {"r2", "post:RestoreFormer"}, set(), Fraction(1)),
        (f"{REGEN}:9:x", {"flux"}, {"post:RestoreFormer"}, Fraction(9, 10)),
        (f"{REGEN}:2:x", {"lora"}, {"lora_versions", "sampler:lcm"}, Fraction(9, 10)),
        (f"{REGEN}:1:x", {"r2", "controlnet"}, {"lora"}, Fraction(9, 10)),
        (f"{REGEN}:0:x", {"karras"}, {"r2"}, Fraction(9, 10)),
        ("AI Horde Worker:22:x", {"r2", "lora"}, {"lora_versions"}, Fraction(3, 4)),
        ("AI Horde Worker:10:x", {"karras"}, {"r2"}, Fraction(3, 4)),
        (
            "Stable Horde Worker:1:x",
            {"r2", "img2img", "sampler:lcm", "post:NMKD_Siax"},
            {"lora", "post:GFPGAN"},
            Fraction(1),
        ),
        (
            "AI Horde Worker~unknown:24:x",
            {"r2", "img2img", "lora_versions"},
            {agents.VALIDATED},
            Fraction(3, 4),
        ),
        ("AI Horde Worker~aphrodite~oai:1:x", {agents.VALIDATED}, {"r2"}, Fraction(3, 4)),
        (f"{REGEN}~mine:13:x", {"r2", "post:RestoreFormer"}, set(), Fraction(3, 4)),
        ("~AI Horde Worker:24:x", {"karras"}, {"r2"}, Fraction(3, 4)),
        ("somebody's:99:x", {"karras", "sampler:k_euler"}, {"r2", "img2img"}, Fraction(3, 4)),
        ("unknown:0:unknown", {"karras"}, {"r2"}, Fraction(3, 4)),
    ],
)
def test_what_programs_can_do(declared, has, lacks, factor):
    agent = agents.agent(declared)
    assert has <= agent.features
    assert not lacks & agent.features
    assert agent.reward_factor == factor


@pytest.mark.parametrize("declared", ["", ":", "::", f"{REGEN}", f"{REGEN}:", f"{REGEN}:x:y"])
def test_what_cannot_be_read_can_do_little(declared):
    assert agents.agent(declared).features == agents.SAMPLERS


@given(st.text(max_size=1000) | st.from_regex(r"AI Horde Worker reGen:\d{1,1000}(:.*)?"))
def test_reading_never_fails(declared):
    assert agents.agent(declared).features >= agents.SAMPLERS
