"""Adaptations and learned words of random weights, in the forms that people share them in."""

PARTS = {
    "unet": "lora_unet",
    "transformer": "lora_transformer",
    "text_encoder": "lora_te",
    "text_encoder_2": "lora_te2",
}
DOTTED = {"unet", "transformer", "text_encoder", "text_encoder_2"}
ENDS = ("to_q", "to_out.0", "q_proj", "fc1", "conv1", "conv2")


def tensors(pipe, *, form="kohya", rank=2, seed=0, size=1.0, parts=DOTTED, alpha=None):
    """The tensors of a LoRA for some of a pipeline's layers. size: of the random numbers."""
    import torch
    from torch import nn

    generator = torch.Generator().manual_seed(seed)
    made = {}
    for part in sorted(parts):
        network = getattr(pipe, part, None)
        for name, module in network.named_modules() if network is not None else ():
            if not name.endswith(ENDS) or not isinstance(module, nn.Linear | nn.Conv2d):
                continue
            shape = (*module.weight.shape[1:],)
            ones = (1, 1) if isinstance(module, nn.Conv2d) else ()
            down = torch.randn(rank, *shape, generator=generator) * size
            up = torch.randn(module.weight.shape[0], rank, *ones, generator=generator) * size
            made |= _named(part, name, down, up, form)
            if alpha is not None and form == "kohya":
                made[f"{_kohya(part, name)}.alpha"] = torch.tensor(float(alpha))
    return made


def _named(part, name, down, up, form):
    if form == "kohya":
        layer = _kohya(part, name)
        return {f"{layer}.lora_down.weight": down, f"{layer}.lora_up.weight": up}
    if form == "peft":
        return {f"{part}.{name}.lora_A.weight": down, f"{part}.{name}.lora_B.weight": up}
    parent, _, last = name.rpartition(".")
    if last == "0":
        parent, _, last = parent.rpartition(".")
    middle = "processor." if part in {"unet", "transformer"} and "attn" in parent else ""
    layer = f"{part}.{parent}.{middle}{last}_lora"
    return {f"{layer}.down.weight": down, f"{layer}.up.weight": up}


def _kohya(part, name):
    inner = f"text_model_{name}" if part.startswith("text") else name
    return f"{PARTS[part]}_{inner.replace('.', '_').removeprefix('text_model_text_model')}"


def save(path, made):
    from safetensors.torch import save_file

    path.parent.mkdir(parents=True, exist_ok=True)
    save_file(made, path)
    return path
