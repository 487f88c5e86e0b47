from core.features import OURS
from core.features import SAMPLERS as TABLE
from worker.image.samplers import SAMPLERS


def test_what_the_table_says_of_our_worker_is_served():
    ours = {name for name, one in TABLE.items() if one.since is None or OURS in one.since}
    assert SAMPLERS.keys() == ours


def test_what_is_not_what_its_name_says_says_so():
    assert {name for name, sampler in SAMPLERS.items() if sampler.instead} == {
        "k_dpm_fast",
        "k_dpm_adaptive",
        "k_dpmpp_2s_a",
    }
