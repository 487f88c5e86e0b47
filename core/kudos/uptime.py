"""What a worker gets for each 600 s of uptime, in hundredths of a kudos."""

IMAGE = 5000
IMAGE_MODEL = 200
IMAGE_LORA = 3000

TEXT = 2500
TEXT_CONTEXT = 1500
"""For each 1024 tokens of context."""
MAX_CONTEXT = 262_144
UNKNOWN_MODEL = 0.5
UNVALIDATED = 0.3
BILLIONS = 7.0
"""The size of model that is paid in full; others are paid in proportion, the smallest a quarter."""
MIN_FACTOR = 0.25

ALCHEMY = 4000
"""All of it to spend, for untrusted owners too: forms earn little otherwise."""


def image_reward(models: int, *, lora: bool) -> int:
    """For a worker that makes pictures: 50 kudos, 2 a model, 30 for LoRAs."""
    return IMAGE + IMAGE_MODEL * models + (IMAGE_LORA if lora else 0)


def text_reward(context: int, *, billions: float | None, validated: bool) -> int:
    """For a worker that writes.

    context: tokens at most.
    billions: size of its largest known model, None if the horde knows none of them.
    validated: its program is known to write with the model that it says.
    """
    reward = TEXT + TEXT_CONTEXT * min(context, MAX_CONTEXT) / 1024
    if billions is None:
        return round(reward * UNKNOWN_MODEL)
    validity = 1.0 if validated else UNVALIDATED
    return round(reward * validity * max(MIN_FACTOR, billions / BILLIONS))
