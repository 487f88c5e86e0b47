"""An upscaler of ESRGAN's architecture with few weights, which enlarges by the nearest pixel.

Its last convolutions pass three channels through, so what it makes is known; the dense blocks have
random weights, whose part can be switched on.
"""

import re

OLDER = {
    r"^conv_first\.": "model.0.",
    r"^body\.(\d+)\.rdb(\d)\.conv(\d)\.": r"model.1.sub.\1.RDB\2.conv\3.0.",
    r"^conv_body\.": "model.1.sub.1.",
    r"^conv_up1\.": "model.3.",
    r"^conv_up2\.": "model.6.",
    r"^conv_hr\.": "model.8.",
    r"^conv_last\.": "model.10.",
}
WIDTH, GROWTH = 4, 32  # the second is all that is read


def weights(*, channels=3, body=0.0):
    """The state dict; body: how much the dense blocks count."""
    import torch

    generator = torch.Generator().manual_seed(0)
    state = {}

    def convolution(name, of, made, scale):
        state[f"{name}.weight"] = scale * torch.randn(made, of, 3, 3, generator=generator)
        state[f"{name}.bias"] = torch.zeros(made)

    convolution("conv_first", channels, WIDTH, 0)
    for dense in (1, 2, 3):
        for number in range(1, 6):
            made = WIDTH if number == 5 else GROWTH
            convolution(f"body.0.rdb{dense}.conv{number}", WIDTH + (number - 1) * GROWTH, made, 0.5)
    convolution("conv_body", WIDTH, WIDTH, body)
    for name in ("conv_up1", "conv_up2", "conv_hr"):
        convolution(name, WIDTH, WIDTH, 0)
    convolution("conv_last", WIDTH, 3, 0)
    for name in ("conv_first", "conv_up1", "conv_up2", "conv_hr", "conv_last"):
        for channel in range(3):
            state[f"{name}.weight"][channel, channel, 1, 1] = 1.0
    return state


def save(file, *, older_names=False, **options):
    """Write the weights as a `.pth` or `.safetensors` file."""
    import torch
    from safetensors.torch import save_file

    state = weights(**options)
    if older_names:
        state = {older(name): tensor for name, tensor in state.items()}
    if file.suffix == ".safetensors":
        save_file(state, file)
    else:
        torch.save({"params_ema": state}, file)


def older(name):
    """A layer's name in ESRGAN's own files."""
    for pattern, replacement in OLDER.items():
        name = re.sub(pattern, replacement, name)
    return name
