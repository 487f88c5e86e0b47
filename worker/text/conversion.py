"""Converts a llama's GGUF file to a transformers folder, without torch.

The weights become 16-bit safetensors, and the vocabulary a fast tokenizer (transformers' own
conversion takes minutes, at every start).
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np
from gguf import GGUFReader, ReaderTensor, dequantize
from safetensors.numpy import save_file
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers

NAMES: Final = {
    "token_embd": "model.embed_tokens",
    "output_norm": "model.norm",
    "output": "lm_head",
    "attn_q": "self_attn.q_proj",
    "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj",
    "attn_norm": "input_layernorm",
    "ffn_norm": "post_attention_layernorm",
    "ffn_gate": "mlp.gate_proj",
    "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj",
}
BLOCK: Final = re.compile(r"(?:blk\.(?P<block>\d+)\.)?(?P<name>\w+)\.weight")
CONTROL: Final = 3
"""GGUF's type of tokens without text."""
ENDS: Final = ("<|im_end|>", "<|endoftext|>")
"""Tokens that end a text: the end of a turn, and of a document."""


class Unknown(ValueError):
    """The file has a part that is not converted here."""


def convert(gguf: Path, folder: Path) -> None:
    """Write a folder with the model of a GGUF file. Raises Unknown."""
    reader = GGUFReader(gguf)
    said = {name: field.contents() for name, field in reader.fields.items()}
    if (said["general.architecture"], said["tokenizer.ggml.pre"]) != ("llama", "smollm"):
        raise Unknown(f"{gguf}: neither a llama nor SmolLM's tokenizer")
    config = _config(said, tied="output.weight" not in {one.name for one in reader.tensors})
    folder.mkdir()
    save_file(dict(_tensors(reader, config)), folder / "model.safetensors", {"format": "pt"})
    _tokenizer(said).save(str(folder / "tokenizer.json"))
    _write(folder / "config.json", config)
    _write(folder / "tokenizer_config.json", _tokenizer_config(said))


def _config(said: dict[str, Any], *, tied: bool) -> dict[str, Any]:
    tokens = said["tokenizer.ggml.tokens"]
    return {
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "dtype": "float16",
        "vocab_size": len(tokens),
        "hidden_size": said["llama.embedding_length"],
        "intermediate_size": said["llama.feed_forward_length"],
        "num_hidden_layers": said["llama.block_count"],
        "num_attention_heads": said["llama.attention.head_count"],
        "num_key_value_heads": said["llama.attention.head_count_kv"],
        "max_position_embeddings": said["llama.context_length"],
        "rms_norm_eps": said["llama.attention.layer_norm_rms_epsilon"],
        "rope_parameters": {"rope_type": "default", "rope_theta": said["llama.rope.freq_base"]},
        "tie_word_embeddings": tied,
        "bos_token_id": said["tokenizer.ggml.bos_token_id"],
        "eos_token_id": [tokens.index(end) for end in ENDS],
        "pad_token_id": said["tokenizer.ggml.padding_token_id"],
    }


def _tensors(reader: GGUFReader, config: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """The weights under transformers' names, in 16 bits, which are more than they had."""
    heads = {"attn_q": config["num_attention_heads"], "attn_k": config["num_key_value_heads"]}
    for tensor in reader.tensors:
        match = BLOCK.fullmatch(tensor.name)
        if match is None or match["name"] not in NAMES:
            raise Unknown(f"no place for the weights {tensor.name}")
        layer = "" if match["block"] is None else f"model.layers.{match['block']}."
        weights = _values(tensor)
        if match["name"] in heads:
            weights = _unpaired(weights, heads[match["name"]])
        yield f"{layer}{NAMES[match['name']]}.weight", np.ascontiguousarray(weights, np.float16)


def _values(tensor: ReaderTensor) -> Any:  # noqa: ANN401 - a numpy array
    return dequantize(tensor.data, tensor.tensor_type)


def _unpaired(weights: Any, heads: int) -> Any:  # noqa: ANN401 - numpy arrays
    """Undo GGUF's order of rows, in which each rotary pair's rows are neighbours."""
    rows, columns = weights.shape
    paired = weights.reshape(heads, rows // heads // 2, 2, columns)
    return paired.swapaxes(1, 2).reshape(rows, columns)


def _tokenizer(said: dict[str, Any]) -> Tokenizer:
    """Build byte-level BPE over digits that stand alone, as SmolLM's tokenizer does."""
    tokens: list[str] = said["tokenizer.ggml.tokens"]
    merges = [tuple(merge.split(" ", 1)) for merge in said["tokenizer.ggml.merges"]]
    vocabulary = {token: number for number, token in enumerate(tokens)}
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=merges))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Digits(individual_digits=True),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    kinds = zip(tokens, said["tokenizer.ggml.token_type"], strict=True)
    control = [token for token, kind in kinds if kind == CONTROL]
    tokenizer.add_special_tokens([AddedToken(token, normalized=False) for token in control])
    return tokenizer


def _tokenizer_config(said: dict[str, Any]) -> dict[str, Any]:
    tokens = said["tokenizer.ggml.tokens"]
    return {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "bos_token": tokens[said["tokenizer.ggml.bos_token_id"]],
        "eos_token": tokens[said["tokenizer.ggml.eos_token_id"]],
        "pad_token": tokens[said["tokenizer.ggml.padding_token_id"]],
        "unk_token": tokens[said["tokenizer.ggml.unknown_token_id"]],
        "chat_template": said["tokenizer.chat_template"],
        "clean_up_tokenization_spaces": False,
        "model_max_length": said["llama.context_length"],
    }


def _write(path: Path, content: dict[str, Any]) -> None:
    path.write_text(json.dumps(content, indent=2), encoding="utf-8")
