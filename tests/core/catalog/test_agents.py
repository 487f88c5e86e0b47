import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.catalog import agents
from core.catalog.agents import Standing
from core.features import OURS, version_of

REGEN = "AI Horde Worker reGen"


@pytest.mark.parametrize(
    ("declared", "has", "lacks", "standing"),
    [
        (f"{REGEN}:13:x", {"r2", "lora", "flux", "post:RestoreFormer"}, set(), Standing.NEWEST),
        (f"{REGEN}:14.2:x", {"r2", "post:RestoreFormer"}, set(), Standing.NEWEST),
        (f"{REGEN}:9:x", {"flux"}, {"post:RestoreFormer"}, Standing.OLDER),
        (f"{REGEN}:2:x", {"lora"}, {"lora_versions", "sampler:lcm"}, Standing.OLDER),
        (f"{REGEN}:1:x", {"r2", "controlnet"}, {"lora"}, Standing.OLDER),
        (f"{REGEN}:0:x", {"karras"}, {"r2"}, Standing.OLDER),
        ("AI Horde Worker:22:x", {"r2", "lora"}, {"lora_versions"}, Standing.OTHER),
        ("AI Horde Worker:10:x", {"karras"}, {"r2"}, Standing.OTHER),
        (
            "Stable Horde Worker:1:x",
            {"r2", "img2img", "sampler:lcm", "post:NMKD_Siax"},
            {"lora", "flux", "post:GFPGAN"},
            Standing.OLDER,
        ),
        (
            "Stable Horde Worker:4:x",
            {"r2", "lora", "flux", "controlnet", "annotator:canny", "return_control_map"},
            {"qr_code", "layer_diffuse", "extra_source_images", "post:GFPGAN"},
            Standing.OLDER,
        ),
        (
            f"{OURS}:{version_of(OURS)}:x",
            {"remix", "qr_code", "layer_diffuse", "extra_source_images"},
            {"cascade_2pass"},
            Standing.NEWEST,
        ),
        (
            "AI Horde Worker~unknown:24:x",
            {"r2", "img2img", "lora_versions"},
            {agents.VALIDATED},
            Standing.OTHER,
        ),
        ("AI Horde Worker~aphrodite~oai:1:x", {agents.VALIDATED}, {"r2"}, Standing.OTHER),
        (f"{REGEN}~mine:13:x", {"r2", "post:RestoreFormer"}, set(), Standing.OTHER),
        ("~AI Horde Worker:24:x", {"karras"}, {"r2"}, Standing.OTHER),
        ("somebody's:99:x", {"karras", "sampler:k_euler"}, {"r2", "img2img"}, Standing.OTHER),
        ("unknown:0:unknown", {"karras"}, {"r2"}, Standing.OTHER),
    ],
)
def test_what_programs_can_do(declared, has, lacks, standing):
    agent = agents.agent(declared)
    assert has <= agent.features
    assert not lacks & agent.features
    assert agent.standing is standing


@pytest.mark.parametrize("declared", ["", ":", "::", f"{REGEN}", f"{REGEN}:", f"{REGEN}:x:y"])
def test_what_cannot_be_read_can_do_little(declared):
    assert agents.agent(declared).features == agents.SAMPLERS


@given(st.text(max_size=1000) | st.from_regex(r"AI Horde Worker reGen:\d{1,1000}(:.*)?"))
def test_reading_never_fails(declared):
    assert agents.agent(declared).features >= agents.SAMPLERS
