"""Looks at language models in llama.cpp's format, of which only the beginning is read."""

from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

from worker.image.inspection import NotUsable
from worker.text.order import GgufModel

ENDING: Final = ".gguf"
LIBRARY: Final = "llama_cpp"
SMALLEST_CONTEXT: Final = 512
"""Tokens, of a file that does not say how many it can look back on."""


def inspect(name: str, file: Path) -> GgufModel:
    """See that a file is a language model, whole, and that it can be run. Raises NotUsable."""
    if find_spec(LIBRARY) is None:
        raise NotUsable(f"{file}: it needs the extra gguf: pip install 'stable-horde[gguf]'")
    # Late: whoever has no such file does without numpy in this process.
    from gguf import GGUFReader  # noqa: PLC0415

    try:
        reader = GGUFReader(file)
    except Exception as error:  # a broken file fails in as many ways as a file can be broken
        raise NotUsable(f"{file} is no whole file of llama.cpp: {error}") from error
    architecture = _said(reader, "general.architecture")
    if not architecture or not reader.tensors:
        raise NotUsable(f"{file} is no language model")
    context = _said(reader, f"{architecture}.context_length") or SMALLEST_CONTEXT
    chats = reader.get_field("tokenizer.chat_template") is not None
    return GgufModel(name, file, context=int(context), chats=chats)


def _said(reader: Any, key: str) -> Any:  # noqa: ANN401 - whatever the file has there
    field = reader.get_field(key)
    return None if field is None else field.contents()
