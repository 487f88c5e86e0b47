import struct

import numpy as np
import pytest

from training import enlarger

LAYERS = """7767517
4 4
Input input 0 1 data
Convolution first 1 1 data a 0=2 1=1 4=0 5=1 6=6
PReLU second 1 1 a b 0=2
PixelShuffle third 1 1 b output 0=1
"""


def test_a_chain_of_layers_is_read_under_its_names():
    kernel = np.arange(6, dtype=np.float16)
    numbers = (
        struct.pack("<I", enlarger.HALF)
        + kernel.tobytes()
        + np.array([7, 8, 0.1, 0.2], np.float32).tobytes()
    )

    weights = dict(enlarger.converted(LAYERS, numbers))

    assert weights["body.0.weight"].shape == (2, 3, 1, 1)
    assert weights["body.0.weight"].ravel().tolist() == [0, 1, 2, 3, 4, 5]
    assert weights["body.0.bias"].tolist() == [7, 8]
    assert weights["body.1.weight"] == pytest.approx([0.1, 0.2])


def test_numbers_that_no_layer_wants_are_refused():
    numbers = struct.pack("<I", 0) + np.zeros(11, np.float32).tobytes()

    with pytest.raises(ValueError, match="layers for"):
        dict(enlarger.converted(LAYERS, numbers))
