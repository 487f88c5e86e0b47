from typing import get_args

from core.wire.image import Sampler
from worker.image.samplers import SAMPLERS


def test_every_sampler_of_the_wire_is_served():
    assert set(SAMPLERS) == set(get_args(Sampler))


def test_what_is_not_what_its_name_says_says_so():
    assert {name for name, sampler in SAMPLERS.items() if sampler.instead} == {
        "k_dpm_fast",
        "k_dpm_adaptive",
        "k_dpmpp_2s_a",
    }
