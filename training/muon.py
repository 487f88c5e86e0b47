"""Muon: gradient steps made orthogonal, for weights that are matrices or convolutions.

Needs about half the steps of AdamW here. After Keller Jordan et al., "Muon: An optimizer for
hidden layers in neural networks" (https://kellerjordan.github.io/posts/muon/), with the scale of
Liu et al., arXiv:2502.16982, so that one learning rate suits this and AdamW. PyTorch's own Muon
takes no convolutions.
"""

from collections.abc import Iterable

import torch
from torch import Tensor, nn

COEFFICIENTS = (3.4445, -4.7750, 2.0315)  # of the quintic in the post
ITERATIONS = 5


class Muon(torch.optim.Optimizer):
    """For weights of two or more dimensions; biases, norms and embeddings belong in AdamW."""

    def __init__(
        self, weights: Iterable[nn.Parameter], *, lr: float, momentum: float = 0.95
    ) -> None:
        super().__init__(weights, {"lr": lr, "momentum": momentum})

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # noqa: ARG002 - the name is torch's
        """One step for every weight that has a gradient."""
        for group in self.param_groups:
            for weight in group["params"]:
                if weight.grad is None:
                    continue
                state = self.state[weight]
                if not state:
                    state["momentum"] = torch.zeros_like(weight)
                state["momentum"].lerp_(weight.grad, 1 - group["momentum"])
                ahead = weight.grad.lerp(state["momentum"], group["momentum"])
                change = orthogonal(ahead.reshape(len(ahead), -1))
                scale = 0.2 * max(change.shape) ** 0.5
                weight.add_(change.view_as(weight), alpha=-group["lr"] * scale)


def orthogonal(matrix: Tensor) -> Tensor:
    """About the nearest matrix with singular values of one, by Newton and Schulz's iteration."""
    a, b, c = COEFFICIENTS
    tall = matrix.shape[0] > matrix.shape[1]
    near = (matrix.T if tall else matrix).bfloat16()
    near = near / (near.norm() + 1e-7)
    for _ in range(ITERATIONS):
        gram = near @ near.T
        near = a * near + (b * gram + c * gram @ gram) @ near
    return (near.T if tall else near).to(matrix.dtype)


def optimizers(models: Iterable[nn.Module], *, lr: float) -> list[torch.optim.Optimizer]:
    """Muon for the inner matrices of the models, AdamW for everything else."""
    inner: list[nn.Parameter] = []
    other: list[nn.Parameter] = []
    for model in models:
        for name, weight in model.named_parameters():
            outer = "embedding" in name or name.startswith(("conv_in", "conv_out"))
            (other if weight.dim() <= 1 or outer else inner).append(weight)
    return [
        Muon(inner, lr=lr),
        torch.optim.AdamW(other, lr=lr, betas=(0.9, 0.98), weight_decay=0.0),
    ]
