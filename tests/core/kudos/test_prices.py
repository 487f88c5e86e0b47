"""Golden prices, each worked out by hand from the formula in `core/kudos/prices.py`.

A step costs 4 + 32 a + 17 a² hundredths, where a is the area in megapixels of 1024 x 1024:
512x512 (a = 1/4) 4 + 8 + 1.0625 = 13.0625; 768x768 (9/16) 4 + 18 + 5.37890625 = 27.37890625;
1024x1024 (1) 53; 2048x2048 (4) 4 + 128 + 272 = 404. A picture costs 400 more.
"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.catalog.agents import Standing
from core.kinds import image
from core.kudos import prices
from core.kudos.prices import NEWEST, ImageWork, Terms, TextWork

BASIC = 792  # 512x512, 30 steps
XL = "stable_diffusion_xl"

TERMS = st.builds(
    Terms,
    img2img=st.booleans(),
    upscalers=st.integers(0, 1),
    slow_workers=st.booleans(),
    worker_blacklist=st.booleans(),
    hires_fix=st.booleans(),
    qr_code=st.booleans(),
)


@pytest.mark.parametrize(
    ("size", "steps", "price"),
    [
        (64, 1, 404),  # 400 + 4.125 + 17/65536
        (512, 30, 792),  # 400 + 391.875
        (512, 50, 1053),  # 400 + 653.125
        (512, 8, 505),  # 400 + 104.5: a half goes up
        (768, 30, 1221),  # 400 + 821.3671875
        (1024, 30, 1990),  # 400 + 1590
        (2048, 30, 12520),  # 400 + 12120
        (3072, 500, 834_900),  # a = 9: 400 + 500 * (4 + 288 + 1377)
    ],
)
def test_size_and_steps_decide_the_price(size, steps, price):
    assert prices.image_price(ImageWork(size, size, steps)) == price


@pytest.mark.parametrize(
    ("size", "steps", "kudos"),
    [
        (64, 1, 4.16),
        (512, 30, 7.61),
        (512, 50, 11.00),
        (768, 30, 11.49),
        (1024, 30, 20.74),
        (2048, 30, 125.62),
    ],
)
def test_prices_are_near_what_requesters_are_used_to(size, steps, kudos):
    price = prices.image_price(ImageWork(size, size, steps))
    assert price == pytest.approx(kudos * 100, rel=0.10)


@pytest.mark.parametrize(
    ("features", "price"),
    [
        ({"sampler": "k_heun"}, 1184),  # 400 + 60 * 13.0625 = 1183.75
        ({"sampler": "k_dpm_adaptive"}, 923),  # 400 + 40 * 13.0625 = 922.5
        ({"sampler": "unheard of"}, 792),
        ({"control_type": "canny"}, 1267),  # 791.875 * 1.6
        ({"control_type": "canny", "return_control_map": True}, 792),
        ({"post_processing": ("GFPGAN",)}, 950),  # 791.875 * 1.2 = 950.25
        ({"post_processing": ("GFPGAN", "RealESRGAN_x4plus")}, 1140),  # 950.25 * 1.2 = 1140.3
        ({"hires_fix": True}, 871),  # 791.875 * 1.1 = 871.0625
        ({"loras": 3}, 1692),
        ({"tis": 1}, 892),
        ({"tis": 20}, 892),
        ({"loras": 1, "tis": 2, "post_processing": ("GFPGAN",)}, 1350),  # 950.25 + 300 + 100
    ],
)
def test_features_add_to_the_price(features, price):
    assert prices.image_price(ImageWork(512, 512, 30, **features)) == price


def test_a_map_that_is_returned_needs_a_map():
    assert prices.image_price(ImageWork(512, 512, 30, return_control_map=True)) == BASIC


@pytest.mark.parametrize(
    ("sampler", "steps"),
    [
        ("k_euler", 30),
        ("k_heun", 60),
        ("k_dpm_2", 60),
        ("k_dpm_2_a", 60),
        ("k_dpmpp_2s_a", 60),
        ("k_dpmpp_sde", 60),
        ("k_dpm_adaptive", 40),
    ],
)
def test_some_samplers_run_the_model_more_often(sampler, steps):
    assert image.effective_steps(sampler, 30) == steps


@pytest.mark.parametrize(
    ("baseline", "terms", "factor"),
    [
        ("stable diffusion 1", Terms(), 1),
        ("stable diffusion 2", Terms(hires_fix=True, qr_code=True), 1),
        ("never heard of", Terms(), 1),
        (XL, Terms(), 2),
        (XL, Terms(qr_code=True), 4),
        ("stable_cascade", Terms(), 4),
        ("stable_cascade", Terms(hires_fix=True), 7),
        ("flux_1", Terms(), 8),
        ("z_image_turbo", Terms(), 8),
        ("qwen_image", Terms(), 12),
    ],
)
def test_the_baseline_multiplies_reward_and_charge(baseline, terms, factor):
    assert prices.reward(BASIC, baseline, Standing.NEWEST, terms) == BASIC * factor
    assert prices.charge(BASIC, baseline, terms) == BASIC * factor + 100


@pytest.mark.parametrize(
    ("price", "standing", "reward"),
    [
        (792, Standing.NEWEST, 792),
        (792, Standing.OLDER, 713),  # 712.8
        (792, Standing.OTHER, 594),
        (2, Standing.OTHER, 2),  # 1.5: a half goes up
        (1, Standing.OTHER, 1),  # 0.75
    ],
)
def test_a_workers_software_decides_its_part(price, standing, reward):
    assert prices.reward(price, "stable diffusion 1", standing) == reward


@pytest.mark.parametrize(
    ("terms", "charge"),
    [
        (Terms(), 892),
        (Terms(img2img=True), 1130),  # 792 * 1.3 + 100 = 1129.6
        (Terms(upscalers=1), 932),  # 792 * 1.05 + 100 = 931.6
        (Terms(upscalers=2), 973),  # 792 * 1.1025 + 100 = 973.18
        (Terms(slow_workers=False), 1070),  # 892 * 1.2 = 1070.4
        (Terms(worker_blacklist=True), 981),  # 892 * 1.1 = 981.2
        # (792 * 1.3 * 1.05 + 100) * 1.2 * 1.1 = 1181.08 * 1.32
        (Terms(img2img=True, upscalers=1, slow_workers=False, worker_blacklist=True), 1559),
    ],
)
def test_what_a_requester_wants_adds_to_the_charge(terms, charge):
    assert prices.charge(BASIC, "stable diffusion 1", terms) == charge


@pytest.mark.parametrize(
    ("terms", "charge"),
    [
        (Terms(), 100),
        (Terms(img2img=True, upscalers=1), 100),
        (Terms(slow_workers=False, worker_blacklist=True), 132),
    ],
)
def test_a_censored_picture_costs_the_tax_alone(terms, charge):
    assert prices.charge(BASIC, XL, terms, censored=True) == charge


@pytest.mark.parametrize(
    ("baselines", "n", "estimate"),
    [
        (["stable diffusion 1"], 1, 892),
        (["stable diffusion 1"], 20, 17840),
        (["stable diffusion 1", XL, "stable diffusion 2"], 3, 5052),  # 3 * (792 * 2 + 100)
        ([], 2, 1784),
    ],
)
def test_an_estimate_covers_the_dearest_model(baselines, n, estimate):
    assert prices.estimate(BASIC, baselines, Terms(), n=n) == estimate


def test_an_estimate_of_cascade_knows_its_second_pass():
    terms = Terms(hires_fix=True)
    assert prices.estimate(BASIC, ["flux_1", "stable_cascade"], terms, n=1) == 792 * 8 + 100


@pytest.mark.parametrize(
    ("work", "tax"),
    [
        ({}, 100),
        ({"styled": True}, 300),
        ({"extra_source_images": 2}, 1100),
        ({"extra_source_images": 5, "styled": True}, 2800),
    ],
)
def test_a_request_is_taxed_when_it_is_accepted(work, tax):
    assert prices.request_tax(**work) == tax


@given(
    st.integers(1, 48),
    st.integers(1, 48),
    st.integers(1, 499),
    st.sampled_from(["k_euler", "k_heun"]),
)
def test_more_work_never_costs_less(columns, rows, steps, sampler):
    width, height = 64 * columns, 64 * rows
    price = prices.image_price(ImageWork(width, height, steps, sampler))
    assert type(price) is int
    assert price <= prices.image_price(ImageWork(width + 64, height, steps, sampler))
    assert price <= prices.image_price(ImageWork(width, height, steps + 1, sampler))
    assert price == prices.image_price(ImageWork(height, width, steps, sampler))


@given(st.integers(0, 10**7), TERMS, st.sampled_from([*NEWEST.baselines, "any"]))
def test_a_worker_never_gets_more_than_the_requester_pays(price, terms, baseline):
    for standing in (Standing.NEWEST, Standing.OLDER, Standing.OTHER):
        reward = prices.reward(price, baseline, standing, terms)
        assert type(reward) is int
        assert reward <= prices.charge(price, baseline, terms)


# --- texts and forms ---


@pytest.mark.parametrize(
    ("work", "price"),
    [
        # 80 tokens of 13 thousand million parameters, 1024 tokens read: 80 * 13 / 125 * 2.2
        (TextWork(tokens=80, context=1024, billions=13), 1830),
        # Twice the context: 1.2 + 2.2 = 3.4
        (TextWork(tokens=80, context=2048, billions=13), 2829),
        # Smaller models in proportion, larger ones by (70 / 13) ^ 0.2 = 1.40033 more
        (TextWork(tokens=80, context=1024, billions=1.3), 183),
        (TextWork(tokens=80, context=1024, billions=70), 13802),
        # Nobody knows what the program runs: 0.3 of it
        (TextWork(tokens=80, context=1024, billions=13, validated=False), 549),
        # A model nobody knows: 80 * 2.2 * 0.027 of trusted owners, else 2.2
        (TextWork(tokens=80, context=1024, billions=None), 475),
        (TextWork(tokens=80, context=1024, billions=None, trusted=False), 220),
        # The factor for the context ends at 30
        (TextWork(tokens=100, context=1048576, billions=12.5), 30000),
    ],
)
def test_prices_of_texts(work, price):
    assert prices.text_price(work) == price
    assert prices.text_charge(price) == price + 100


@given(st.integers(1, 4096), st.integers(1, 4095), st.floats(0.1, 700))
def test_more_tokens_never_cost_less(tokens, more, billions):
    less = TextWork(tokens=tokens, context=1024, billions=billions)
    longer = TextWork(tokens=tokens + more, context=1024, billions=billions)
    assert prices.text_price(less) <= prices.text_price(longer)


@pytest.mark.parametrize(
    ("form", "tiles", "price"),
    [("caption", 9, 100), ("interrogation", 9, 300), ("GFPGAN", 1, 300), ("GFPGAN", 6, 1800)],
)
def test_prices_of_forms(form, tiles, price):
    assert prices.form_price(form, tiles=tiles) == price
    assert prices.form_charge(price, slow_workers=False) == price + 100
    assert prices.form_charge(price, slow_workers=True) == price + 200
