import torch

from training import muon


def test_steps_are_nearly_orthogonal():
    torch.manual_seed(0)

    values = torch.linalg.svdvals(muon.orthogonal(torch.randn(24, 60)))

    assert values.min() > 0.5
    assert values.max() < 1.4


def test_it_goes_down():
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Linear(8, 8), torch.nn.Linear(8, 8))
    wanted, given = torch.randn(32, 8), torch.randn(32, 8)
    losses = []
    optimizers = muon.optimizers([model], lr=0.02)
    for _ in range(60):
        loss = (model(given) - wanted).square().mean()
        losses.append(loss.item())
        model.zero_grad()
        loss.backward()
        for optimizer in optimizers:
            optimizer.step()

    assert losses[-1] < 0.8 * losses[0]
