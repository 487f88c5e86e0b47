"""Makes a diffusers folder of a checkpoint that is one file. A process of its own: imports torch.

`python -m worker.downloads.unpacking FILE CONFIGURATION FOLDER CHANNELS PREDICTION`; no hub is
asked for anything.
"""

import json
import shutil
import sys
import tempfile
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from worker import bytecode

MERGES: Final = Path(__file__).parent / "configurations" / "merges.txt"
PARTS: Final[Mapping[str, Mapping[str, Any]]] = {
    "StableDiffusionPipeline": {"safety_checker": None, "feature_extractor": None},
    "StableDiffusionXLPipeline": {"add_watermarker": False},
}
"""What is given to the classes that read files, beside the file."""
BEGIN, END = "<|startoftext|>", "<|endoftext|>"


def unpack(
    file: str, configuration: Path, folder: str, channels: int, prediction: str = ""
) -> None:
    """Read the file as the folder without weights says, and write all of it in 16 bits.

    channels: that its denoiser takes.
    prediction: what its denoiser predicts; empty: what the configuration says.
    """
    # Late, so that fewer of their parts are imported; see below.
    import diffusers  # noqa: PLC0415
    import torch  # noqa: PLC0415

    reader = json.loads((configuration / "model_index.json").read_bytes())["_class_name"]
    with tempfile.TemporaryDirectory() as room:
        whole = Path(room) / configuration.name
        shutil.copytree(configuration, whole)
        for tokenizer in whole.glob("tokenizer*"):
            _complete(tokenizer)
        unet = whole / "unet" / "config.json"
        unet.write_text(json.dumps(json.loads(unet.read_bytes()) | {"in_channels": channels}))
        pipeline = getattr(diffusers, reader).from_single_file(
            file,
            config=str(whole),
            local_files_only=True,
            torch_dtype=torch.float16,
            **PARTS[reader],
        )
    if prediction:
        pipeline.scheduler.register_to_config(prediction_type=prediction)
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
    bytecode.keep("torch")
    from worker import lean

    lean.begin()
    unpack(sys.argv[1], Path(sys.argv[2]), sys.argv[3], int(sys.argv[4]), *sys.argv[5:])
