"""Models of random weights with ControlNets that fit them.

Levels, heads and norms are as in the real ones, each a few numbers wide.
"""

import tiny_checkpoint
import tiny_families


def _sd():
    from diffusers import UNet2DConditionModel

    return UNet2DConditionModel(
        sample_size=8,
        block_out_channels=(32, 32, 64, 64),
        cross_attention_dim=32,
        attention_head_dim=8,
    )


def _sdxl():
    from diffusers import UNet2DConditionModel

    return UNet2DConditionModel(
        sample_size=8,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
        block_out_channels=(32, 64),
        transformer_layers_per_block=(1, 2),
        cross_attention_dim=32 + 16,
        attention_head_dim=(1, 1),
        use_linear_projection=True,
        addition_embed_type="text_time",
        addition_time_embed_dim=256,
        projection_class_embeddings_input_dim=24 + 6 * 256,
    )


def unet(family):
    """A denoiser of the family `sd` or `sdxl`."""
    import torch

    torch.manual_seed(1)
    return {"sd": _sd, "sdxl": _sdxl}[family]()


def model(folder, family):
    """Make a model's folder of such a family; gives its denoiser."""
    {"sd": tiny_families.sd, "sdxl": tiny_families.sdxl}[family](folder)
    denoiser = unet(family)
    denoiser.save_pretrained(folder / "unet")
    return denoiser


def network(denoiser):
    """A ControlNet for a denoiser."""
    import torch
    from diffusers import ControlNetModel

    torch.manual_seed(2)
    made = ControlNetModel.from_unet(denoiser)
    # A fresh one sees nothing, and holds to nothing.
    torch.nn.init.normal_(made.controlnet_cond_embedding.conv_out.weight, std=100.0)
    for layer in (*made.controlnet_down_blocks, made.controlnet_mid_block):
        torch.nn.init.normal_(layer.weight)
    return made


def save(made, file, *, theirs):
    """Write a ControlNet as one file. theirs: with its first authors' names, not diffusers'."""
    from safetensors.torch import save_file

    named = tiny_checkpoint.control if theirs else str
    weights = {named(name): one.contiguous() for name, one in made.state_dict().items()}
    file.parent.mkdir(parents=True, exist_ok=True)
    save_file(weights, file)
    return file
