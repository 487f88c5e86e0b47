"""Networks that look at pictures, of random weights: the real architectures, a few numbers wide."""


def build(folder, name, *, finds=None):
    """Write the folder of a network. finds: what a checker finds unsafe: all, or nothing."""
    import torch
    from safetensors.torch import save_file

    torch.manual_seed(0)
    folder.mkdir(parents=True)
    makers = {"blip": _blip, "clip": _clip, "safety_checker": _checker}
    network = makers[name](folder)
    if finds is not None:  # likenesses are between -1 and 1
        network.concept_embeds_weights.data.fill_(-2.0 if finds else 2.0)
    network.save_pretrained(folder)
    if name == "clip":
        judge = {"weight": torch.ones(1, 16), "bias": torch.tensor([5.0])}
        save_file(judge, folder / "aesthetic.safetensors")
    return folder


def _vision():
    return {
        "hidden_size": 16,
        "intermediate_size": 16,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "image_size": 32,
        "patch_size": 16,
        "projection_dim": 16,
    }


def _clip_config():
    from transformers import CLIPConfig

    text = {
        "vocab_size": 100,
        "hidden_size": 16,
        "intermediate_size": 16,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "max_position_embeddings": 16,
        "projection_dim": 16,
        "bos_token_id": 92,
        "eos_token_id": 93,
        "pad_token_id": 93,
    }
    return CLIPConfig(text_config=text, vision_config=_vision(), projection_dim=16)


def _clip(folder):
    from transformers import CLIPModel

    import tiny_random

    tiny_random.tokenizer(folder).save_pretrained(folder)
    return CLIPModel(_clip_config())


def _checker(folder):
    from diffusers.pipelines.stable_diffusion.safety_checker import StableDiffusionSafetyChecker

    return StableDiffusionSafetyChecker(_clip_config())


def _blip(folder):
    from transformers import BertTokenizer, BlipConfig, BlipForConditionalGeneration

    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "fox", "house", "##s"]
    (folder / "vocab.txt").write_text("\n".join(words))
    BertTokenizer(str(folder / "vocab.txt")).save_pretrained(folder)
    text = {
        "vocab_size": len(words),
        "hidden_size": 16,
        "encoder_hidden_size": 16,
        "intermediate_size": 16,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "max_position_embeddings": 128,
        "bos_token_id": 2,
        "sep_token_id": 3,
        "eos_token_id": 3,
        "pad_token_id": 0,
    }
    return BlipForConditionalGeneration(
        BlipConfig(text_config=text, vision_config=_vision(), projection_dim=16)
    )
