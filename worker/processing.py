"""Post-processes pictures, in the making and of forms. In the engine process only: uses torch."""

from dataclasses import dataclass
from typing import Final

from PIL import Image

from worker import background
from worker.faces.fixer import FaceFixer
from worker.faces.restoring import Restorers
from worker.matting import Matting
from worker.post_processing import STRIPS, BackgroundRemover, PostProcessor
from worker.renderer import BrokenResult, CannotLoad, CannotRender, OnStep, nobody
from worker.upscaler import Upscaler
from worker.upscaling import Networks

PLAIN: Final = f"{STRIPS}: the background was plain, no network was needed"


@dataclass(frozen=True)
class Processed:
    """A picture that was post-processed. note: what whoever asked for it should know."""

    image: Image.Image
    note: str = ""


class Processing:
    """The post-processors of a device; what they need is loaded when it is needed first."""

    def __init__(self, device: str) -> None:
        self.upscaling = Networks(device)
        self._restorers = Restorers(device)
        self._matting = Matting()
        self._proven: set[PostProcessor] = set()

    def load(self, processor: PostProcessor) -> None:
        """Have a network ready and see it at work. Raises CannotLoad."""
        if processor in self._proven:
            return
        try:
            if isinstance(processor, Upscaler):
                self.upscaling.prove(processor)
            elif isinstance(processor, FaceFixer):
                self._restorers.prove(processor)
            elif processor.network:
                self._matting.load(processor)
        except BrokenResult as error:
            raise CannotLoad(f"{processor.folder}: {error.reason}") from error
        self._proven.add(processor)

    def apply(
        self, processor: PostProcessor, image: Image.Image, on_step: OnStep = nobody
    ) -> Processed:
        """Process a picture in RGB or RGBA. Raises CannotLoad, CannotRender."""
        if isinstance(processor, Upscaler):
            large = self.upscaling.enlarge(processor, image.convert("RGB"), on_step)
            return Processed(_with_opacity(large, image), processor.note)
        if isinstance(processor, FaceFixer):
            fixed, count = self._restorers.restore(processor, image.convert("RGB"), on_step)
            note = "" if count else f"{processor.name}: no face was found"
            return Processed(_with_opacity(fixed, image), note)
        return self._without_background(processor, image)

    def _without_background(self, remover: BackgroundRemover, image: Image.Image) -> Processed:
        """Take a background away: a plain one exactly, another one by the network that is here."""
        try:
            return Processed(background.removed(image.convert("RGBA")), PLAIN)
        except CannotRender:
            if not remover.network:
                raise
        made = self._matting.removed(remover, image)
        return Processed(made, f"{remover.name}: by {remover.network}")


def _with_opacity(made: Image.Image, before: Image.Image) -> Image.Image:
    """Give a picture the opacity of the one that it was made of."""
    if before.mode == "RGBA":
        made.putalpha(before.getchannel("A").resize(made.size, Image.Resampling.LANCZOS))
    return made
