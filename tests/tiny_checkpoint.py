"""A Stable Diffusion 1 of random weights as one file, with the names that such files have.

The layers are the real ones, each a few numbers wide.
"""

import re
import warnings

WIDTHS = (16, 16, 32, 32)
CONTEXT = 24

UNET = {
    r"^time_embedding\.linear_1": "time_embed.0",
    r"^time_embedding\.linear_2": "time_embed.2",
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
    """Write the checkpoint, and the folder without weights that says what it is."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from safetensors.torch import save_file

        pipeline = _pipeline(configuration)
    tensors = {
        f"model.diffusion_model.{_unet(k)}": v for k, v in pipeline.unet.state_dict().items()
    }
    for name, tensor in pipeline.vae.state_dict().items():
        named = _vae(name)
        flat = "attn_1" in named and ".norm" not in named and tensor.ndim == 2
        tensors[f"first_stage_model.{named}"] = tensor[:, :, None, None] if flat else tensor
    for name, tensor in pipeline.text_encoder.state_dict().items():
        inner = name.removeprefix("text_model.")
        tensors[f"cond_stage_model.transformer.text_model.{inner}"] = tensor
    save_file({name: tensor.contiguous() for name, tensor in tensors.items()}, file)
    return pipeline


def _pipeline(configuration):
    import torch
    from diffusers import (
        AutoencoderKL,
        PNDMScheduler,
        StableDiffusionPipeline,
        UNet2DConditionModel,
    )
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
    vae = AutoencoderKL(
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        block_out_channels=(8, 8, 16, 16),
        layers_per_block=2,
        latent_channels=4,
        norm_num_groups=4,
        sample_size=64,
    )
    pipeline = StableDiffusionPipeline(
        vae=vae,
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


def _unet(name):
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
        lambda at: f"output_blocks.{3 * int(at[1]) + 2}.{1 if at[1] == '0' else 2}",
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
