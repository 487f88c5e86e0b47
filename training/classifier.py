"""A small classifier that tells what a picture shows: the judge of the picture model.

It learns from painted scenes only, of another series than the picture model's and with all pairs
of thing and background, held-out ones too; the picture model's own pictures it never sees.
"""

from dataclasses import dataclass
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from training import landscapes, muon, running
from training.composer import Composer
from training.scenes import COLOURS, Planner, Scene

SIDE = 64  # pixels it looks at
SEED = 2  # scenes of its own
BATCH = 48
RATE = 2e-3
SOFT_SHARE = 0.5  # of pictures, blurred; and a little noise on all: generated pictures are softer
NOISE = 0.05  # and rougher than painted ones
COUNTED = [1, 2, 3]
NOTHING = -100  # instead of a class, where a head is not asked


@dataclass(frozen=True)
class Answer:
    """Logits, (n, classes): what is shown, on which ground, in which style, where, how many."""

    objects: Tensor
    grounds: Tensor
    styles: Tensor
    places: Tensor
    counts: Tensor


class Classifier(nn.Module):
    """Five convolutions and five answers. concepts, styles: the words for its classes."""

    def __init__(self, concepts: list[str], styles: list[str]) -> None:
        super().__init__()
        self.concepts, self.grounds, self.styles = concepts, list(COLOURS), styles
        self.places = list(landscapes.shipped())
        widths = (3, 32, 64, 96, 160)
        self.body = nn.Sequential(
            *(
                layer
                for before, after in pairwise(widths)
                for layer in (
                    nn.Conv2d(before, after, 3, stride=2, padding=1),
                    nn.GroupNorm(8, after),
                    nn.SiLU(),
                )
            ),
            nn.Flatten(),
        )
        features = widths[-1] * (SIDE // 16) ** 2
        classes = (concepts, self.grounds, styles, self.places, COUNTED)
        self.heads = nn.ModuleList(nn.Linear(features, len(words)) for words in classes)

    def forward(self, pictures: Tensor) -> Answer:
        """pictures: (n, 3, any, any), -1 to 1."""
        small = F.interpolate(pictures, (SIDE, SIDE), mode="area")
        seen = self.body(small)
        return Answer(*(head(seen) for head in self.heads))

    def targets(self, scenes: list[Scene]) -> tuple[Tensor, ...]:
        """The right classes of scenes, in the order of the heads; NOTHING where there is none."""
        rows = [self._target(scene) for scene in scenes]
        return tuple(torch.tensor(column) for column in zip(*rows, strict=True))

    def _target(self, scene: Scene) -> tuple[int, ...]:
        first = scene.items[0].icon if scene.items else None
        return (
            self.concepts.index(first.concept) if first is not None else NOTHING,
            self.grounds.index(scene.ground) if scene.place is None else NOTHING,
            self.styles.index(first.style) if first is not None else NOTHING,
            self.places.index(scene.place.landscape) if scene.place is not None else NOTHING,
            COUNTED.index(len(scene.items)) if scene.place is None else NOTHING,
        )


def train(composer: Composer, *, steps: int, places: bool = True) -> Classifier:
    """A classifier of the composer's concepts, trained for so many steps.

    places: whether it is shown landscapes, too.
    """
    torch.manual_seed(0)
    concepts = sorted({icon.concept for icon in composer.icons})
    planner = Planner(composer.icons, seed=SEED)
    model = Classifier(concepts, planner.styles).to(composer.device)
    optimizers = muon.optimizers([model], lr=RATE)
    for step in range(steps):
        running.set_rate(optimizers, RATE * (1 - step / steps))
        scenes = [planner.judged(step * BATCH + row, places=places) for row in range(BATCH)]
        pictures = _weathered(composer.paint(scenes, SIDE))
        with running.half_precision(composer.device):
            answer = model(pictures)
        wanted = [target.to(composer.device) for target in model.targets(scenes)]
        losses = [
            F.cross_entropy(logits.float(), right, ignore_index=NOTHING, reduction="sum") / BATCH
            for logits, right in zip(vars(answer).values(), wanted, strict=True)
        ]
        model.zero_grad(set_to_none=True)
        torch.stack(losses).sum().backward()
        for optimizer in optimizers:
            optimizer.step()
    return model.eval()


def _weathered(pictures: Tensor) -> Tensor:
    """Half of the pictures blurred by half, all a little noisy."""
    soft = F.interpolate(F.avg_pool2d(pictures, 2), scale_factor=2, mode="bilinear")
    chosen = torch.rand(len(pictures), 1, 1, 1, device=pictures.device) < SOFT_SHARE
    mixed = torch.where(chosen, soft, pictures)
    return mixed + NOISE * torch.randn_like(mixed)
