"""Looks at files of tensors, and makes diffusers folders of checkpoints that are one file."""

import asyncio
import struct
import sys
import zipfile
from asyncio.subprocess import PIPE
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from worker.downloads.parts import CannotFetch
from worker.environment import prepare_environment
from worker.image import inspection
from worker.image.inspection import NotUsable
from worker.image.library import FOLDERS

CONFIGURATIONS: Final = Path(__file__).parent / "configurations"
UNET: Final = "model.diffusion_model."
CONTEXT: Final = f"{UNET}input_blocks.4.1.transformer_blocks.0.attn2.to_k.weight"
FIRST: Final = f"{UNET}input_blocks.0.0.weight"
WIDTHS: Final = {768: "sd1", 1024: "sd2", 2048: "sdxl"}
"""Numbers that its text encoders give for each token, and which architecture that is."""
CHANNELS: Final = (4, 9)
"""That denoisers take: the latents of a picture; for inpainting also a mask and what is to stay."""
BEGIN_WITH: Final = {".onnx": b"\x08", ".gguf": b"GGUF"}
"""What files begin with: those of ONNX have the number of their form's version first."""
VELOCITY: Final = "v_pred"
"""An empty tensor by which the makers of XL models say that theirs predicts velocities."""


@dataclass(frozen=True)
class Shape:
    """What a checkpoint is, by its tensors.

    architecture: a folder of CONFIGURATIONS.
    prediction: what its denoiser predicts, where the file says that.
    """

    architecture: str
    prediction: str = ""


def header(file: Path) -> dict[str, Any]:
    """Read what a safetensors file says it has, and see that it is whole. Raises CannotFetch."""
    try:
        return inspection.tensors(file)
    except NotUsable as error:
        raise CannotFetch(str(error)) from None
    except OSError as error:
        raise CannotFetch(f"{file}: {error.strerror}") from None
    except (ValueError, KeyError, TypeError, AttributeError, struct.error):
        raise CannotFetch(f"{file.name} is no whole safetensors file") from None


def see_tensors(file: Path) -> None:
    """See that a file is what it is called. Raises CannotFetch.

    Of a `.pth` nothing is read but tensors, when it is loaded; here it is an archive at least.
    """
    if file.suffix == ".safetensors":
        header(file)
    elif file.suffix in BEGIN_WITH:
        beginning = BEGIN_WITH[file.suffix]
        with file.open("rb") as opened:
            if opened.read(len(beginning)) != beginning:
                raise CannotFetch(f"{file.name} is no {file.suffix[1:].upper()} file")
    elif not zipfile.is_zipfile(file):
        raise CannotFetch(f"{file.name} is no archive of tensors")


def shape(file: Path) -> Shape:
    """Say what a checkpoint is. Raises CannotFetch for what cannot be served."""
    tensors = header(file)
    if any(".lora_" in name for name in tensors):
        raise CannotFetch(
            f"{file.name} is a LoRA: put it into {FOLDERS['lora']} below one of model_dirs"
        )
    if not any(name.startswith(UNET) for name in tensors):
        raise CannotFetch(f"{file.name} is no whole checkpoint of a kind that is served here")
    try:
        width, channels = tensors[CONTEXT]["shape"][1], tensors[FIRST]["shape"][1]
    except (KeyError, IndexError, TypeError):
        raise CannotFetch(
            f"{file.name} is no Stable Diffusion 1, 2 or XL: single files of others are not served"
        ) from None
    if width not in WIDTHS:
        raise CannotFetch(f"{file.name} has a text encoder of {width} numbers, which is not known")
    if channels not in CHANNELS:
        raise CannotFetch(f"{file.name} takes {channels} channels: more than a picture and a mask")
    return Shape(WIDTHS[width], "v_prediction" if VELOCITY in tensors else "")


async def unpack(file: Path, folder: Path, configuration: Path | None = None) -> None:
    """Make a diffusers folder of a checkpoint, in a process that imports torch.

    configuration: a folder without weights that says what it is; by default one of ours.
    Raises CannotFetch.
    """
    prediction = ""
    if configuration is None:
        found = await asyncio.to_thread(shape, file)
        configuration = CONFIGURATIONS / found.architecture
        prediction = found.prediction
    channels = (await asyncio.to_thread(header, file))[FIRST]["shape"][1]
    prepare_environment()
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", "-m", "worker.downloads.unpacking"),
        *(str(file), str(configuration), str(folder), str(channels), prediction),
        stdout=PIPE,
        stderr=PIPE,
    )
    try:
        _, failed = await process.communicate()
    except BaseException:
        process.kill()
        await process.wait()
        raise
    if process.returncode:
        reason = failed.decode(errors="replace").strip().rpartition("\n")[2]
        raise CannotFetch(f"{file.name} cannot be read as a {configuration.name}: {reason}")
