"""Scales a picture from the size at which it was made to the one asked for, and beyond.

In the engine process only: enlarging uses torch.
"""

from typing import Final

from PIL import Image

from core.wire.submit import GenerationMetadataStable
from worker import pictures
from worker.image.layers import Drawn, extended
from worker.image.order import PictureOrder
from worker.image.painting import Painting
from worker.image.sizes import Size
from worker.post_processing import REMOVER, BackgroundRemover, PostProcessor
from worker.processing import Processing
from worker.renderer import BrokenResult, CannotLoad, CannotRender, Picture, information
from worker.upscaler import Upscaler

WORTH_IT: Final = 1.5
"""A factor of a side: below it, the filter alone loses nothing visible."""
TAKEN_AWAY: Final = "transparent: drawn on a plain ground, which was taken away"


class Finish:
    """Finishes the pictures of one order.

    made: the size at which they were made.
    notes: what the requester should know about that.
    """

    def __init__(
        self, order: PictureOrder, made: Size, painting: Painting | None, processing: Processing
    ) -> None:
        self._order = order
        self._wanted = Size(order.width, order.height)
        self._painting = painting
        self._processing = processing
        growth = max(order.width / made.width, order.height / made.height)
        # A painted part must fit its surroundings, and a tile its neighbours: networks see neither.
        untouched = painting is None and not order.tiling
        is_free = untouched and order.control is None
        self._enlarger = order.enlarger if untouched and growth >= WORTH_IT else None
        self._is_extended = is_free and order.checkpoint.square_only
        self.notes: tuple[GenerationMetadataStable, ...] = ()
        if made != self._wanted:
            how = "Lanczos" if self._enlarger is None else self._enlarger.name
            if self._is_extended and order.width != order.height:
                how = f"ground continued, {how}"
            self.notes = (information(f"made at {made}, scaled to {self._wanted} ({how})"),)

    def flat(self, made: Image.Image | Drawn) -> Image.Image:
        """Put a picture of layers together, at the size asked for; any other is as it was."""
        if isinstance(made, Image.Image):
            return made
        network = self._enlarger
        return made.picture(
            self._wanted,
            lambda image: image if network is None else self._processed(network, image),
        )

    def __call__(self, image: Image.Image) -> Picture:
        """Finish a picture. Raises CannotRender if an upscaler's weights are broken."""
        if self._painting is not None:
            image = self._painting.finished(image)
        else:
            if self._is_extended:
                image = extended(image, self._wanted)
            wanted = (self._wanted.width, self._wanted.height)
            if self._enlarger is not None and image.size != wanted:
                image = self._processed(self._enlarger, image)
            image = pictures.scaled(image, *wanted, tiling=self._order.tiling)
        if self._order.transparent:
            self._note(TAKEN_AWAY)
            image = self._processed(REMOVER, image)
        for processor in self._order.processors:
            if isinstance(processor, Upscaler):
                image = self._small_enough(image, processor)
            image = self._processed(processor, image)
        return pictures.picture_of(image)

    def _small_enough(self, image: Image.Image, upscaler: Upscaler) -> Image.Image:
        """Shrink a picture that would become larger than the horde accepts."""
        width, height = (side * upscaler.factor for side in image.size)
        if pictures.fits(width, height):
            return image
        wide, high = (side // upscaler.factor for side in pictures.fitting(width, height))
        size = Size(max(1, wide), max(1, high))
        larger = Size(size.width * upscaler.factor, size.height * upscaler.factor)
        self._note(f"{upscaler.name} made {larger}: a picture may have no more pixels")
        return image.resize((size.width, size.height), Image.Resampling.LANCZOS)

    def _processed(self, processor: PostProcessor, image: Image.Image) -> Image.Image:
        try:
            made = self._processing.apply(processor, image)
        except (CannotLoad, BrokenResult) as error:  # for which the checkpoint would be blamed
            raise CannotRender(f"the weights of {processor.name} cannot be used") from error
        except CannotRender as error:  # the picture itself is good
            if not isinstance(processor, BackgroundRemover):
                raise
            self._note(f"nothing was taken away: {error.reason}")
            return image
        if made.note:
            self._note(made.note)
        return made.image

    def _note(self, text: str) -> None:
        note = information(text)
        if note not in self.notes:
            self.notes = (*self.notes, note)
