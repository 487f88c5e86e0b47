"""A llama of random weights in llama.cpp's format, which knows bytes only."""

import numpy as np

TEMPLATE = "{% for turn in messages %}<{{ turn.role }}>{{ turn.content }}{% endfor %}"
WIDTH, INNER, BLOCKS, HEADS, CONTEXT = 32, 64, 2, 4, 256


def build(file, *, chats=True, seed=0):
    """Write a model whose only special token, `<end>`, ends a text."""
    from gguf import GGUFWriter, TokenType
    from tokenizers import pre_tokenizers

    words = [*sorted(pre_tokenizers.ByteLevel.alphabet()), "<end>"]
    writer = GGUFWriter(file, "llama")
    writer.add_context_length(CONTEXT)
    writer.add_embedding_length(WIDTH)
    writer.add_feed_forward_length(INNER)
    writer.add_block_count(BLOCKS)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(HEADS)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_vocab_size(len(words))
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    writer.add_token_list(words)
    writer.add_token_types([TokenType.NORMAL] * (len(words) - 1) + [TokenType.CONTROL])
    writer.add_token_merges(["a b"])
    writer.add_eos_token_id(len(words) - 1)
    writer.add_add_bos_token(value=False)
    if chats:
        writer.add_chat_template(TEMPLATE)
    random = np.random.default_rng(seed)

    def weights(name, *shape):
        numbers = np.ones(shape) if len(shape) == 1 else 0.4 * random.standard_normal(shape)
        writer.add_tensor(f"{name}.weight", numbers.astype(np.float32))

    weights("token_embd", len(words), WIDTH)
    weights("output_norm", WIDTH)
    weights("output", len(words), WIDTH)
    for block in range(BLOCKS):
        for name in ("attn_norm", "ffn_norm"):
            weights(f"blk.{block}.{name}", WIDTH)
        for name in ("attn_q", "attn_k", "attn_v", "attn_output"):
            weights(f"blk.{block}.{name}", WIDTH, WIDTH)
        for name in ("ffn_gate", "ffn_up"):
            weights(f"blk.{block}.{name}", INNER, WIDTH)
        weights(f"blk.{block}.ffn_down", WIDTH, INNER)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
