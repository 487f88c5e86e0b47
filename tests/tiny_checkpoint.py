"""A Stable Diffusion 1 or XL of random weights as one file, with the names that such files have.

The layers are the real ones, each a few numbers wide.
"""

import re
import warnings

WIDTHS = (16, 16, 32, 32)
CONTEXT = 24

UNET = {
    r"^time_embedding\.linear_1": "time_embed.0",
    r"^time_embedding\.linear_2": "time_embed.2",
    r"^add_embedding\.linear_1": "label_emb.0.0",
    r"^add_embedding\.linear_2": "label_emb.0.2",
    r"^conv_in": "input_blocks.0.0",
    r"^conv_norm_out": "out.0",
    r"^conv_out": "out.2",
    r"^mid_block\.attentions\.0": "middle_block.1",
    r"^mid_block\.resnets\.0": "middle_block.0",
    r"^mid_block\.resnets\.1": "middle_block.2",
}
RESNET = {
    "norm1": "in_layers.0",
    "conv1": "in_layers.2",
    "norm2": "out_layers.0",
    "conv2": "out_layers.3",
    "time_emb_proj": "emb_layers.1",
    "conv_shortcut": "skip_connection",
}
OPEN_CLIP = {
    "embeddings.token_embedding.weight": "token_embedding.weight",
    "embeddings.position_embedding.weight": "positional_embedding",
    "final_layer_norm.weight": "ln_final.weight",
    "final_layer_norm.bias": "ln_final.bias",
    "text_projection.weight": "text_projection",
}
OPEN_CLIP_LAYER = {
    "encoder.layers.": "transformer.resblocks.",
    "self_attn.out_proj": "attn.out_proj",
    "layer_norm": "ln_",
    "mlp.fc1": "mlp.c_fc",
    "mlp.fc2": "mlp.c_proj",
}
VAE = {
    "conv_shortcut": "nin_shortcut",
    "conv_norm_out": "norm_out",
    r"mid_block\.attentions\.0\.": "mid.attn_1.",
    r"mid_block\.resnets\.0\.": "mid.block_1.",
    r"mid_block\.resnets\.1\.": "mid.block_2.",
    r"attn_1\.group_norm": "attn_1.norm",
    r"attn_1\.to_q": "attn_1.q",
    r"attn_1\.to_k": "attn_1.k",
    r"attn_1\.to_v": "attn_1.v",
    r"attn_1\.to_out\.0": "attn_1.proj_out",
}


def build(file, configuration):
    """Write a Stable Diffusion 1, and the folder without weights that says what it is."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from safetensors.torch import save_file

        pipeline = _pipeline(configuration)
    tensors = _of_both(pipeline)
    for name, tensor in pipeline.text_encoder.state_dict().items():
        inner = name.removeprefix("text_model.")
        tensors[f"cond_stage_model.transformer.text_model.{inner}"] = tensor
    save_file({name: tensor.contiguous() for name, tensor in tensors.items()}, file)
    return pipeline


def build_xl(file, configuration):
    """Write a Stable Diffusion XL, and the folder without weights that says what it is."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from safetensors.torch import save_file

        pipeline = _pipeline_xl(configuration)
    tensors = _of_both(pipeline, upsampler=(2, 2))
    for name, tensor in pipeline.text_encoder.state_dict().items():
        inner = name.removeprefix("text_model.")
        tensors[f"conditioner.embedders.0.transformer.text_model.{inner}"] = tensor
    for name, tensor in _open_clip(pipeline.text_encoder_2.state_dict()):
        tensors[f"conditioner.embedders.1.model.{name}"] = tensor
    save_file({name: tensor.contiguous() for name, tensor in tensors.items()}, file)
    return pipeline


def _of_both(pipeline, *, upsampler=(1, 2)):
    """The denoiser and the autoencoder. upsampler: its place in the first block, and in others."""
    tensors = {
        f"model.diffusion_model.{_unet(name, upsampler)}": tensor
        for name, tensor in pipeline.unet.state_dict().items()
    }
    for name, tensor in pipeline.vae.state_dict().items():
        named = _vae(name)
        flat = "attn_1" in named and ".norm" not in named and tensor.ndim == 2
        tensors[f"first_stage_model.{named}"] = tensor[:, :, None, None] if flat else tensor
    return tensors


def _open_clip(weights):
    """The second text encoder, as OpenCLIP names and joins its weights."""
    import torch

    for name, tensor in weights.items():
        inner = name.removeprefix("text_model.")
        if inner in OPEN_CLIP:
            yield OPEN_CLIP[inner], tensor.T if inner == "text_projection.weight" else tensor
        elif ".k_proj." in inner or ".v_proj." in inner:
            continue
        elif ".q_proj." in inner:
            joined = [weights[name.replace(".q_proj.", f".{part}_proj.")] for part in "qkv"]
            layer, _, kind = inner.removeprefix("encoder.layers.").partition(".self_attn.q_proj.")
            yield f"transformer.resblocks.{layer}.attn.in_proj_{kind}", torch.cat(joined)
        elif inner.startswith("encoder.layers."):
            for ours, theirs in OPEN_CLIP_LAYER.items():
                inner = inner.replace(ours, theirs)
            yield inner, tensor


def _pipeline(configuration):
    import torch
    from diffusers import PNDMScheduler, StableDiffusionPipeline, UNet2DConditionModel
    from transformers import CLIPTextConfig, CLIPTextModel

    import tiny_random

    torch.manual_seed(0)
    tokenizer = tiny_random.tokenizer(configuration / "made")
    text = CLIPTextConfig(
        vocab_size=len(tokenizer),
        hidden_size=CONTEXT,
        intermediate_size=32,
        num_hidden_layers=2,
        num_attention_heads=4,
        max_position_embeddings=16,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    unet = UNet2DConditionModel(
        sample_size=8,
        block_out_channels=WIDTHS,
        cross_attention_dim=CONTEXT,
        attention_head_dim=4,
        norm_num_groups=8,
    )
    pipeline = StableDiffusionPipeline(
        vae=_autoencoder(),
        text_encoder=CLIPTextModel(text),
        tokenizer=tokenizer,
        unet=unet,
        scheduler=PNDMScheduler(
            beta_start=0.00085,
            beta_end=0.012,
            beta_schedule="scaled_linear",
            skip_prk_steps=True,
            steps_offset=1,
        ),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )
    pipeline.save_pretrained(configuration, safe_serialization=True)
    for weights in configuration.rglob("*.safetensors"):
        weights.unlink()
    return pipeline


def _pipeline_xl(configuration):
    import torch
    from diffusers import StableDiffusionXLPipeline

    import tiny_families
    import tiny_random

    torch.manual_seed(0)
    words = tiny_random.tokenizer(configuration / "made")
    ids = {"bos": words.bos_token_id, "eos": words.eos_token_id, "pad": words.pad_token_id}
    pipeline = StableDiffusionXLPipeline(
        vae=_autoencoder(force_upcast=True, scaling_factor=0.13025),
        text_encoder=tiny_families.clip(len(words), width=16, **ids),
        text_encoder_2=tiny_families.clip(len(words), width=24, projection=24, **ids),
        tokenizer=words,
        tokenizer_2=words,
        unet=_denoiser_xl(text=16 + 24, pooled=24),
        scheduler=tiny_families.euler(),
        add_watermarker=False,
    )
    pipeline.save_pretrained(configuration, safe_serialization=True)
    for weights in configuration.rglob("*.safetensors"):
        weights.unlink()
    return pipeline


def _denoiser_xl(*, text, pooled):
    from diffusers import UNet2DConditionModel

    return UNet2DConditionModel(
        sample_size=8,
        block_out_channels=(16, 32, 32),
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
        transformer_layers_per_block=(1, 2, 3),
        cross_attention_dim=text,
        attention_head_dim=(2, 4, 4),
        norm_num_groups=8,
        use_linear_projection=True,
        addition_embed_type="text_time",
        addition_time_embed_dim=8,
        projection_class_embeddings_input_dim=pooled + 6 * 8,
    )


def _autoencoder(**config):
    from diffusers import AutoencoderKL

    return AutoencoderKL(
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        block_out_channels=(8, 8, 16, 16),
        layers_per_block=2,
        latent_channels=4,
        norm_num_groups=4,
        sample_size=64,
        **config,
    )


def _unet(name, upsampler):
    for ours, theirs in UNET.items():
        name = re.sub(ours, theirs, name)
    name = re.sub(r"^down_blocks\.(\d)\.(resnets|attentions)\.(\d)", _down, name)
    name = re.sub(r"^up_blocks\.(\d)\.(resnets|attentions)\.(\d)", _up, name)
    name = re.sub(
        r"^down_blocks\.(\d)\.downsamplers\.0\.conv",
        lambda at: f"input_blocks.{3 * (int(at[1]) + 1)}.0.op",
        name,
    )
    name = re.sub(
        r"^up_blocks\.(\d)\.upsamplers\.0",
        lambda at: f"output_blocks.{3 * int(at[1]) + 2}.{upsampler[int(at[1]) > 0]}",
        name,
    )
    if re.match(r"(input|output)_blocks\.\d+\.0\.|middle_block\.[02]\.", name):
        for ours, theirs in RESNET.items():
            name = name.replace(f".{ours}.", f".{theirs}.")
    return name


def _down(at):
    return f"input_blocks.{3 * int(at[1]) + int(at[3]) + 1}.{0 if at[2] == 'resnets' else 1}"


def _up(at):
    return f"output_blocks.{3 * int(at[1]) + int(at[3])}.{0 if at[2] == 'resnets' else 1}"


def control(name):
    """Give a ControlNet's layer the name that its authors gave it."""
    name = re.sub(r"^controlnet_cond_embedding\.conv_in", "input_hint_block.0", name)
    name = re.sub(
        r"^controlnet_cond_embedding\.blocks\.(\d)",
        lambda at: f"input_hint_block.{2 * int(at[1]) + 2}",
        name,
    )
    name = re.sub(r"^controlnet_cond_embedding\.conv_out", "input_hint_block.14", name)
    name = re.sub(r"^controlnet_down_blocks\.(\d+)", r"zero_convs.\1.0", name)
    name = name.replace("controlnet_mid_block", "middle_block_out.0")
    return f"control_model.{_unet(name, (1, 2))}"


def _vae(name):
    name = re.sub(r"down_blocks\.(\d)\.resnets\.", r"down.\1.block.", name)
    name = re.sub(r"down_blocks\.(\d)\.downsamplers\.0\.", r"down.\1.downsample.", name)
    name = re.sub(r"up_blocks\.(\d)\.resnets\.", lambda at: f"up.{3 - int(at[1])}.block.", name)
    name = re.sub(
        r"up_blocks\.(\d)\.upsamplers\.0\.", lambda at: f"up.{3 - int(at[1])}.upsample.", name
    )
    for ours, theirs in VAE.items():
        name = re.sub(ours, theirs, name)
    return name
