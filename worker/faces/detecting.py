"""Finds faces, by three networks of which each looks closer: MTCNN (arXiv:1604.02878).

In the engine process only: uses torch. The weights are those of the package facenet-pytorch (MIT);
the package itself is for older versions of torch.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional

from worker.renderer import CannotLoad

Floats: TypeAlias = NDArray[np.float32]

LOOKED_AT: Final = 1024
"""Pixels of the longer side of the copy in which faces are looked for."""
MIN_FACE: Final = 32
"""Pixels of a side of the smallest face there that is found."""
SMALLER: Final = 0.709
"""From one copy to the next: half of the area."""
FIRST, SECOND, THIRD = 12, 24, 48
"""Pixels of a side that each network sees."""
STRIDE: Final = 2
"""Between two places at which the first network looks."""
SURE: Final = (0.6, 0.7, 0.85)
"""How sure each of them has to be, 0 to 1."""
MAX_CANDIDATES: Final = 1024
MAX_FACES: Final = 32


@dataclass(frozen=True)
class Face:
    """A face. points: its eyes, nose and corners of the mouth, each x and y, from the left."""

    points: Floats


class Detector:
    """The networks, on the CPU: they are small. Raises CannotLoad."""

    def __init__(self, folder: Path) -> None:
        try:
            self._first = _First().read(folder / "pnet.pt")
            self._second = _Second().read(folder / "rnet.pt")
            self._third = _Third().read(folder / "onet.pt")
        except Exception as error:  # a broken file fails in as many ways as a file can be broken
            raise CannotLoad(f"{folder}: {type(error).__name__}") from error

    def find(self, image: Image.Image) -> list[Face]:
        """Find the faces of an RGB picture, the surest first."""
        small = image.copy()
        small.thumbnail((LOOKED_AT, LOOKED_AT), Image.Resampling.BILINEAR)
        levels = torch.from_numpy(np.array(small, dtype=np.float32)).permute(2, 0, 1)[None]
        with torch.inference_mode():
            pixels = (levels - 127.5) / 128
            found = self._candidates(pixels)
            for network, side, sure in (
                (self._second, SECOND, SURE[1]),
                (self._third, THIRD, SURE[2]),
            ):
                found = self._closer(network, side, sure, pixels, found)
        scale = np.array(image.size, np.float32) / np.array(small.size, np.float32)
        return [Face((one * scale).astype(np.float32)) for one in found.points[:MAX_FACES]]

    def _candidates(self, pixels: Tensor) -> "_Found":
        """Let the first network look at copies of all sizes."""
        scale, parts = FIRST / MIN_FACE, []
        while min(pixels.shape[-2:]) * scale >= FIRST:
            size = [max(FIRST, round(side * scale)) for side in pixels.shape[-2:]]
            moved, likely = self._first(functional.interpolate(pixels, size, mode="area"))
            likely = likely[0, 1]
            rows, columns = (likely >= SURE[0]).nonzero(as_tuple=True)
            corners = torch.stack((columns, rows), dim=1) * STRIDE
            boxes = torch.cat((corners, corners + FIRST), dim=1) / scale
            part = _Found(
                boxes.numpy().astype(np.float32),
                likely[rows, columns].numpy(),
                moved[0, :, rows, columns].T.numpy(),
            )
            parts.append(part.best(0.5))
            scale *= SMALLER
        if not parts:
            return _Found.nothing()
        return _Found.together(parts).best(0.7).moved()

    def _closer(
        self, network: "_Network", side: int, sure: float, pixels: Tensor, found: "_Found"
    ) -> "_Found":
        """Let a network look at candidates; of those that it is sure of, it says more."""
        if not len(found.boxes):
            return found
        seen = torch.cat([_cut(pixels, box, side) for box in found.boxes])
        moved, likely, *points = network(seen)
        good = (likely[:, 1] >= sure).numpy()
        boxes = found.boxes[good]
        closer = _Found(boxes, likely[:, 1].numpy()[good], moved.numpy()[good])
        if points:
            sides = boxes[:, None, 2:] - boxes[:, None, :2]
            inside = points[0].numpy()[good].reshape(-1, 2, 5).transpose(0, 2, 1)
            closer.points = boxes[:, None, :2] + inside * sides
            return closer.best(0.5, of_smaller=True)
        return closer.best(0.7).moved()


class _Found:
    """Candidates: left, top, right and bottom; how likely each is; how it should be moved."""

    def __init__(self, boxes: Floats, likely: Floats, moves: Floats) -> None:
        self.boxes = boxes
        self.points: Floats = np.zeros((len(boxes), 5, 2), np.float32)
        self.likely = likely
        self.moves = moves

    @staticmethod
    def nothing() -> "_Found":
        """Give no candidates."""
        return _Found(
            np.zeros((0, 4), np.float32), np.zeros(0, np.float32), np.zeros((0, 4), np.float32)
        )

    @staticmethod
    def together(parts: "list[_Found]") -> "_Found":
        """Put candidates together."""
        return _Found(
            np.concatenate([one.boxes for one in parts]),
            np.concatenate([one.likely for one in parts]),
            np.concatenate([one.moves for one in parts]),
        )

    def best(self, overlap: float, *, of_smaller: bool = False) -> "_Found":
        """Of those that overlap by more than this part, keep the likeliest; the surest first.

        of_smaller: the part is of the smaller one, and not of both together.
        """
        kept = list(_apart(self.boxes, self.likely, overlap, of_smaller=of_smaller))
        found = _Found(self.boxes[kept], self.likely[kept], self.moves[kept])
        found.points = self.points[kept]
        return found

    def moved(self) -> "_Found":
        """Move them as they should be, and make them square."""
        sides = self.boxes[:, 2:] - self.boxes[:, :2]
        boxes = self.boxes + self.moves * np.tile(sides, 2)
        middle = (boxes[:, :2] + boxes[:, 2:]) / 2
        half = (boxes[:, 2:] - boxes[:, :2]).max(axis=1, keepdims=True) / 2
        square = np.concatenate((middle - half, middle + half), axis=1).astype(np.float32)
        sound = half[:, 0] > 1
        return _Found(square[sound], self.likely[sound], self.moves[sound])


def _apart(boxes: Floats, likely: Floats, overlap: float, *, of_smaller: bool) -> Iterator[int]:
    """Give the places of boxes of which none overlaps a likelier one by more than this part."""
    rest = np.argsort(-likely, kind="stable")[:MAX_CANDIDATES]
    areas = np.prod(boxes[:, 2:] - boxes[:, :2], axis=1)
    while len(rest):
        best, rest = rest[0], rest[1:]
        yield int(best)
        least = np.maximum(boxes[best, :2], boxes[rest, :2])
        most = np.minimum(boxes[best, 2:], boxes[rest, 2:])
        common = np.prod(np.maximum(most - least, 0), axis=1)
        smaller, both = np.minimum(areas[best], areas[rest]), areas[best] + areas[rest] - common
        rest = rest[common <= overlap * (smaller if of_smaller else both)]


def _cut(pixels: Tensor, box: Floats, side: int) -> Tensor:
    """Cut a square out, and scale it; what is beyond the picture is black."""
    left, top, right, bottom = (round(float(edge)) for edge in box)
    high, wide = pixels.shape[-2:]
    inner = pixels[..., max(0, top) : max(0, bottom), max(0, left) : max(0, right)]
    beyond = (max(0, -left), max(0, right - wide), max(0, -top), max(0, bottom - high))
    whole = functional.pad(inner, beyond, value=-127.5 / 128)
    if not whole.shape[-1] or not whole.shape[-2]:
        whole = pixels.new_full((1, 3, side, side), -127.5 / 128)
    return functional.interpolate(whole, (side, side), mode="area")


class _Network(nn.Module):  # type: ignore[misc]  # untyped
    """One of the three."""

    def read(self, file: Path) -> "_Network":
        """Read the weights, of which nothing but tensors is read."""
        self.load_state_dict(torch.load(file, map_location="cpu", weights_only=True))
        return self.eval()  # type: ignore[no-any-return]


class _First(_Network):
    def __init__(self) -> None:
        super().__init__()
        self.conv1, self.prelu1 = nn.Conv2d(3, 10, 3), nn.PReLU(10)
        self.conv2, self.prelu2 = nn.Conv2d(10, 16, 3), nn.PReLU(16)
        self.conv3, self.prelu3 = nn.Conv2d(16, 32, 3), nn.PReLU(32)
        self.conv4_1, self.conv4_2 = nn.Conv2d(32, 2, 1), nn.Conv2d(32, 4, 1)

    def forward(self, seen: Tensor) -> tuple[Tensor, Tensor]:
        half = functional.max_pool2d(self.prelu1(self.conv1(seen)), 2, 2, ceil_mode=True)
        features = self.prelu3(self.conv3(self.prelu2(self.conv2(half))))
        return self.conv4_2(features), self.conv4_1(features).softmax(dim=1)


class _Second(_Network):
    def __init__(self) -> None:
        super().__init__()
        self.conv1, self.prelu1 = nn.Conv2d(3, 28, 3), nn.PReLU(28)
        self.conv2, self.prelu2 = nn.Conv2d(28, 48, 3), nn.PReLU(48)
        self.conv3, self.prelu3 = nn.Conv2d(48, 64, 2), nn.PReLU(64)
        self.dense4, self.prelu4 = nn.Linear(576, 128), nn.PReLU(128)
        self.dense5_1, self.dense5_2 = nn.Linear(128, 2), nn.Linear(128, 4)

    def forward(self, seen: Tensor) -> tuple[Tensor, Tensor]:
        large = functional.max_pool2d(self.prelu1(self.conv1(seen)), 3, 2, ceil_mode=True)
        small = functional.max_pool2d(self.prelu2(self.conv2(large)), 3, 2, ceil_mode=True)
        features = self.prelu4(self.dense4(_columns_first(self.prelu3(self.conv3(small)))))
        return self.dense5_2(features), self.dense5_1(features).softmax(dim=1)


class _Third(_Network):
    def __init__(self) -> None:
        super().__init__()
        self.conv1, self.prelu1 = nn.Conv2d(3, 32, 3), nn.PReLU(32)
        self.conv2, self.prelu2 = nn.Conv2d(32, 64, 3), nn.PReLU(64)
        self.conv3, self.prelu3 = nn.Conv2d(64, 64, 3), nn.PReLU(64)
        self.conv4, self.prelu4 = nn.Conv2d(64, 128, 2), nn.PReLU(128)
        self.dense5, self.prelu5 = nn.Linear(1152, 256), nn.PReLU(256)
        self.dense6_1, self.dense6_2 = nn.Linear(256, 2), nn.Linear(256, 4)
        self.dense6_3 = nn.Linear(256, 10)

    def forward(self, seen: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        large = functional.max_pool2d(self.prelu1(self.conv1(seen)), 3, 2, ceil_mode=True)
        middle = functional.max_pool2d(self.prelu2(self.conv2(large)), 3, 2, ceil_mode=True)
        small = functional.max_pool2d(self.prelu3(self.conv3(middle)), 2, 2, ceil_mode=True)
        features = self.prelu5(self.dense5(_columns_first(self.prelu4(self.conv4(small)))))
        likely = self.dense6_1(features).softmax(dim=1)
        return self.dense6_2(features), likely, self.dense6_3(features)


def _columns_first(features: Tensor) -> Tensor:
    """Put a picture's numbers in the order in which the weights have them."""
    return features.permute(0, 3, 2, 1).flatten(1)
