"""What a worker gets for being there."""

import pytest

from core.kudos import uptime


@pytest.mark.parametrize(
    ("models", "lora", "kudos"), [(1, False, 52), (10, False, 70), (10, True, 100)]
)
def test_image_workers(models, lora, kudos):
    assert uptime.image_reward(models, lora=lora) == kudos * 100


@pytest.mark.parametrize(
    ("context", "billions", "validated", "kudos"),
    [
        (2048, 7, True, 55),  # 25 + 15 * 2
        (2048, 70, True, 550),
        (2048, 0.1, True, 13.75),  # no less than a quarter
        (2048, 7, False, 16.5),
        (2048, None, True, 27.5),
        (10**9, 7, True, 25 + 15 * 256),
    ],
)
def test_text_workers(context, billions, validated, kudos):
    reward = uptime.text_reward(context, billions=billions, validated=validated)
    assert reward == kudos * 100
