"""What a worker gets for being there, for each 600 s."""

IMAGE = 5000
IMAGE_MODEL = 200
IMAGE_LORA = 3000


def image_reward(models: int, *, lora: bool) -> int:
    """Hundredths of a kudos for a worker that makes pictures: 50, 2 a model, 30 for LoRAs."""
    return IMAGE + IMAGE_MODEL * models + (IMAGE_LORA if lora else 0)
