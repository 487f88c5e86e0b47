"""Makes a diffusers folder of a checkpoint that is one file. A process of its own: imports torch.

`python -m worker.downloads.unpacking FILE CONFIGURATION FOLDER`; no hub is asked for anything.
"""

import json
import shutil
import sys
import tempfile
import warnings
from pathlib import Path
from typing import Final

import torch
from diffusers import StableDiffusionPipeline

MERGES: Final = Path(__file__).parent / "configurations" / "merges.txt"
BEGIN, END = "<|startoftext|>", "<|endoftext|>"


def unpack(file: str, configuration: Path, folder: str) -> None:
    """Read the file as the folder without weights says, and write all of it in 16 bits."""
    with tempfile.TemporaryDirectory() as room:
        whole = Path(room) / configuration.name
        shutil.copytree(configuration, whole)
        _complete(whole / "tokenizer")
        pipeline = StableDiffusionPipeline.from_single_file(
            file,
            config=str(whole),
            local_files_only=True,
            torch_dtype=torch.float16,
            safety_checker=None,
            feature_extractor=None,
        )
    pipeline.save_pretrained(folder, safe_serialization=True)


def _complete(tokenizer: Path) -> None:
    """Write the words of CLIP's tokenizer, which follow from its pairs, where there are none."""
    if (tokenizer / "vocab.json").is_file() or (tokenizer / "tokenizer.json").is_file():
        return
    shutil.copyfile(MERGES, tokenizer / "merges.txt")
    pairs = MERGES.read_text(encoding="utf-8").splitlines()[1:]
    single = _bytes()
    words = [*single, *(f"{one}</w>" for one in single), *(pair.replace(" ", "") for pair in pairs)]
    numbered = {word: number for number, word in enumerate((*words, BEGIN, END))}
    (tokenizer / "vocab.json").write_text(json.dumps(numbered), encoding="utf-8")


def _bytes() -> list[str]:
    """Give the characters that stand for bytes: those that can be seen, then others."""
    seen = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), 256)]
    others = [chr(256 + number) for number in range(256 - len(seen))]
    return [*map(chr, seen), *others]


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    unpack(sys.argv[1], Path(sys.argv[2]), sys.argv[3])
