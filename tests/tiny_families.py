"""Models of random weights in the true architectures of other families than the shipped one's.

Each is made in seconds, makes pictures of noise, and depends on all that a real one depends on.
"""

from tiny_random import tokenizer

NATIVE = 64


def clip(vocabulary, *, width=32, projection=None, bos, eos, pad):
    """A CLIP text encoder."""
    from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection

    config = CLIPTextConfig(
        vocab_size=vocabulary,
        hidden_size=width,
        intermediate_size=2 * width,
        num_hidden_layers=3,
        num_attention_heads=4,
        max_position_embeddings=16,
        projection_dim=projection or width,
        bos_token_id=bos,
        eos_token_id=eos,
        pad_token_id=pad,
    )
    return CLIPTextModelWithProjection(config) if projection else CLIPTextModel(config)


def _clip_of(words, **sizes):
    ids = {"bos": words.bos_token_id, "eos": words.eos_token_id, "pad": words.pad_token_id}
    return clip(len(words), **sizes, **ids)


def autoencoder(*, channels=4, **config):
    """An autoencoder that makes 8 x 8 pixels of each latent."""
    from diffusers import AutoencoderKL

    return AutoencoderKL(
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        block_out_channels=(4, 4, 8, 8),
        layers_per_block=1,
        latent_channels=channels,
        norm_num_groups=2,
        sample_size=NATIVE,
        **config,
    )


def unet(*, width, channels=4, **config):
    """A denoiser of two levels with attention to a prompt's vectors of this width."""
    from diffusers import UNet2DConditionModel

    return UNet2DConditionModel(
        sample_size=NATIVE // 8,
        in_channels=channels,
        out_channels=4,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
        block_out_channels=(8, 16),
        layers_per_block=1,
        cross_attention_dim=width,
        attention_head_dim=2,
        norm_num_groups=4,
        **config,
    )


def euler(**config):
    from diffusers import EulerDiscreteScheduler

    return EulerDiscreteScheduler(
        beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", **config
    )


def sd(folder, *, seed=0, prediction="epsilon", channels=4, **saved):
    """A Stable Diffusion 1 (or 2, with `v_prediction`); for inpainting, with 9 channels."""
    import torch
    from diffusers import StableDiffusionPipeline

    torch.manual_seed(seed)
    words = tokenizer(folder)
    StableDiffusionPipeline(
        vae=autoencoder(),
        text_encoder=_clip_of(words),
        tokenizer=words,
        unet=unet(width=32, channels=channels),
        scheduler=euler(prediction_type=prediction),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    ).save_pretrained(folder, **{"safe_serialization": True, **saved})
    return folder


def sdxl(folder, *, seed=0, channels=4, **saved):
    """A Stable Diffusion XL; for inpainting, with 9 channels."""
    import torch
    from diffusers import StableDiffusionXLPipeline

    torch.manual_seed(seed)
    words = tokenizer(folder)
    StableDiffusionXLPipeline(
        vae=autoencoder(force_upcast=True),
        text_encoder=_clip_of(words, width=32),
        text_encoder_2=_clip_of(words, width=16, projection=24),
        tokenizer=words,
        tokenizer_2=words,
        unet=unet(
            width=32 + 16,
            channels=channels,
            addition_embed_type="text_time",
            addition_time_embed_dim=8,
            projection_class_embeddings_input_dim=24 + 6 * 8,
            use_linear_projection=True,
        ),
        scheduler=euler(),
        add_watermarker=False,
    ).save_pretrained(folder, **{"safe_serialization": True, **saved})
    return folder


def _word_pieces():
    """A tokenizer for language models: a token for each byte."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    names = ["<pad>", "</s>", "<unk>", *letters]
    made = Tokenizer(models.BPE({name: number for number, name in enumerate(names)}, []))
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    return PreTrainedTokenizerFast(
        tokenizer_object=made,
        pad_token="<pad>",
        eos_token="</s>",
        unk_token="<unk>",
        model_max_length=512,
    )


def flux(folder, *, seed=0, guided=True):
    """A Flux.1: with guidance, or distilled to do without."""
    import torch
    from diffusers import FlowMatchEulerDiscreteScheduler, FluxPipeline, FluxTransformer2DModel
    from transformers import T5Config, T5EncoderModel

    torch.manual_seed(seed)
    words, pieces = tokenizer(folder), _word_pieces()
    t5 = T5EncoderModel(
        T5Config(vocab_size=len(pieces), d_model=32, d_kv=8, d_ff=37, num_layers=2, num_heads=4)
    )
    transformer = FluxTransformer2DModel(
        patch_size=1,
        in_channels=16,
        num_layers=1,
        num_single_layers=1,
        attention_head_dim=16,
        num_attention_heads=2,
        joint_attention_dim=32,
        pooled_projection_dim=32,
        axes_dims_rope=(4, 4, 8),
        guidance_embeds=guided,
    )
    FluxPipeline(
        scheduler=FlowMatchEulerDiscreteScheduler(use_dynamic_shifting=guided),
        vae=autoencoder(channels=4, shift_factor=0.0609, scaling_factor=1.5035),
        text_encoder=_clip_of(words, width=32),
        tokenizer=words,
        text_encoder_2=t5,
        tokenizer_2=pieces,
        transformer=transformer,
    ).save_pretrained(folder, safe_serialization=True)
    return folder


def z_image(folder, *, seed=0):
    """A Z-Image."""
    import torch
    from diffusers import (
        FlowMatchEulerDiscreteScheduler,
        ZImagePipeline,
        ZImageTransformer2DModel,
    )
    from transformers import Qwen3Config, Qwen3Model

    torch.manual_seed(seed)
    pieces = _word_pieces()
    pieces.chat_template = (
        "{% for message in messages %}{{ message['content'] }}{% endfor %}"
        "{% if add_generation_prompt %}</s>{% endif %}"
    )
    language = Qwen3Model(
        Qwen3Config(
            vocab_size=len(pieces),
            hidden_size=16,
            intermediate_size=16,
            num_hidden_layers=2,
            num_attention_heads=2,
            num_key_value_heads=2,
            head_dim=8,
            max_position_embeddings=512,
        )
    )
    transformer = ZImageTransformer2DModel(
        all_patch_size=(2,),
        all_f_patch_size=(1,),
        in_channels=16,
        dim=32,
        n_layers=2,
        n_refiner_layers=1,
        n_heads=2,
        n_kv_heads=2,
        qk_norm=True,
        cap_feat_dim=16,
        rope_theta=256.0,
        t_scale=1000.0,
        axes_dims=[8, 4, 4],
        axes_lens=[256, 32, 32],
    )
    ZImagePipeline(
        scheduler=FlowMatchEulerDiscreteScheduler(shift=3.0),
        vae=autoencoder(channels=16, shift_factor=0.1159, scaling_factor=0.3611),
        text_encoder=language,
        tokenizer=pieces,
        transformer=transformer,
    ).save_pretrained(folder, safe_serialization=True)
    return folder


def _eyes(width):
    """A network that sees pictures of 32 pixels a side."""
    from transformers import CLIPVisionConfig, CLIPVisionModelWithProjection

    return CLIPVisionModelWithProjection(
        CLIPVisionConfig(
            hidden_size=16,
            intermediate_size=16,
            num_hidden_layers=2,
            num_attention_heads=2,
            image_size=32,
            patch_size=8,
            projection_dim=width,
        )
    )


def cascade(folder, *, seed=0, sees=False):
    """A Stable Cascade, both its models in one folder. sees: with the part that sees pictures."""
    import torch
    from diffusers import DDPMWuerstchenScheduler, StableCascadeCombinedPipeline
    from diffusers.models import StableCascadeUNet
    from diffusers.pipelines.deprecated.wuerstchen.modeling_paella_vq_model import PaellaVQModel

    torch.manual_seed(seed)
    words = tokenizer(folder)
    encoder = _clip_of(words, width=32, projection=32)
    prior = StableCascadeUNet(
        conditioning_dim=16,
        block_out_channels=(16, 16),
        num_attention_heads=(2, 2),
        down_num_layers_per_block=(1, 1),
        up_num_layers_per_block=(1, 1),
        clip_image_in_channels=32,
        switch_level=(False,),
        clip_text_in_channels=32,
        clip_text_pooled_in_channels=32,
        dropout=(0.0, 0.0),
    )
    blocks = ("SDCascadeResBlock", "SDCascadeTimestepBlock")
    decoder = StableCascadeUNet(
        in_channels=4,
        out_channels=4,
        conditioning_dim=16,
        block_out_channels=(8, 16, 16, 16),
        num_attention_heads=(-1, -1, 1, 2),
        down_num_layers_per_block=(1, 1, 1, 1),
        up_num_layers_per_block=(1, 1, 1, 1),
        down_blocks_repeat_mappers=(1, 1, 1, 1),
        up_blocks_repeat_mappers=(1, 1, 1, 1),
        block_types_per_layer=(
            blocks,
            blocks,
            (*blocks, "SDCascadeAttnBlock"),
            (*blocks, "SDCascadeAttnBlock"),
        ),
        switch_level=None,
        clip_text_pooled_in_channels=32,
        effnet_in_channels=16,
        dropout=(0.0, 0.0, 0.0, 0.0),
    )
    StableCascadeCombinedPipeline(
        tokenizer=words,
        text_encoder=encoder,
        decoder=decoder,
        scheduler=DDPMWuerstchenScheduler(),
        vqgan=PaellaVQModel(bottleneck_blocks=1, num_vq_embeddings=2),
        prior_prior=prior,
        prior_text_encoder=encoder,
        prior_tokenizer=words,
        prior_scheduler=DDPMWuerstchenScheduler(),
        prior_image_encoder=_eyes(32) if sees else None,
    ).save_pretrained(folder, safe_serialization=True)
    return folder
