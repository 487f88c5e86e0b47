"""Pictures as networks of CLIP's kind are shown them. Uses torch.

Not by the libraries' own classes, which need torchvision.
"""

from typing import Final

import numpy as np
import torch
from PIL import Image, ImageOps
from torch import Tensor

MEAN: Final = (0.48145466, 0.4578275, 0.40821073)
DEVIATION: Final = (0.26862954, 0.26130258, 0.27577711)
"""Of the pictures that CLIP and BLIP were trained on (arXiv:2103.00020)."""


def middle(image: Image.Image, side: int) -> Image.Image:
    """Cut the middle out of a picture, as a square of so many pixels a side."""
    return ImageOps.fit(image, (side, side), Image.Resampling.BICUBIC)


def pixels(image: Image.Image, device: str) -> Tensor:
    """Give an RGB picture's pixels as networks take them: (1, 3, height, width)."""
    levels = np.asarray(image, dtype=np.float32) / 255
    ready = (levels - np.array(MEAN, np.float32)) / np.array(DEVIATION, np.float32)
    return torch.from_numpy(ready).permute(2, 0, 1)[None].to(device)
