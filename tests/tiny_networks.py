"""Networks of random weights that turn pictures into pictures, of their true layouts, but small."""

import torch

from worker import network_files

SEED = 0


def _realplksr(**options):
    from spandrel.architectures.PLKSR import RealPLKSR

    return RealPLKSR(dim=8, n_blocks=2, upscaling_factor=4, kernel_size=5, **options)


def _dat():
    from spandrel.architectures.DAT import DAT

    size = {"embed_dim": 32, "depth": [1], "num_heads": [2], "split_size": [8, 16]}
    return DAT(**size, expansion_factor=2, upscale=4, upsampler="pixelshuffledirect")


def _span():
    from spandrel.architectures.SPAN import SPAN

    return SPAN(num_in_ch=3, num_out_ch=3, feature_channels=8, upscale=2)


def _swinir():
    from spandrel.architectures.SwinIR import SwinIR

    size = {"embed_dim": 12, "depths": [2], "num_heads": [2], "window_size": 8, "img_size": 64}
    return SwinIR(**size, upscale=4, upsampler="nearest+conv")


def _hat():
    from spandrel.architectures.HAT import HAT

    size = {"embed_dim": 12, "depths": (2,), "num_heads": (2,), "window_size": 8, "img_size": 64}
    blocks = {"compress_ratio": 3, "squeeze_factor": 3}
    return HAT(**size, **blocks, upscale=4, upsampler="pixelshuffle")


def restoreformer():
    """A face fixer."""
    network_files.library()
    from spandrel.architectures.RestoreFormer import RestoreFormer

    size = {"n_embed": 16, "embed_dim": 32, "ch": 32, "num_res_blocks": 1, "z_channels": 32}
    return RestoreFormer(**size, ch_mult=(1, 1, 1, 1, 1, 1))


UPSCALERS = {
    "4xNomosWebPhoto_RealPLKSR": _realplksr,
    "4xNomos2_realplksr_dysample": lambda: _realplksr(dysample=True),
    "4xNomos2_hq_dat2": _dat,
    "2xModernSpanimationV1": _span,
    "NMKD_Siax": _swinir,  # in truth an ESRGAN, as the next one: whatever a file is, it is read
    "4x_AnimeSharp": _hat,
}
"""By names on the horde."""


def save(file, make):
    """Write a network of random weights."""
    network_files.library()  # the networks below are its own
    torch.manual_seed(SEED)
    torch.save({"params": make().state_dict()}, file)
